"""One application for each stack, as short as can be and without our code, to show what is the stack's doing and what is ours."""
