"""Rebuilding from the log: nobody who reads notices, and what differs is told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import pytest

from events.ids import new_id
from infra import jetstream
from infra.embedded.nats import NatsServer
from projections import rebuild as rebuilding
from projections import schema
from projections.batch import Fetch, Halted
from projections.rebuild import BeingRebuilt, Report, rebuild
from tests.kernel.wiring import until
from tests.projections.child import killed, rebuild_process
from tests.projections.shop import Shop, junk
from tests.projections.site import Site, no_blobs


async def rebuilt(
    site: Site, shop: Shop | None = None, *, fetch: Fetch = no_blobs, dry_run: bool = False
) -> Report:
    projection = (shop or site.shop).projection
    return await rebuild(projection, log=site.log, dsn=site.dsn, fetch=fetch, dry_run=dry_run)


async def schemas(site: Site) -> set[str]:
    rows = await site.db.fetch(
        "select nspname::text from pg_namespace where nspname like $1", f"{site.shop.context}%"
    )
    checkpoints = await site.db.fetch("select projection from headwater.checkpoints")
    assert {row[0] for row in checkpoints} == {row[0] for row in rows}
    return {row[0] for row in rows}


@asynccontextmanager
async def busy(work: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Does something over and over again meanwhile; the first error is the test's."""

    async def again() -> None:
        while True:
            await work()
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as group:
        task = group.create_task(again())
        yield
        task.cancel()


async def test_readers_never_see_an_error_or_less_than_everything(site: Site) -> None:
    name, open_accounts = site.shop.context, 0
    sums = (
        f"select (select count(*) from {name}.accounts) accounts, "
        f"(select sum(balance) from {name}.accounts) balance, (select sum(amount) from {name}.lines) amount"
    )
    joined = f"select a.*, l.n from {name}.accounts a join {name}.lines l on l.account_id = a.id order by n limit 7"
    pool = await asyncpg.create_pool(site.dsn, min_size=3, max_size=3)
    held = await asyncpg.connect(site.dsn)
    reads = enough = 0

    async def write() -> None:
        await site.store(*site.shop.account(2))
        await asyncio.sleep(0.002)

    async def read() -> None:
        nonlocal open_accounts, reads
        row = await pool.fetchrow(sums)
        assert row["balance"] == row["amount"]
        assert row["accounts"] >= open_accounts
        open_accounts = row["accounts"]
        assert len(await pool.fetch(joined)) == 7
        async with pool.acquire() as connection, connection.transaction():
            assert len(await connection.fetch(joined)) == 7
            assert await connection.fetchval(f"select count(*) from {name}.accounts") >= open_accounts
        assert len(await prepared.fetch()) == 7
        reads += 1

    async def enough_read() -> bool:
        return reads >= enough

    async with site.projecting() as seen:
        await site.until(await site.store(*site.shop.account(2000)))
        prepared = await held.prepare(joined)
        async with busy(write), busy(read):
            for _ in range(4):
                enough = reads + 3
                report = await rebuilt(site)
                assert report.swapped
                assert report.differing == ()
                assert all(each.same for each in report.tables)
                await until(enough_read)
        end = await site.store(*site.shop.account(1))
        await site.until(end)
        assert seen.positions == list(range(1, end + 1))
        assert seen.halted == []
    held.terminate()
    pool.terminate()
    assert await site.rows() == await site.expected()
    assert await schemas(site) == {name}


async def test_a_dry_run_tells_what_differs_and_changes_nothing(site: Site) -> None:
    async with site.projecting():
        await site.until(await site.store(*site.shop.account(30)))
        assert (await rebuilt(site, dry_run=True)).differing == ()
        await site.db.execute(f"update {site.shop.context}.lines set amount = 99 where n = 7")
        tampered = await site.rows()
        report = await rebuilt(site, dry_run=True)
        [difference] = report.differing
        assert (difference.table, report.swapped) == ("lines", False)
        assert difference.before
        assert (difference.before[0], difference.after[0]) == (30, 30)
        assert await site.rows() == tampered
        assert await schemas(site) == {site.shop.context}
        assert (await rebuilt(site)).differing == (difference,)
        assert await site.rows() == await site.expected()


async def test_a_new_shape_takes_over_and_the_old_projector_lets_go(site: Site) -> None:
    newer = site.shop.changed(version=2)
    async with site.projecting() as old, site.projecting(newer) as new:
        await site.until(await site.store(*site.shop.account(20)))
        assert await schema.migrate(site.db, [newer.projection]) == [site.shop.context]
        await rebuilt(site, newer)
        end = await site.store(*site.shop.account(20))
        await site.until(end)
        assert old.positions == list(range(1, 22))
        assert new.positions == list(range(22, end + 1))
    assert await schema.migrate(site.db, [newer.projection]) == []
    assert await site.rows() == await site.expected()


async def test_a_table_that_is_new_or_has_other_columns_is_not_compared(site: Site) -> None:
    async with site.projecting():
        await site.until(await site.store(*site.shop.account(3)))
    await site.db.execute(f"alter table {site.shop.context}.accounts add column extra int")
    await site.db.execute(f"drop table {site.shop.context}.notes")
    report = await rebuilt(site)
    assert {each.table: each.before is None for each in report.tables} == {
        "accounts": True,
        "lines": False,
        "notes": True,
        "named_blobs": False,
        "tombstones": False,
    }
    assert report.differing == ()
    assert await site.rows() == await site.expected()


async def test_a_halted_model_is_rebuilt_with_mended_code_and_goes_on(site: Site) -> None:
    broken = site.shop.changed(refuses=7)
    mended = site.shop.changed(version=2)
    end = await site.store(*site.shop.account(20))
    async with site.projecting(broken) as seen:
        assert (await site.until_halted()).halted_position == 8
        with pytest.raises(Halted, match="nobody pays 5") as halted:
            await rebuilt(site, broken.changed(refuses=5))
        assert halted.value.position == 6
        assert await rebuilt(site, mended)
        async with site.projecting(mended) as new:
            await site.until(end)
            assert new.resumed == 1
    assert [why.position for why in seen.halted] == [8]
    assert (await site.checkpoint()).halted_position is None
    assert await site.rows() == await site.expected()


async def test_a_rebuild_halts_at_what_cannot_be_read_and_leaves_the_model_serving(site: Site) -> None:
    async with site.projecting():
        await site.until(await site.store(*site.shop.account(5)))
    bad = await junk(site.nc, site.shop)
    await site.db.execute("update headwater.checkpoints set position = $1", bad)
    with pytest.raises(Halted) as halted:
        await rebuilt(site)
    assert halted.value.position == bad
    assert await site.rows() == await site.expected(until=bad - 1)


async def test_a_rebuild_that_was_killed_can_be_repeated(site: Site, nats: NatsServer) -> None:
    async with site.projecting():
        end = await site.store(*site.shop.account(7000))
        await site.until(end)
        before = await site.rows()
        async with rebuild_process(site, nats.url) as child:

            async def under_way() -> bool:
                position = await site.db.fetchval(
                    "select position from headwater.checkpoints where projection like '%__next'"
                )
                return bool(position)

            await until(under_way)
            await killed(child)
        await site.db.execute(f"create schema {site.shop.context}__old")
        assert await site.rows() == before

        async def let_in() -> bool:
            try:
                return (await rebuilt(site)).swapped
            except RuntimeError:  # Postgres has not noticed yet that it died
                return False

        await until(let_in)
    assert await schemas(site) == {site.shop.context}
    assert await site.rows() == before


async def test_two_rebuilds_at_once_are_refused(site: Site) -> None:
    await site.store(*site.shop.account(5))
    async with site.projecting():
        await site.until(6)

    begun, go_on = asyncio.Event(), asyncio.Event()

    async def fetch(_: str) -> bytes | None:
        begun.set()
        await go_on.wait()
        return b"note"

    await site.store(site.shop.Noted(account_id=new_id(), blob="a"))
    await site.db.execute("update headwater.checkpoints set position = 7")
    first = asyncio.create_task(rebuilt(site, fetch=fetch))
    await asyncio.wait_for(begun.wait(), 60)
    with pytest.raises(BeingRebuilt, match="is being rebuilt by another process"):
        await rebuilt(site)
    go_on.set()
    assert (await first).swapped
    assert await site.rows() == await site.expected(notes={"a": "note"})


async def test_what_was_erased_makes_no_difference(site: Site, nats: NatsServer) -> None:
    gone = site.shop.account(3)
    id_ = gone[0].key.id
    await site.store(*site.shop.account(3), *gone, *site.shop.account(3))
    await site.store(site.shop.Deleted(account_id=id_))
    end = await site.store(site.shop.Opened(account_id=new_id(), owner="erased before a tombstone"))
    eraser = await jetstream.connect(nats.eraser_url, name="tests")
    async with site.projecting():
        await site.until(end)
    before = await site.rows()
    for position in (5, 6, 7, 8):
        await jetstream.api(eraser, f"STREAM.MSG.DELETE.{site.shop.stream}", {"seq": position})
    assert (await rebuilt(site)).differing == ()
    assert await site.rows() == before
    await jetstream.api(eraser, f"STREAM.MSG.DELETE.{site.shop.stream}", {"seq": end})
    report = await rebuilt(site)
    assert report.position == end
    assert [each.table for each in report.differing] == ["accounts"]
    async with site.projecting():
        await site.until(await site.store(*site.shop.account(1)))
    await eraser.close()
    assert await site.rows() == await site.expected()


async def test_a_rebuild_stands_where_the_serving_model_stands_and_tells_how_far_it_is(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "BATCH", 10)
    monkeypatch.setattr(rebuilding, "NEARLY", 3)
    async with site.projecting():
        await site.until(await site.store(*site.shop.account(50)))
    end = await site.store(*site.shop.account(10))
    told: list[tuple[int, int]] = []
    report = await rebuild(
        site.shop.projection,
        log=site.log,
        dsn=site.dsn,
        fetch=no_blobs,
        progress=lambda *so_far: told.append(so_far),
    )
    assert (report.position, report.events) == (51, 51)
    assert told[0][0] <= 10  # a batch, or less: as much of one as was there
    assert told == sorted(set(told))
    assert {of for _, of in told} == {51}
    assert told[-1] == (51, 51)
    assert (await site.checkpoint()).position == 51
    async with site.projecting():
        await site.until(end)
    assert await site.rows() == await site.expected()


async def test_the_serving_model_keeps_up_while_the_two_are_compared(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    checksum = rebuilding.checksum

    async def slow(connection: asyncpg.Connection, table: str) -> tuple[int, int]:
        await site.until(await site.store(*site.shop.account(2)), within=5)
        return await checksum(connection, table)

    monkeypatch.setattr(rebuilding, "checksum", slow)
    async with site.projecting():
        await site.until(await site.store(*site.shop.account(30)))
        assert (await rebuilt(site)).differing == ()
    assert await site.rows() == await site.expected()


async def test_there_must_be_a_model_to_rebuild(site: Site) -> None:
    await schema.drop(site.db, site.shop.context)
    with pytest.raises(LookupError, match="run headwater migrate"):
        await rebuilt(site)
