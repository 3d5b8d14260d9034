"""Rebuilding a read model from the log beside the one that serves, comparing the two, and swapping them."""

from collections.abc import Callable
from dataclasses import dataclass

import asyncpg

from infra.log import Log
from projections import checkpoints, schema
from projections.batch import Fetch, Model, take
from projections.changes import Table
from projections.projection import Projection

BATCH = 5000
NEARLY = 500
"""Events still to apply at which the serving model is held still for the rest."""


class BeingRebuilt(Exception):
    """Another process is at it."""


@dataclass(frozen=True)
class Comparison:
    """Rows and checksum of a table before and after, at one position. None: it was not there, or had another shape."""

    table: str
    before: tuple[int, int] | None
    after: tuple[int, int]

    @property
    def same(self) -> bool:
        return self.before == self.after


@dataclass(frozen=True)
class Report:
    """What a rebuild found."""

    projection: str
    position: int
    events: int
    tables: tuple[Comparison, ...]
    swapped: bool

    @property
    def differing(self) -> tuple[Comparison, ...]:
        return tuple(each for each in self.tables if each.before is not None and not each.same)


async def rebuild(
    projection: Projection,
    *,
    log: Log,
    dsn: str,
    fetch: Fetch,
    dry_run: bool = False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Report:
    """Fill `<name>__next` from the log up to where the serving model stands, compare, and swap unless `dry_run`.

    Readers go on reading all the while; the serving model's projector waits only during the last few events.
    `progress` is told positions. Raises `Halted` at an event that cannot be applied, and `BeingRebuilt`.
    """
    name, spare = projection.name, f"{projection.name}__next"
    serving = await checkpoints.connect(dsn)
    filling = await checkpoints.connect(dsn)
    try:
        await _alone(serving, name)
        await schema.drop(filling, spare)
        await schema.make(filling, spare, projection)
        filler = _Filler(
            Model(filling, projection, spare, position=0, fetch=fetch), projection.stream, log, progress
        )
        await filler.catch_up(serving, name)
        await schema.index(filling, spare, projection)
        await filler.catch_up(serving, name)
        position, tables = await _compared(serving, filling, filler, projection, spare)
        if not dry_run:
            await filler.catch_up(serving, name)
            async with serving.transaction():
                await filler.fill(await _position(serving, name, hold=True))
                await _swap(serving, projection, spare)
        await schema.drop(serving, spare if dry_run else _old(name))
        return Report(name, position, filler.events, tables, swapped=not dry_run)
    finally:
        serving.terminate()
        filling.terminate()


class _Filler:
    """Fills a new model from the log."""

    def __init__(self, model: Model, stream: str, log: Log, progress: Callable[[int, int], None]) -> None:
        self._model, self._stream, self._log, self._progress = model, stream, log, progress
        self.events = 0

    async def catch_up(self, serving: asyncpg.Connection, name: str) -> None:
        """Come so near to the serving model that the rest takes a moment."""
        while (target := await _position(serving, name)) - self._model.position > NEARLY:
            await self.fill(target)

    async def fill(self, target: int) -> None:
        """Apply everything up to `target`."""
        async with self._log.reader(self._stream, after=self._model.position, window=2 * BATCH) as reader:
            while await reader.before(target):
                events = [each for each in await take(reader, BATCH) if each.position <= target]
                await self._model.apply(events, min(reader.position, target))
                self.events += len(events)
                self._progress(self._model.position, target)
        if self._model.position < target:  # nothing but erased messages is left before it
            await self._model.apply([], target)


async def _alone(connection: asyncpg.Connection, name: str) -> None:
    if not await connection.fetchval(
        "select pg_try_advisory_lock(hashtextextended($1, 0))", f"rebuild {name}"
    ):
        raise BeingRebuilt(f"{name} is being rebuilt by another process; wait for it to end")


async def _position(connection: asyncpg.Connection, name: str, *, hold: bool = False) -> int:
    statement = "select position from headwater.checkpoints where projection = $1"
    position = await connection.fetchval(f"{statement} for update" if hold else statement, name)
    if position is None:
        raise LookupError(f"there is no read model {name}; run headwater migrate")
    return int(position)


async def _compared(
    serving: asyncpg.Connection,
    filling: asyncpg.Connection,
    filler: _Filler,
    projection: Projection,
    spare: str,
) -> tuple[int, tuple[Comparison, ...]]:
    """The two models as they were at one position: held there for a moment, compared at leisure."""
    snapshot = filling.transaction(isolation="repeatable_read")
    async with serving.transaction():
        position = await _position(serving, projection.name, hold=True)
        await filler.fill(position)
        await snapshot.start()
        await filling.fetchval("select 1")  # Postgres takes the snapshot with the first statement
    comparisons = [await _compare(filling, projection.name, spare, table) for table in projection.tables]
    await snapshot.commit()
    return position, tuple(comparisons)


async def _compare(connection: asyncpg.Connection, name: str, spare: str, table: Table) -> Comparison:
    alike = await _columns(connection, name, table.name) == await _columns(connection, spare, table.name)
    before = await checksum(connection, f"{name}.{table.name}") if alike else None
    return Comparison(table.name, before, await checksum(connection, f"{spare}.{table.name}"))


async def _columns(connection: asyncpg.Connection, schema_: str, table: str) -> list[tuple[str, str]]:
    rows = await connection.fetch(
        "select column_name::text, udt_name::text from information_schema.columns "
        "where table_schema = $1 and table_name = $2 order by ordinal_position",
        schema_,
        table,
    )
    return [tuple(row) for row in rows]


async def checksum(connection: asyncpg.Connection, table: str) -> tuple[int, int]:
    """Rows of a table and a checksum that does not depend on their order."""
    row = await connection.fetchrow(
        f"select count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) from {table} t"  # noqa: S608
    )
    return int(row[0]), int(row[1])


def _old(name: str) -> str:
    return f"{name}__old"


async def _swap(connection: asyncpg.Connection, projection: Projection, spare: str) -> None:
    """Rename only: the old tables go afterwards, when nobody reads them any more."""
    name, old = projection.name, _old(projection.name)
    await connection.execute(f"drop schema if exists {old} cascade")
    await connection.execute(f"alter schema {name} rename to {old}")
    await connection.execute(f"alter schema {spare} rename to {name}")
    await connection.execute("delete from headwater.checkpoints where projection = $1", spare)
    await connection.execute(
        "update headwater.checkpoints set fingerprint = $2, halted_position = null, halted_error = null "
        "where projection = $1",
        name,
        projection.fingerprint,
    )
