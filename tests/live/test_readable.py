"""How far the read models are: whoever waits for a position is woken at it, and nobody is forgotten."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from app.http.positions import Position
from app.live import readable as module
from app.live.readable import Readable
from handlers.refusals import Unavailable
from projections.checkpoints import CHANNEL, TABLE
from tests.live.site import until


@pytest.fixture
async def connection(database: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)
    yield connection
    await connection.close()


@asynccontextmanager
async def running(readable: Readable) -> AsyncIterator[Readable]:
    task = asyncio.create_task(readable.run())
    yield readable
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


async def move(connection: asyncpg.Connection, name: str, position: int) -> None:
    """What a projector does."""
    async with connection.transaction():
        await connection.execute(
            "insert into headwater.checkpoints (projection, stream, position, fingerprint) values ($1, 'S', $2, '') "
            "on conflict (projection) do update set position = $2",
            name,
            position,
        )
        await connection.execute("select pg_notify($1, $2)", CHANNEL, f"{name} {position}")


async def reached(readable: Readable, stream: str, position: int) -> int:
    async with asyncio.timeout(60):
        return await readable.reach(stream, position)


async def test_positions_are_known_from_the_start_and_as_they_move(
    database: str, connection: asyncpg.Connection
):
    await move(connection, "shop", 7)
    async with running(Readable(database, {"shop": "SHOP"})) as readable:
        assert readable.position("SHOP") == 0
        assert await reached(readable, "SHOP", 0) == 7
        waiting = [asyncio.create_task(reached(readable, "SHOP", n)) for n in (9, 8, 9, 10)]
        await move(connection, "shop", 8)
        assert await waiting[1] == 8
        assert [each.done() for each in waiting] == [False, True, False, False]
        await move(connection, "shop", 12)
        assert await asyncio.gather(*waiting) == [12, 8, 12, 12]
        assert readable.position("SHOP") == 12


async def test_a_stream_is_readable_where_its_slowest_read_model_is(
    database: str, connection: asyncpg.Connection
):
    async with running(Readable(database, {"shop": "SHOP", "figures": "SHOP", "other": "OTHER"})) as readable:
        await move(connection, "shop", 9)
        await move(connection, "nobodys", 3)
        waiting = asyncio.create_task(reached(readable, "SHOP", 5))
        await move(connection, "figures", 4)
        assert await reached(readable, "SHOP", 0) == 4
        await move(connection, "figures", 6)
        assert await waiting == 6
        assert readable.position("OTHER") == 0
        assert readable.position("NONE") is None
        assert await reached(readable, "NONE", 5) == 5


async def test_a_read_waits_until_it_sees_what_it_must_but_not_for_ever(
    database: str, connection: asyncpg.Connection, monkeypatch
):
    monkeypatch.setattr(module, "PATIENCE", 0.05)
    async with running(Readable(database, {"shop": "SHOP"})) as readable:
        await move(connection, "shop", 1)
        await reached(readable, "SHOP", 1)
        await readable.catch_up(Position("SHOP", 1))
        await readable.catch_up(Position("NONE", 10**17))
        with pytest.raises(Unavailable, match="SHOP@2"):
            await readable.catch_up(Position("SHOP", 2))
        assert readable._waiting["SHOP"] == []


async def test_who_waits_is_woken_when_the_database_is_back(postgres, database: str, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 0.2)
    connection = await asyncpg.connect(database)
    await connection.execute(TABLE)
    await move(connection, "shop", 1)
    async with running(Readable(database, {"shop": "SHOP"})) as readable:
        await reached(readable, "SHOP", 1)
        for position in (2, 3):
            waiting = asyncio.create_task(reached(readable, "SHOP", position))
            postgres.kill()
            await postgres.start()
            connection = await asyncpg.connect(database)
            await move(connection, "shop", position)
            assert await waiting == position
        await connection.close()


async def test_a_database_without_read_models_is_waited_for(database: str, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", 0.1)
    async with running(Readable(database, {"shop": "SHOP"})) as readable:
        connection = await asyncpg.connect(database)
        await connection.execute(TABLE)
        await move(connection, "shop", 5)
        assert await reached(readable, "SHOP", 5) == 5
        await connection.close()


async def test_a_connection_that_the_database_ends_is_made_anew_at_once(
    database: str, connection: asyncpg.Connection
):
    async with running(Readable(database, {"shop": "SHOP"})) as readable:
        for position in range(1, 6):
            await move(connection, "shop", position)
            await reached(readable, "SHOP", position)
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'headwater readable' and datname = current_database()"
            )
        await move(connection, "shop", 6)
        began = time.monotonic()
        await reached(readable, "SHOP", 6)
        assert time.monotonic() - began < 3, "after a good connection the first pause is short again"


async def test_a_quiet_connection_is_tried_and_kept(
    database: str, connection: asyncpg.Connection, monkeypatch
):
    monkeypatch.setattr(module, "CHECK", 0.02)
    async with running(Readable(database, {"shop": "SHOP"})) as readable:
        await move(connection, "shop", 1)
        await reached(readable, "SHOP", 1)
        await asyncio.sleep(0.1)
        await move(connection, "shop", 2)
        assert await reached(readable, "SHOP", 2) == 2


async def test_thousands_can_wait_cheaply(database: str, connection: asyncpg.Connection):
    async with running(Readable(database, {"shop": "SHOP"})) as readable:
        waiting = [asyncio.create_task(reached(readable, "SHOP", 10 + n)) for n in range(3000)]
        await until(lambda: len(readable._waiting["SHOP"]) == 3000)
        for position in range(10):
            await move(connection, "shop", position)
            await reached(readable, "SHOP", position)
        assert not any(each.done() for each in waiting)
        began = time.process_time()
        readable._move([("shop", 3009)])
        assert time.process_time() - began < 0.5
        await asyncio.gather(*waiting)


async def test_thousands_can_give_up_at_once_and_nobody_else_is_forgotten(
    database: str, connection: asyncpg.Connection
):
    async with running(Readable(database, {"shop": "SHOP"})) as readable:
        left = [asyncio.create_task(reached(readable, "SHOP", 10 + n)) for n in range(0, 8000, 1000)]
        gone = [asyncio.create_task(reached(readable, "SHOP", 10 + n)) for n in range(8000)]
        await until(lambda: len(readable._waiting["SHOP"]) == 8008)
        began = time.process_time()
        for each in gone:
            each.cancel()
        await asyncio.gather(*gone, return_exceptions=True)
        assert time.process_time() - began < 3, "the square of them would be half a minute"
        assert len(readable._waiting["SHOP"]) <= 2 * len(left) + 1
        readable._move([("shop", 8000)])
        await asyncio.gather(*left)
