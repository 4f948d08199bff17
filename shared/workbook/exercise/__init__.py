"""The workbook to write in: exercises that a reader solves in a variant of their own, `variants/mine`, on the stack they like."""
