"""Work for a processor. A worker process imports it by its name, so it is not in the main module."""


def count(n: int) -> int:
    """Return how many primes are below `n`."""
    return sum(number > 1 and all(number % divisor for divisor in range(2, int(number**0.5) + 1)) for number in range(n))
