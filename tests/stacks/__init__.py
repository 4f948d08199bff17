"""Tests of the stacks themselves, without our code; `nox -s stacks` runs them."""
