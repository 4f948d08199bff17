"""What is the same for every stack."""
