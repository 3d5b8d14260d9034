"""What is folded and written is what Postgres holds, whatever the batches and the types."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from pgvector import HalfVector

from projections.changes import Change, Table, delete, increment, patch, upsert
from projections.fold import fold
from projections.writer import write
from tests.projections.naive import Tables, naive
from tests.projections.test_fold import LINES, ONES, changes

ID = UUID("01990000-0000-7000-8000-000000000001")
EVERY = Table(
    "every",
    {
        "id": "uuid",
        "word": "text",
        "big": "bigint",
        "real": "double precision",
        "exact": "numeric(12, 3)",
        "at": "timestamp with time zone",
        "doc": "jsonb",
        "yes": "boolean",
        "bytes": "bytea",
        "vector": "halfvec(3)",
        "short": "varchar(9) not null default 'short'",
        "search": "tsvector generated always as (to_tsvector('simple', coalesce(word, ''))) stored",
        "length": "int generated always as (length(word)) stored",
    },
    ("id",),
    indexes=("create index on {table} using gin (search)",),
)
FULL: dict[str, Any] = {
    "word": "naïve 🌊 'quoted' \\ {},\"",
    "big": 2**62,
    "real": 0.1,
    "at": datetime(2026, 2, 3, 4, 5, 6, 789, tzinfo=UTC),
    "doc": json.dumps([{"a": [1, None]}, "b"]),
    "yes": False,
    "bytes": b"\0\xff",
}


async def put(connection: asyncpg.Connection, changes: Iterable[Change]) -> None:
    async with connection.transaction():
        await write(connection, "w", fold(changes).values())


async def held(connection: asyncpg.Connection, *tables: Table) -> Tables:
    found: Tables = {}
    for table in tables:
        rows = [dict(row) for row in await connection.fetch(f"select * from w.{table.name}")]
        found[table.name] = {tuple(row[name] for name in table.key): row for row in rows}
    return found


@pytest.fixture
async def db(writing: asyncpg.Connection) -> Any:
    await writing.execute("create schema w")
    for table in (LINES, ONES, EVERY):
        await writing.execute(table.definition("w"))
        for statement in table.indexing("w"):
            await writing.execute(statement)
    yield writing
    await writing.execute("drop schema w cascade")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes, changes)
async def test_postgres_holds_what_the_changes_mean_in_one_batch_or_in_batches_of_one(
    db: asyncpg.Connection, earlier: list[Change], later: list[Change]
) -> None:
    expected = naive([*earlier, *later], {"lines": {}, "ones": {}})
    await db.execute("truncate w.lines, w.ones")
    for each in [*earlier, *later]:
        await put(db, [each])
    assert await held(db, LINES, ONES) == expected
    await db.execute("truncate w.lines, w.ones")
    await put(db, earlier)
    await put(db, later)
    assert await held(db, LINES, ONES) == expected


async def test_one_batch_does_everything_to_a_row_in_its_order(db: asyncpg.Connection) -> None:
    for there in (False, True):
        changes = [
            upsert(ONES, id=1, y=1),
            increment(ONES, id=1, x=5),
            increment(ONES, id=2, x=1),
            patch(ONES, id=2, y=4),
            upsert(ONES, id=2, y=2),
            increment(ONES, id=2, x=1, y=1),
            upsert(LINES, a=1, b=1, c=1, x=5),
            delete(LINES, a=1, b=1),
            patch(LINES, a=1, b=1, c=1, y=3),
            upsert(LINES, a=1, b=1, c=2, t="after"),
            upsert(ONES, id=3, x=1),
            delete(ONES, id=3),
            patch(ONES, id=3, y=1),
        ]
        await db.execute("truncate w.ones, w.lines")
        if there:
            await put(db, [upsert(ONES, id=each, x=100, y=100) for each in (1, 2, 3)])
        await put(db, changes)
        found = await held(db, ONES, LINES)
        x = (105, 102) if there else (12, 8)
        assert found["ones"] == {(1,): {"id": 1, "x": x[0], "y": 1}, (2,): {"id": 2, "x": x[1], "y": 3}}
        assert found["lines"] == {(1, 1, 2): {"a": 1, "b": 1, "c": 2, "x": 0, "y": None, "t": "after"}}


async def test_every_type_of_column_comes_back_as_it_went_in(db: asyncpg.Connection) -> None:
    await put(db, [upsert(EVERY, id=ID, vector=HalfVector([0.5, -1, 2]), **FULL)])
    row = dict((await held(db, EVERY))["every"][(ID,)])
    assert json.loads(row.pop("doc")) == [{"a": [1, None]}, "b"]
    assert row.pop("vector").to_list() == [0.5, -1, 2]
    assert row["length"] == len(FULL["word"])
    assert row["short"] == "short"
    assert {name: row[name] for name in FULL if name != "doc"} == {
        k: v for k, v in FULL.items() if k != "doc"
    }


async def test_any_column_that_may_be_null_can_be_set_to_null_beside_rows_where_it_is_not(
    db: asyncpg.Connection,
) -> None:
    other = UUID(int=ID.int + 1)
    nothing = dict.fromkeys((*FULL, "exact", "vector"))
    some = nothing | FULL | {"vector": HalfVector([1, 2, 3])}
    await put(db, [upsert(EVERY, id=ID, **some), upsert(EVERY, id=other, **nothing)])
    await put(db, [patch(EVERY, id=ID, **nothing), patch(EVERY, id=other, **some)])
    rows = (await held(db, EVERY))["every"]
    assert all(rows[(ID,)][name] is None for name in nothing)
    assert rows[(other,)]["bytes"] == b"\0\xff"


async def test_generated_columns_follow_what_they_are_made_of(db: asyncpg.Connection) -> None:
    await put(db, [upsert(EVERY, id=ID, word="high water")])
    await put(db, [patch(EVERY, id=ID, word="head"), increment(EVERY, id=ID, big=1)])
    row = (await held(db, EVERY))["every"][(ID,)]
    assert (row["length"], row["search"], row["big"]) == (4, "'head':1", None)


async def test_what_postgres_cannot_hold_in_text_is_replaced(db: asyncpg.Connection) -> None:
    doc = {"a": "nul \0\0 here \\\0", "code": r"split('\u0000') and \\u0000"}
    await put(db, [upsert(EVERY, id=ID, word="a\0b", doc=json.dumps(doc), short="c\0", big=0)])
    row = (await held(db, EVERY))["every"][(ID,)]
    assert (row["word"], row["short"], json.loads(row["doc"])) == (
        "a\ufffdb",
        "c\ufffd",
        {"a": "nul \ufffd\ufffd here \\\ufffd", "code": doc["code"]},
    )


async def test_a_type_may_have_several_words_and_limits_before_its_constraints() -> None:
    assert EVERY.types["at"] == "timestamp with time zone"
    assert EVERY.types["exact"] == "numeric(12, 3)"
    assert EVERY.types["short"] == "varchar(9)"


def test_a_column_that_is_an_array_is_refused_where_it_is_declared() -> None:
    with pytest.raises(ValueError, match="tags cannot be an array"):
        Table("posts", {"id": "uuid", "tags": "text[] not null"}, ("id",))


def test_a_delete_names_the_first_columns_of_the_key() -> None:
    for wrong in ({"b": 1}, {"b": 1, "a": 1}, {}, {"a": 1, "x": 1}):
        with pytest.raises(ValueError, match="delete by the first columns"):
            delete(LINES, **wrong)
