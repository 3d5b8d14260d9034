"""Making the schemas of projections, and telling which are of an older shape."""

from collections.abc import Iterable

import asyncpg

from projections import checkpoints
from projections.checkpoints import TABLE
from projections.projection import Projection

MIGRATING = 0x48_57_4D_47
"""Advisory lock: one process at a time makes schemas."""


async def migrate(connection: asyncpg.Connection, projections: Iterable[Projection]) -> list[str]:
    """Make the schemas that are missing; the names of those that exist in another shape and need a rebuild.

    One that somebody dropped, or of which a table is gone, is made anew, and filled from the beginning of the log.
    """
    stale = []
    async with connection.transaction():
        await connection.execute("select pg_advisory_xact_lock($1)", MIGRATING)
        await connection.execute(TABLE)
        for projection in projections:
            checkpoint = await checkpoints.read(connection, projection.name)
            same = checkpoint is not None and checkpoint.fingerprint == projection.fingerprint
            if checkpoint and not await _is_there(connection, projection, whole=same):
                await drop(connection, projection.name)
                checkpoint = None
            if checkpoint is None:
                await make(connection, projection.name, projection)
                await index(connection, projection.name, projection)
            elif not same:
                stale.append(projection.name)
    return stale


async def _is_there(connection: asyncpg.Connection, projection: Projection, *, whole: bool) -> bool:
    """Whether a read model has any of its tables, or all of them: one of another shape may have others."""
    names = [table.name for table in projection.tables]
    question = "select count(*) from pg_tables where schemaname = $1 and tablename = any($2::text[])"
    found = await connection.fetchval(question, projection.name, names)
    return bool(found == len(names) if whole else found)


async def make(connection: asyncpg.Connection, schema: str, projection: Projection) -> None:
    """An empty schema with its checkpoint, without indexes."""
    await connection.execute(f"create schema {checkpoints.schema_name(schema)}")
    for table in projection.tables:
        await connection.execute(table.definition(schema))
    await checkpoints.begin(connection, schema, projection)


async def index(connection: asyncpg.Connection, schema: str, projection: Projection) -> None:
    """The indexes of a schema, and what the planner must know of its tables."""
    for table in projection.tables:
        for statement in table.indexing(schema):
            await connection.execute(statement)
        await connection.execute(f"analyze {schema}.{table.name}")


async def drop(connection: asyncpg.Connection, schema: str) -> None:
    """Remove a schema and its checkpoint, if they are there."""
    await connection.execute(f"drop schema if exists {checkpoints.schema_name(schema)} cascade")
    await connection.execute("delete from headwater.checkpoints where projection = $1", schema)
