"""Sets all stacks side by side, from what the suite saw of them: in the terminal, as JSON, and as a page."""
