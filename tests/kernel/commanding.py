"""Streams for commands, and what has been paid on them."""

from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

from handlers.commands import Commands
from infra import streams
from infra.log import Log
from tests.kernel.ledger import Ledger, new_ledger
from tests.kernel.wiring import connections
from tests.kernel.writing import amounts

Another = Callable[[], Awaitable[Commands]]


@asynccontextmanager
async def a_ledger_on(server, **changes):
    """A stream on this server alone, perhaps unlike ours in some setting."""
    ledger = new_ledger()
    async with connections(server.url) as connect:
        nc = await connect()
        await streams.prepare(nc, [streams.context_stream(ledger.context, 1) | changes])
        yield ledger, Log(nc, ledger.catalogue)


async def paid(log: Log, ledger: Ledger, account) -> list[int]:
    return amounts(await log.load(ledger.key(account)))
