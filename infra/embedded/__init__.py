"""The servers that `headwater up` brings itself, JetStream and Postgres: started, kept alive and stopped."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from infra.embedded.home import Secrets, Servers, locked, publish, usable, withdraw
from infra.embedded.nats import NatsServer, Sync
from infra.embedded.postgres import PostgresServer
from infra.embedded.process import EmbeddedServerError

log = logging.getLogger(__name__)

Server = NatsServer | PostgresServer

PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)
"""Seconds before each further try to start a server that ran: it may be killed again, or its disk full for a while."""


@asynccontextmanager
async def embedded(
    home: Path, *, sync: Sync = "always", nats: bool = True, postgres: bool = True
) -> AsyncIterator[Servers]:
    """Run the servers in this home while the body runs; one that is not wanted has empty URLs.

    A server that ends by itself is started again on the same port. Raises EmbeddedServerError when one
    cannot be started, or when another Headwater uses this home.
    """
    home = usable(home)
    with locked(home):
        kept = Secrets(home / "secrets")
        log_server = NatsServer(home, sync=sync, secrets=kept)
        database = PostgresServer(home, secrets=kept)
        running: list[Server] = [*([log_server] if nats else []), *([database] if postgres else [])]
        try:
            await _start(running, home)
            servers = Servers(
                nats_url=log_server.url if nats else "",
                eraser_url=log_server.eraser_url if nats else "",
                operator_url=log_server.operator_url if nats else "",
                dsn=database.dsn if postgres else "",
            )
            publish(home, servers)
            async with asyncio.TaskGroup() as group:
                keepers = [group.create_task(_keep(server)) for server in running]
                if nats:
                    keepers.append(group.create_task(_unblock(log_server)))
                yield servers
                for keeper in keepers:
                    keeper.cancel()
        except BaseExceptionGroup as failures:
            if len(failures.exceptions) > 1:
                raise
            raise failures.exceptions[0] from None  # the body's own error, not wrapped by our task group
        finally:
            withdraw(home)
            await asyncio.gather(*(server.stop() for server in running))


async def _start(servers: Sequence[Server], home: Path) -> None:
    outcomes = await asyncio.gather(*(server.start() for server in servers), return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, OSError):
            raise EmbeddedServerError(f"The embedded servers cannot use {home}: {outcome}.") from outcome
        if isinstance(outcome, BaseException):
            raise outcome


async def _keep(server: Server) -> None:
    while True:
        await server.exited()
        log.error("embedded server ended by itself", extra={"server": type(server).__name__})
        await _start_again(server)


async def _unblock(server: NatsServer) -> None:
    while True:
        await server.blocked()
        log.warning("the disk of the log was full and has room again: its server starts anew")
        await server.stop()  # who keeps it starts it again


async def _start_again(server: Server) -> None:
    for pause in PAUSES:
        try:
            return await server.start()
        except (EmbeddedServerError, OSError) as failure:
            log.warning(
                "embedded server cannot be started yet",
                extra={"server": type(server).__name__, "cause": str(failure)},
            )
        await asyncio.sleep(pause)
    await server.start()
