"""The lab: start a variant, send it an experiment, reach a verdict in words."""
