"""Folded changes as SQL: one set-based statement for each table, kind of change and set of columns."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import asyncpg

from projections.changes import Table
from projections.fold import NONE, Folded, Key, Values

NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape of U+0000 in JSON, and not an escaped backslash before `u0000`."""

Group = list[tuple[Any, ...]]


async def write(connection: asyncpg.Connection, schema: str, tables: Iterable[Folded]) -> None:
    """Apply folded changes in the caller's transaction."""
    for folded in tables:
        rows = folded.rows.items()
        await _sweep(connection, schema, folded)
        await _delete(connection, schema, folded)
        await _update(connection, schema, folded.table, [(key, row.set, row.add) for key, row in rows])
        await _upsert(connection, schema, folded)
        await _update(connection, schema, folded.table, [(key, NONE, row.more) for key, row in rows])


async def _sweep(connection: asyncpg.Connection, schema: str, folded: Folded) -> None:
    groups: dict[int, list[Key]] = defaultdict(list)
    for key in folded.sweeps:
        groups[len(key)].append(key)
    for reach, keys in groups.items():
        await _delete_keys(connection, schema, folded.table, folded.table.key[:reach], keys)


async def _delete(connection: asyncpg.Connection, schema: str, folded: Folded) -> None:
    keys = [key for key, row in folded.rows.items() if row.deleted]
    if keys:
        await _delete_keys(connection, schema, folded.table, folded.table.key, keys)


async def _delete_keys(
    connection: asyncpg.Connection, schema: str, table: Table, names: Sequence[str], keys: Sequence[Key]
) -> None:
    matches = " and ".join(f"t.{name} = u.{name}" for name in names)
    statement = f"delete from {schema}.{table.name} t using {_unnest(table, names)} where {matches}"  # noqa: S608
    await connection.execute(statement, *_arrays(table, names, keys))


async def _upsert(connection: asyncpg.Connection, schema: str, folded: Folded) -> None:
    table = folded.table
    groups: dict[tuple[str, ...], Group] = defaultdict(list)
    for key, row in folded.rows.items():
        if row.upsert is not None:
            groups[tuple(row.upsert)].append((*key, *row.upsert.values()))
    for names, rows in groups.items():
        columns = (*table.key, *names)
        change = ", ".join(f"{name} = excluded.{name}" for name in names)
        statement = (
            f"insert into {schema}.{table.name} ({', '.join(columns)}) "  # noqa: S608
            f"select * from {_unnest(table, columns)} "
            f"on conflict ({', '.join(table.key)}) do {f'update set {change}' if change else 'nothing'}"
        )
        await connection.execute(statement, *_arrays(table, columns, rows))


async def _update(
    connection: asyncpg.Connection, schema: str, table: Table, updates: Iterable[tuple[Key, Values, Values]]
) -> None:
    groups: dict[tuple[tuple[str, ...], tuple[str, ...]], Group] = defaultdict(list)
    for key, known, add in updates:
        if known or add:
            groups[tuple(known), tuple(add)].append((*key, *known.values(), *add.values()))
    for (put, added), rows in groups.items():
        change = [f"{name} = u.{name}" for name in put] + [f"{name} = t.{name} + u.{name}" for name in added]
        matches = " and ".join(f"t.{name} = u.{name}" for name in table.key)
        columns = (*table.key, *put, *added)
        statement = (
            f"update {schema}.{table.name} t set {', '.join(change)} "  # noqa: S608
            f"from {_unnest(table, columns)} where {matches}"
        )
        await connection.execute(statement, *_arrays(table, columns, rows))


def _unnest(table: Table, names: Sequence[str]) -> str:
    """`unnest($1::uuid[], …) as u (…)`; names come from the projection's code, values are parameters."""
    arrays = ", ".join(f"${n}::{_array(table.types[name])}" for n, name in enumerate(names, start=1))
    return f"unnest({arrays}) as u ({', '.join(names)})"


def _array(sql_type: str) -> str:
    """Dimensions are left out: `halfvec(384)` is passed as `halfvec[]`."""
    return f"{sql_type.partition('(')[0]}[]"


def _arrays(table: Table, names: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> list[Sequence[Any]]:
    """One array a column."""
    columns = zip(*rows, strict=True)
    return [_storable(table.types[name], column) for name, column in zip(names, columns, strict=True)]


def _storable(sql_type: str, column: Sequence[Any]) -> Sequence[Any]:
    """Postgres has no NUL in text. An event may, and is no reason to halt: what is read has U+FFFD in its place."""
    if sql_type.startswith("json"):
        return [
            each and NUL.sub(r"\1\\ufffd", each) if each and "\\u0000" in each else each for each in column
        ]
    if sql_type.startswith(("text", "varchar", "char")) and any(each and "\0" in each for each in column):
        return [each and each.replace("\0", "\ufffd") for each in column]
    return column
