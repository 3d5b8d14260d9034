"""The read models as handlers see them: how far they are, and what belongs to what."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg

from infra.log import Log

PATIENCE = 30.0
"""Seconds in which read models usually come to where the log is."""
PAUSE = 0.02
LONGEST = 0.5
PLAIN = re.compile(r"[a-z_][a-z0-9_]*")
AWAY = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.UndefinedTableError,
    asyncpg.InvalidSchemaNameError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InvalidAuthorizationSpecificationError,
    OSError,
    TimeoutError,
)


class NotReadable(ConnectionError):
    """The read models cannot be asked, or are far behind the log. Nothing is wrong with the question: ask again."""


class ReadModels:
    """Reads with connections of its own, one a question: what asks does so rarely, and may hold a lock."""

    def __init__(self, dsn: str, log: Log, streams: Mapping[str, str]) -> None:
        """`streams` maps each projection to its stream."""
        self._dsn = dsn
        self._log = log
        self.streams = dict(streams)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection. Raises `NotReadable`, also for what breaks while it is used."""
        try:
            settings = {"application_name": "headwater work"}
            connection = await asyncpg.connect(
                self._dsn, timeout=5, command_timeout=60, server_settings=settings
            )
            try:
                yield connection
            finally:
                connection.terminate()
        except AWAY as away:
            raise NotReadable(f"the read models do not answer ({type(away).__name__}: {away})") from away

    async def reach(self, connection: asyncpg.Connection, position: Mapping[str, int]) -> None:
        """Wait until every read model of these streams is there. Raises `NotReadable`."""
        pause = PAUSE
        try:
            async with asyncio.timeout(PATIENCE):
                while await self._behind(connection, position):
                    await asyncio.sleep(pause)
                    pause = min(pause * 1.5, LONGEST)
        except TimeoutError:
            raise NotReadable("the read models are behind the log") from None

    async def _behind(self, connection: asyncpg.Connection, position: Mapping[str, int]) -> bool:
        rows = await connection.fetch("select projection, position from headwater.checkpoints")
        at = {row["projection"]: row["position"] for row in rows}
        return any(at.get(name, 0) < position.get(stream, 0) for name, stream in self.streams.items())

    async def reach_the_end(self, connection: asyncpg.Connection) -> None:
        """Wait until everything that the log holds now is readable. Raises `NotReadable`, `LogUnavailable`."""
        streams = set(self.streams.values())
        await self.reach(connection, {each: await self._log.last_position(each) for each in streams})

    async def where(
        self,
        table: str,
        column: str,
        value: UUID,
        *,
        after: tuple[str, int],
        id: str = "id",
        without: str | None = None,
    ) -> list[UUID]:
        """The ids of the rows of a table (`jobsite.sessions`) that belong to something, no earlier than `after`.

        `without` names a column in which they have nothing.
        """
        names = (*table.split("."), column, id, *([without] if without else []))
        if not all(PLAIN.fullmatch(each) for each in names):
            raise ValueError(f"{names} are not all names of columns and tables")
        question = f"select distinct {id} from {table} where {column} = $1"  # noqa: S608
        if without:
            question += f" and {without} is null"
        async with self.connected() as connection:
            await self.reach(connection, dict([after]))
            rows: list[Any] = await connection.fetch(f"{question} order by {id}", value)
        return [row[0] for row in rows]

    async def naming(self, connection: asyncpg.Connection, blobs: Iterable[str]) -> set[str]:
        """Those of the blobs that some aggregate names that has not been deleted."""
        tables = " union all ".join(
            f"select blob from {name}.named_blobs where blob = any($1::text[])"  # noqa: S608
            for name in self.streams
        )
        return {row["blob"] for row in await connection.fetch(tables, list(blobs))}
