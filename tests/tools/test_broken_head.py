"""A bug that ends a stream just as its head is sent ends that stream, and not the server."""

import pytest

from shared.lab.experiment import Ask, send
from shared.lab.host import Crash
from shared.lab.server import serving
from shared.lab.variants import Variant, groups, named

VARIANTS = [variant for name in groups() for variant in named(name)]

CRASHING = Ask(f"/as-completed?tasks=1&seconds={Crash.BARE}")
ROUNDS, AT_ONCE = 30, 4
"""Of so many some meet the moment: without the shield in anyio's `server_timing` its server was gone after ten at the most."""


@pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.label)
def test_the_server_goes_on(variant: Variant) -> None:
    """After many of them the server answers as before."""
    with serving(variant, crash=True) as server:
        for _ in range(ROUNDS):
            send(server.url, [CRASHING] * AT_ONCE)
        assert server.process.poll() is None, server.log()[-2000:]
        assert send(server.url, [Ask("/ping")])[0].status == 200
