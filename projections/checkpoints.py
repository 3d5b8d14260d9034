"""Where each projection stands: its position, its shape, and whether it has halted."""

import re
from dataclasses import dataclass

import asyncpg
from pgvector.asyncpg import register_vector

from projections.projection import Projection

CHANNEL = "headwater"
"""Postgres notifications `<projection> <position>`, sent by the transaction that makes the position readable."""

SILENT = 60.0
"""Seconds after which the server lets go of an owner that says nothing: it stands still, and another takes over."""

TABLE = """
create extension if not exists vector;
create schema if not exists headwater;
create table if not exists headwater.checkpoints (
    projection text primary key, stream text not null, position bigint not null, fingerprint text not null,
    halted_position bigint, halted_error text, updated_at timestamptz not null default now())
"""


class Overtaken(Exception):
    """The checkpoint is not as this projector left it: another owner, or a rebuild, has changed it."""


class NotMigrated(ConnectionError):
    """The database has no read models yet, or one of another shape: it is not there for this version."""


@dataclass(frozen=True)
class Checkpoint:
    """A row of `headwater.checkpoints`."""

    projection: str
    stream: str
    position: int
    fingerprint: str
    halted_position: int | None = None
    halted_error: str | None = None


async def read(connection: asyncpg.Connection, name: str) -> Checkpoint | None:
    row = await connection.fetchrow(
        "select projection, stream, position, fingerprint, halted_position, halted_error "
        "from headwater.checkpoints where projection = $1",
        name,
    )
    return Checkpoint(**dict(row)) if row else None


async def begin(connection: asyncpg.Connection, name: str, projection: Projection) -> None:
    """A checkpoint before the first event."""
    await connection.execute(
        "insert into headwater.checkpoints (projection, stream, position, fingerprint) values ($1, $2, 0, $3)",
        name,
        projection.stream,
        projection.fingerprint,
    )


async def advance(
    connection: asyncpg.Connection, name: str, fingerprint: str, *, before: int, now: int
) -> None:
    """Move on, in the transaction that writes the rows of this shape. Raises `Overtaken`."""
    moved = await connection.fetchval(
        "with moved as (update headwater.checkpoints set position = $3, updated_at = now(), "
        "halted_position = null, halted_error = null where projection = $1 and position = $2 and fingerprint = $4 "
        "returning 1) select pg_notify($5, $6) is not null from moved",
        name,
        before,
        now,
        fingerprint,
        CHANNEL,
        f"{name} {now}",
    )
    if not moved:
        raise Overtaken(f"{name} is no longer at {before}, or of another shape")


async def halt(connection: asyncpg.Connection, name: str, position: int | None, error: str | None) -> None:
    """Say that the projection cannot apply the event at `position`; None: that nothing is in its way."""
    await connection.execute(
        "update headwater.checkpoints set halted_position = $2, halted_error = $3 where projection = $1",
        name,
        position,
        error,
    )


async def connect(dsn: str, *, talks: bool = False) -> asyncpg.Connection:
    """A connection of its own for a projector. Raises `NotMigrated`.

    Commits do not wait for the disk: rows and checkpoint go together, and what a crash takes is read again. The server
    lets go of a client that has died, and of what it had locked, within a second; within 15 when its machine has; of
    one that stands still in a transaction, or that `talks` all the time and no longer does, after `SILENT`.
    """
    silent = str(round(SILENT * 1000))
    settings = {
        "synchronous_commit": "off",
        "application_name": "headwater project",
        "client_connection_check_interval": "1000",
        "tcp_keepalives_idle": "5",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "2",
        "idle_in_transaction_session_timeout": silent,
        "idle_session_timeout": silent if talks else "0",
    }
    try:
        connection = await asyncpg.connect(dsn, timeout=5, server_settings=settings)
    except OSError as away:
        raise ConnectionError(f"the database does not answer: {str(away) or 'no word in time'}") from away
    try:
        if not await connection.fetchval("select to_regclass('headwater.checkpoints') is not null"):
            raise NotMigrated("there are no read models here: run headwater migrate")
        await register_vector(connection)
    except BaseException:
        connection.terminate()
        raise
    return connection


def schema_name(name: str) -> str:
    """A projection's name as it stands in SQL. Raises `ValueError` for anything but a plain word."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise ValueError(f"{name!r} is no name for a schema")
    return name
