"""What a reader uses beside the suite."""
