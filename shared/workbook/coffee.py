"""A coffee shop, first without async, then with it: run it as `python -m shared.workbook.coffee`.

Three customers, one barista, five minutes a coffee, in which the machines work and the barista only waits.
"""

import asyncio
import time

MINUTE = 0.1  # A minute of the story, in seconds: nobody wants to wait a quarter of an hour.
COFFEE = 5 * MINUTE
CUSTOMERS = ["Ada", "Ben", "Cleo"]


def minutes_since(opened: float) -> float:
    """Return how many minutes ago the shop opened; `opened` is what `time.perf_counter()` said then."""
    return (time.perf_counter() - opened) / MINUTE


def tell(opened: float, event: str) -> None:
    """Print what happens, behind the minute in which it happens."""
    print(f"  minute {minutes_since(opened):4.1f}: {event}", flush=True)


def make_coffee(customer: str, opened: float) -> None:
    """Make one coffee, and do nothing else meanwhile."""
    tell(opened, f"start {customer}'s coffee")
    time.sleep(COFFEE)  # BAD: the barista stands at the machine and watches it. Nobody else is served.
    tell(opened, f"hand {customer} the coffee")


def sync_shop() -> float:
    """Serve one customer after the other; return how many minutes that took."""
    opened = time.perf_counter()
    for customer in CUSTOMERS:
        make_coffee(customer, opened)
    return minutes_since(opened)


async def make_coffee_async(customer: str, opened: float) -> None:
    """Make one coffee, and let the barista go while the machine works."""
    tell(opened, f"start {customer}'s coffee")
    await asyncio.sleep(COFFEE)  # GOOD: `await` sends the barista to the next customer until this coffee is ready.
    tell(opened, f"hand {customer} the coffee")


async def async_shop() -> float:
    """Start all the coffees, hand each over when it is ready; return how many minutes that took."""
    opened = time.perf_counter()
    coffees = [make_coffee_async(customer, opened) for customer in CUSTOMERS]  # Orders: no coffee is started yet.
    await asyncio.gather(*coffees)  # This starts them all, and waits until the last is ready.
    return minutes_since(opened)


def main() -> None:
    """Open the shop twice, and compare."""
    print(f"Three customers, one barista, five minutes a coffee. A minute lasts {MINUTE} seconds here.\n")
    print("Sync: one after the other")
    sync_minutes = sync_shop()
    print("\nAsync: start all three, hand each over when it is ready")
    async_minutes = asyncio.run(async_shop())
    print(f"\nSync took {sync_minutes:.1f} minutes, async {async_minutes:.1f}: one barista, the same coffee, no waiting in line.")


if __name__ == "__main__":
    main()
