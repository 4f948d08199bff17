"""The lesson on frameworks that are not compared: each brought to green with the same suite, from the blank."""
