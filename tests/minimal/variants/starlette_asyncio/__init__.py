"""The stack of the variant of this name, and nothing of ours."""
