"""Whoever dies, no event is lost and none is applied twice: sums in the rows would show it."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import asyncpg
import pytest

from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from tests import servers
from tests.kernel.wiring import until
from tests.projections.child import killed, projector_process
from tests.projections.site import Site, site_on


@pytest.fixture
async def own_postgres() -> AsyncIterator[PostgresServer]:
    """A Postgres that this test may kill."""
    with servers.temporary_home() as home:
        async with servers.postgres_server(home) as server:
            yield server


async def blocked(db: asyncpg.Connection) -> list[int]:
    """The backends that wait for a lock on a table in the middle of their transaction."""
    rows = await db.fetch("select pid from pg_locks where not granted and database is not null")
    return [row["pid"] for row in rows]


async def test_a_projector_killed_in_the_middle_of_a_batch_leaves_nothing_of_it(
    site: Site, nats: NatsServer
) -> None:
    """The next owner is there within two seconds, though the server was in the middle of a statement."""
    await site.store(*site.shop.account(500))
    async with projector_process(site, nats.url) as child:
        await site.until(501)
        holder = await asyncpg.connect(site.dsn)
        async with holder.transaction():
            await holder.execute(f"lock table {site.shop.context}.lines in exclusive mode")
            end = await site.store(*site.shop.account(500))
            await until(lambda: blocked(site.db))
            [first] = await blocked(site.db)
            await killed(child)
            died = time.monotonic()
            async with site.projecting() as seen:

                async def another() -> bool:
                    return any(pid != first for pid in await blocked(site.db))

                await until(another)
                taken_over = time.monotonic() - died
                assert (await site.checkpoint()).position == 501
                await holder.execute("rollback")
                await site.until(end)
                assert seen.positions == list(range(502, end + 1))
        holder.terminate()
    assert taken_over < 2.5
    assert await site.rows() == await site.expected()


async def test_one_that_stands_still_is_replaced_and_comes_back_to_nothing(
    site: Site, nats: NatsServer
) -> None:
    await site.store(*site.shop.account(50))
    async with projector_process(site, nats.url, silent=1.5) as child:
        await site.until(51)
        async with site.projecting() as seen:
            child.send_signal(signal.SIGSTOP)
            end = await site.store(*site.shop.account(50))
            await site.until(end)
            assert seen.positions == list(range(52, end + 1))
            child.send_signal(signal.SIGCONT)
            await site.until(await site.store(*site.shop.account(50)))
            assert child.returncode is None
    assert await site.rows() == await site.expected()


async def test_projectors_killed_again_and_again_apply_each_event_once(site: Site, nats: NatsServer) -> None:
    end = await site.store(*(event for n in range(8) for event in site.shop.account(700)))
    for stop in (1, end // 3, 2 * end // 3):
        async with projector_process(site, nats.url) as child:
            await site.until(stop)
            await killed(child)
    async with projector_process(site, nats.url):
        await site.until(end)
    assert await site.rows() == await site.expected()


async def test_a_projector_outlives_postgres(nats: NatsServer, own_postgres: PostgresServer) -> None:
    async with site_on(nats, own_postgres.dsn) as site:
        await site.migrate()
        async with site.projecting() as seen:
            await site.until(await site.store(*site.shop.account(50)))
            own_postgres.kill()
            end = await site.store(*site.shop.account(3000))
            await own_postgres.start()
            site.db = await asyncpg.connect(own_postgres.dsn)
            await site.until(end)
            assert seen.halted == []
        assert await site.rows() == await site.expected()
        site.db.terminate()


async def test_a_projector_outlives_the_log_being_away(fresh_nats: NatsServer, database: str) -> None:
    async with site_on(fresh_nats, database) as site:
        await site.migrate()
        async with site.projecting() as seen:
            await site.until(await site.store(*site.shop.account(50)))
            fresh_nats.kill()
            await asyncio.sleep(0.3)
            await fresh_nats.start()
            await until(lambda: connected(site))
            end = await site.store(*site.shop.account(2500))
            await site.until(end)
            assert seen.halted == []
            assert seen.positions == list(range(1, end + 1))
        assert await site.rows() == await site.expected()


async def connected(site: Site) -> bool:
    return site.nc.is_connected


async def test_a_projector_waits_for_a_log_that_is_not_there_at_first(
    fresh_nats: NatsServer, database: str
) -> None:
    async with site_on(fresh_nats, database) as site:
        await site.migrate()
        fresh_nats.kill()
        async with site.projecting() as seen:
            await fresh_nats.start()
            await until(lambda: connected(site))
            await site.until(await site.store(*site.shop.account(5)))
            assert seen.halted == []
