"""The projector: every event once, in order, in the same transaction as its position; halted rather than wrong."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from events.envelope import Recorded
from events.ids import new_id
from infra import jetstream
from infra.embedded.nats import NatsServer
from projections import batch, schema
from projections.batch import BLOBS
from tests.kernel.wiring import until
from tests.projections.shop import junk
from tests.projections.site import Site, no_blobs, site_on


async def test_a_projector_catches_up_and_goes_on(site: Site) -> None:
    await site.store(*site.shop.account(300), *site.shop.account(2500))
    async with site.projecting() as seen:
        account = site.shop.account(3)
        end = await site.store(*account)
        await site.until(end)
        end = await site.store(site.shop.Deleted(account_id=account[0].key.id))
        await site.until(end)
        assert seen.positions == list(range(1, end + 1))
    assert await site.rows() == await site.expected()
    assert (await site.checkpoint()).halted_position is None


async def test_a_second_projector_waits_and_takes_over_when_the_first_stops(site: Site) -> None:
    async with site.projecting() as second:
        async with site.projecting() as first:
            owner = first
            end = await site.store(*site.shop.account(20))
            await site.until(end)
            owner, waiting = (first, second) if first.positions else (second, first)
            assert waiting.positions == []
        end = await site.store(*site.shop.account(20))
        await site.until(end)
        assert second.positions[-1] == end
        assert sorted([*first.positions, *second.positions]) == list(range(1, end + 1))
    assert owner.positions[0] == 1
    assert await site.rows() == await site.expected()


async def test_reservations_leave_no_rows_and_hold_up_nothing(site: Site) -> None:
    await site.reserve()
    await site.store(*site.shop.account(2))
    end = await site.reserve()
    async with site.projecting() as seen:
        await site.until(end)
        assert seen.positions == [2, 3, 4]
        end = await site.reserve()
        await site.until(end)
        end = await site.store(*site.shop.account(0))
        await site.until(end)
    assert await site.rows() == await site.expected()


async def test_an_event_that_cannot_be_applied_halts_behind_all_that_came_before(site: Site) -> None:
    await site.store(*site.shop.account(400))
    bad = await site.store(site.shop.Paid(account_id=new_id(), n=1, amount=666))
    await site.store(*site.shop.account(400))
    end = await site.reserve()
    broken = site.shop.changed(refuses=666)
    async with site.projecting(broken) as seen, site.projecting(broken) as standby:
        checkpoint = await site.until_halted()
        assert (checkpoint.position, checkpoint.halted_position) == (bad - 1, bad)
        assert checkpoint.halted_error == "KeyError: 'nobody pays 666'"
        assert sorted([*seen.positions, *standby.positions]) == list(range(1, bad))
    async with site.projecting(broken) as later:
        await asyncio.sleep(0.3)
    told = [why.position for each in (seen, standby, later) for why in each.halted]
    assert told == [bad], "the alert stands already"
    async with site.projecting() as mended:
        await site.until(end)
        assert mended.positions == list(range(bad, end))
    assert mended.resumed == 1
    assert (await site.checkpoint()).halted_position is None
    assert await site.rows() == await site.expected()


async def test_an_event_that_cannot_be_read_halts_until_it_is_mended(site: Site, nats: NatsServer) -> None:
    await site.store(*site.shop.account(5))
    bad = await junk(site.nc, site.shop)
    end = await site.store(*site.shop.account(5))
    async with site.projecting() as seen:
        checkpoint = await site.until_halted()
        assert (checkpoint.position, checkpoint.halted_position) == (bad - 1, bad)
        assert seen.resumed == 1
        eraser = await jetstream.connect(nats.eraser_url, name="tests")
        await jetstream.api(eraser, f"STREAM.MSG.DELETE.{site.shop.stream}", {"seq": bad})
        await eraser.close()
        await site.until(end)

        async def told() -> bool:
            return seen.resumed == 2

        await until(told)
    assert [why.position for why in seen.halted] == [bad]
    assert await site.rows() == await site.expected()


async def test_the_position_of_a_halt_is_exact_though_all_before_it_was_erased(
    site: Site, nats: NatsServer
) -> None:
    await site.store(*site.shop.account(4))
    bad = await junk(site.nc, site.shop)
    eraser = await jetstream.connect(nats.eraser_url, name="tests")
    for position in range(2, bad):
        await jetstream.api(eraser, f"STREAM.MSG.DELETE.{site.shop.stream}", {"seq": position})
    await eraser.close()
    async with site.projecting():
        assert (await site.until_halted()).halted_position == bad
        assert (await site.checkpoint()).position == bad - 1


async def test_who_died_before_recording_the_halt_says_it_again(site: Site) -> None:
    bad = await junk(site.nc, site.shop)
    async with site.projecting() as seen:
        await site.until_halted()
    await site.db.execute("update headwater.checkpoints set halted_position = null")
    async with site.projecting() as again:
        await site.until_halted()
    assert [why.position for each in (seen, again) for why in each.halted] == [bad, bad]


async def test_rows_come_from_blobs_and_an_erased_blob_gives_none(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "EXPECTED", 0)
    notes = {f"{n}": f"note {n}" for n in range(2 * BLOBS + 5)}
    at_once, most = 0, 0

    async def fetch(key: str) -> bytes | None:
        nonlocal at_once, most
        at_once += 1
        most = max(most, at_once)
        await asyncio.sleep(0)
        at_once -= 1
        return None if key == "3" else notes[key].encode()

    account = new_id()
    events = [site.shop.Noted(account_id=account, blob=key) for key in notes]
    end = await site.store(*events[:5], *site.shop.account(3), *events[5:])
    async with site.projecting(fetch=fetch) as seen:
        await site.until(end)
        assert seen.positions == list(range(1, end + 1))
    del notes["3"]
    assert await site.rows() == await site.expected(notes=notes)
    assert 1 < most <= 8


async def test_a_blob_that_is_gone_for_a_moment_is_waited_for(site: Site) -> None:
    """Erased for somebody who had the same content, and stored again by whoever appended the event."""
    asked = 0

    async def fetch(_: str) -> bytes | None:
        nonlocal asked
        asked += 1
        return b"note" if asked > 2 else None

    end = await site.store(site.shop.Noted(account_id=new_id(), blob="a"))
    async with site.projecting(fetch=fetch):
        await site.until(end)
    assert await site.rows() == await site.expected(notes={"a": "note"})


@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_an_event_is_young_for_a_minute_whatever_was_done_to_the_clock(seconds: int) -> None:
    at = datetime.now(UTC) + timedelta(seconds=seconds)
    recorded: Recorded[Any] = Recorded(None, {"ce-time": at.isoformat()}, "SHOP", 1)
    assert not batch._is_young(recorded)
    now: Recorded[Any] = Recorded(None, {"ce-time": datetime.now(UTC).isoformat()}, "SHOP", 1)
    assert batch._is_young(now)


async def test_a_corrupt_blob_halts_and_a_store_that_is_away_is_waited_for(site: Site) -> None:
    fails: Exception | None = ConnectionError("the store is away")
    asked = asyncio.Event()

    async def fetch(key: str) -> bytes | None:
        asked.set()
        if fails:
            raise fails
        return b"a note"

    await site.store(*site.shop.account(1))
    end = await site.store(site.shop.Noted(account_id=new_id(), blob="a"))
    async with site.projecting(fetch=fetch) as seen:
        await asyncio.wait_for(asked.wait(), 60)
        asked.clear()
        await asyncio.wait_for(asked.wait(), 60)
        assert seen.halted == []
        fails = ValueError("it is not what its key promises")
        assert (await site.until_halted()).halted_position == end
        assert (await site.checkpoint()).position == end - 1
        fails = None
        await site.until(end)
    assert await site.rows() == await site.expected(notes={"a": "a note"})


async def test_a_checkpoint_ahead_of_the_log_is_refused(site: Site) -> None:
    end = await site.store(*site.shop.account(3))
    await site.db.execute("update headwater.checkpoints set position = 1000")
    async with site.projecting() as seen:
        checkpoint = await site.until_halted()
    assert f"ends at {end}: it has lost events, or is another log" in (checkpoint.halted_error or "")
    assert [why.position for why in seen.halted] == [1000]
    assert seen.positions == []


async def test_a_projector_waits_for_the_database_to_be_migrated(nats: NatsServer, database: str) -> None:
    async with site_on(nats, database) as site, site.projecting() as seen:
        end = await site.store(*site.shop.account(3))
        await asyncio.sleep(0.2)
        await site.migrate()
        await site.until(end)
        assert seen.positions[-1] == end


async def test_a_model_that_somebody_dropped_is_made_anew_and_filled_from_the_log(site: Site) -> None:
    end = await site.store(*site.shop.account(3))
    async with site.projecting():
        await site.until(end)
        before = await site.rows()
        for drop in (f"drop schema {site.shop.context} cascade", f"drop table {_table(site)}"):
            await site.db.execute(drop)
            assert await site.migrate() == []
            assert (await site.checkpoint()).position in {0, end}
            await site.until(end)
            assert await site.rows() == before


def _table(site: Site) -> str:
    return f"{site.shop.context}.{site.shop.projection.tables[0].name}"


async def test_a_projector_of_another_shape_touches_nothing(site: Site) -> None:
    other = site.shop.changed(version=2)
    async with site.projecting(other) as seen:
        await site.store(*site.shop.account(3))
        await asyncio.sleep(0.2)
        assert await schema.migrate(site.db, [other.projection]) == [site.shop.context]
        assert seen.positions == []
    assert (await site.checkpoint()).position == 0


async def test_a_projector_whose_model_got_another_shape_meanwhile_stops_writing(site: Site) -> None:
    async with site.projecting() as seen:
        await site.until(await site.store(*site.shop.account(3)))
        await site.db.execute("update headwater.checkpoints set fingerprint = 'newer'")
        await site.store(*site.shop.account(3))
        await asyncio.sleep(0.3)
        assert seen.positions == [1, 2, 3, 4]
    assert (await site.checkpoint()).position == 4


async def test_text_that_postgres_cannot_hold_does_not_halt(site: Site) -> None:
    account = new_id()
    await site.store(site.shop.Opened(account_id=account, owner="a\0da"))
    end = await site.store(site.shop.Paid(account_id=account, n=1, amount=2))
    async with site.projecting():
        await site.until(end)
    assert (await site.rows())["accounts"][(account,)]["owner"] == "a\ufffdda"


async def test_a_schema_name_is_a_plain_word(site: Site) -> None:
    for name in ("Shop", "1shop", "shop;drop", "s" * 60, ""):
        with pytest.raises(ValueError, match="no name for a schema"):
            await schema.drop(site.db, name)
    assert await no_blobs("x") is None
