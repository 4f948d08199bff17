"""All that a variant may import: limits, JSON shapes, timings, problems, settings, upstreams; and the text."""
