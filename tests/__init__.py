"""The shared suite: one file a chapter, the same tests for every variant."""
