"""Deliberately wrong versions of the variants, and the runner that proves that the shared suite catches each of them."""
