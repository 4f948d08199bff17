"""The lesson, once for each stack: the same files, the same functions, the same order."""
