"""The event store on real JetStream: one server, and three with three replicas."""

import asyncio

import pytest

from events.catalogue import Undecodable
from events.ids import new_id
from infra import jetstream
from infra.jetstream import ApiError, LogUnavailable
from infra.log import PAST, Conflict, Log, LogDamaged
from infra.stored import direct_get, leader_get
from tests.kernel.ledger import intent, new_ledger
from tests.kernel.writing import amounts, erase, store, write


async def test_one_event_is_a_plain_publish(log, ledger):
    account, why = new_id(), intent(fingerprint="f")
    [recorded] = await log.append(ledger.paid(account, 7, note="grüße"), why, past=[])
    assert (recorded.stream, recorded.position, recorded.cursor) == (ledger.stream, 1, f"{ledger.stream}@1")
    [loaded] = await log.load(ledger.key(account))
    assert (loaded.event, loaded.position) == (ledger.Paid(account_id=account, amount=7, note="grüße"), 1)
    assert (loaded.id, loaded.command_id, loaded.actor) == (recorded.id, why.command_id, "user:zoë")
    assert not [name for name in loaded.headers if name.startswith("Nats-Batch")]


async def test_several_events_are_one_batch_without_a_gap(log, ledger):
    account = new_id()
    recorded = await log.append(ledger.paid(account, 1, 2, 3), intent(), past=[])
    assert [each.position for each in recorded] == [1, 2, 3]
    loaded = await log.load(ledger.key(account))
    assert amounts(loaded) == [1, 2, 3]
    assert len({each.headers["Nats-Batch-Id"] for each in loaded}) == 1
    assert [each.headers["ce-previous"] for each in loaded] == ["0", "-1", "-1,-2"]


@pytest.mark.parametrize("size", [1, 3])
async def test_an_append_on_a_wrong_past_leaves_nothing_behind(log, ledger, size):
    account = new_id()
    await write(log, ledger, account, 1, 1)
    for past in ([], [1], [1, 2, 3]):
        with pytest.raises(Conflict):
            await log.append(ledger.paid(account, *range(size)), intent(), past=past)
    assert amounts(await log.load(ledger.key(account))) == [0, 1]
    assert await log.last_position(ledger.stream) == 2
    await write(log, ledger, account, size, past=[1, 2])


async def test_the_events_of_one_append_are_of_one_aggregate(log, ledger):
    with pytest.raises(ValueError, match="several aggregates"):
        await log.append([*ledger.paid(new_id(), 1), *ledger.paid(new_id(), 2)], intent(), past=[])
    assert await log.last_position(ledger.stream) == 0


async def test_a_past_that_does_not_exist_is_a_conflict(log, ledger):
    with pytest.raises(Conflict):
        await log.append(ledger.paid(new_id(), 1), intent(), past=[5])
    assert await log.last_position(ledger.stream) == 0


async def test_of_writers_at_once_one_wins_each_position(ledger, connect):
    account, writers, wins = new_id(), 6, []

    async def compete(number: int) -> None:
        log = Log(await connect(), ledger.catalogue)
        for _ in range(5):
            past = [each.position for each in await log.load(ledger.key(account))]
            try:
                events = ledger.paid(account, *[number] * (1 + number % 2))
                wins.append((number, past, await log.append(events, intent(), past=past)))
            except Conflict:
                continue

    await asyncio.gather(*(compete(number) for number in range(writers)))
    history = await Log(await connect(), ledger.catalogue).load(ledger.key(account))
    wins.sort(key=lambda win: win[2][0].position)
    assert amounts(history) == [number for number, _, recorded in wins for _ in recorded]
    positions = [each.position for each in history]
    assert positions == sorted(set(positions))
    for _, past, recorded in wins:
        assert past == positions[: positions.index(recorded[0].position)]


@pytest.mark.parametrize(
    "batches",
    [[], [1], [1] * PAST, [1] * (PAST + 1), [3, 1, PAST, 1, 40, 2, 100, 1], [200]],
    ids=lambda batches: f"{sum(batches)} events in {len(batches)} appends",
)
async def test_a_history_of_any_length_is_loaded_whole(log, ledger, batches):
    account, other = new_id(), new_id()
    past, others = [], []
    for size in batches:
        await write(log, ledger, account, size, past=past)
        await write(log, ledger, other, 1, past=others)
    history = await log.load(ledger.key(account))
    assert amounts(history) == list(range(sum(batches)))
    assert [each.position for each in history] == past


async def test_events_of_another_tool_are_found_wherever_they_are(log, ledger, nc):
    before, between, alone = new_id(), new_id(), new_id()
    for count in range(3):
        await store(nc, ledger, before, count)
        await store(nc, ledger, alone, count)
    await write(log, ledger, before, 2, past=[each.position for each in await log.load(ledger.key(before))])
    past = await write(log, ledger, between, 1, 2)
    past.append(await store(nc, ledger, between, 3))
    assert amounts(await log.load(ledger.key(between))) == [0, 1, 2, 3]
    for _ in range(PAST):
        await write(log, ledger, between, 1, past=past)
    assert amounts(await log.load(ledger.key(before))) == [0, 1, 2, 3, 4]
    assert amounts(await log.load(ledger.key(alone))) == [0, 1, 2]
    assert amounts(await log.load(ledger.key(between))) == list(range(4 + PAST))


@pytest.mark.parametrize("lost", [0, 1, 40])
async def test_a_missing_event_is_noticed_unless_a_tombstone_explains_it(log, ledger, eraser, lost):
    account = new_id()
    past = await write(log, ledger, account, *[1] * 42)
    await erase(eraser, ledger, past[lost])
    with pytest.raises(LogDamaged):
        await log.load(ledger.key(account))
    await log.append([ledger.Deleted(account_id=account)], intent(), past=past)
    assert (await log.load(ledger.key(account)))[-1].event == ledger.Deleted(account_id=account)


@pytest.mark.parametrize("news", [0, 1, PAST - 1, PAST, PAST + 1, 100])
async def test_what_is_new_in_a_history_is_loaded_alone(log, ledger, news):
    account = new_id()
    past = await write(log, ledger, account, 2, 1)
    await write(log, ledger, account, *[1] * (news // 2), *[news - news // 2] * bool(news), past=past)
    assert amounts(await log.newer(ledger.key(account), past[2])) == list(range(3, 3 + news))


async def test_what_does_not_follow_from_the_known_past_is_not_taken_for_news(log, ledger, nc):
    account, other = new_id(), new_id()
    assert await log.newer(ledger.key(account), 7) is None
    past = await write(log, ledger, account, 1)
    await write(log, ledger, other, 1, 1)
    await write(log, ledger, account, 1, 1, past=past)
    for foreign in (2, 3, past[-1] + 10):
        assert await log.newer(ledger.key(account), foreign) is None
    await store(nc, ledger, account, 3)
    assert await log.newer(ledger.key(account), past[-1]) is None


async def test_a_replica_that_is_behind_is_not_believed(log, ledger, monkeypatch):
    account = new_id()
    await write(log, ledger, account, 1, 2, 1)

    async def behind(nc, stream, *queries):
        return [None, *(await direct_get(nc, stream, *queries))[1:]]

    monkeypatch.setattr("infra.log.direct_get", behind)
    assert amounts(await log.load(ledger.key(account))) == [0, 1, 2, 3]
    async with log.reader(ledger.stream, after=2) as reader:
        await reader.open()
        reader.behind = 0
        assert await reader.before(4)
        assert not await reader.before(2)


async def test_one_position_can_be_read(log, ledger, eraser):
    account = new_id()
    await write(log, ledger, account, 1, 1)
    assert (await log.at(ledger.stream, 2)).event.amount == 1
    await erase(eraser, ledger, 2)
    assert await log.at(ledger.stream, 2) is None
    assert await log.at(ledger.stream, 99) is None


async def test_a_scan_gives_everything_in_order_between_two_positions(log, ledger):
    accounts = [new_id(), new_id()]
    pasts = [[], []]
    for n in range(20):
        await write(log, ledger, accounts[n % 2], 1 + n % 3, past=pasts[n % 2])
    last = await log.last_position(ledger.stream)

    async def positions(*filters, **bounds):
        return [each.position async for each in log.scan(ledger.stream, *filters, **bounds)]

    assert await positions() == list(range(1, last + 1))
    assert await positions(after=last) == []
    assert await positions(after=7, until=12) == [8, 9, 10, 11, 12]
    assert await positions(until=last + 10) == list(range(1, last + 1))
    assert await positions(ledger.key(accounts[1]).filter) == pasts[1]
    assert await positions(*(ledger.key(each).filter for each in accounts)) == list(range(1, last + 1))
    assert await positions(ledger.key(new_id()).filter) == []


async def test_a_scan_of_an_empty_stream_ends(log, ledger):
    assert [each async for each in log.scan(ledger.stream)] == []


@pytest.mark.parametrize("previous", ["the one before", "1,,2", "1.5", ""])
async def test_positions_that_are_none_make_an_event_unreadable_for_who_follows_them(
    nc, log, ledger, previous
):
    account = new_id()
    await store(nc, ledger, account, 1, **{"ce-previous": previous})
    with pytest.raises(Undecodable, match=f"{ledger.stream}@1 .* ce-previous"):
        await log.load(ledger.key(account))


async def test_a_scan_goes_past_what_was_erased(log, ledger, eraser):
    past = await write(log, ledger, new_id(), *[1] * 6)
    for position in (past[0], past[3], past[5]):
        await erase(eraser, ledger, position)
    async with asyncio.timeout(60):  # a scan reads of any server, and the leader alone has erased it for sure
        while [each.position async for each in log.scan(ledger.stream)] != [2, 3, 5]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_scan_ends_although_what_was_waiting_is_erased_meanwhile(log, ledger, eraser):
    account = new_id()
    past = await write(log, ledger, account, *[1] * 5)
    await write(log, ledger, new_id(), 1)
    async with asyncio.timeout(60):
        async with log.reader(
            ledger.stream, after=0, filters=[ledger.key(account).filter], window=1
        ) as reader:
            seen = await reader.take(1)
            assert reader.behind == 4
            for position in past[1:]:
                await erase(eraser, ledger, position)
            while await reader.before(6):
                seen += await reader.take(10, wait=0.2)
    assert amounts(seen)[0] == 0


async def test_without_a_stream_there_is_no_log(nc, monkeypatch):
    monkeypatch.setattr(jetstream, "PATIENCE", 0.1)
    ledger = new_ledger()
    with pytest.raises(LogUnavailable):
        await Log(nc, ledger.catalogue).append(ledger.paid(new_id(), 1), intent(), past=[])


async def test_an_event_that_no_server_takes_is_refused_at_once(log, ledger):
    async with asyncio.timeout(jetstream.PATIENCE):
        for size in (1, 2):
            with pytest.raises(ApiError, match="10054"):
                await log.append(ledger.paid(new_id(), *range(size), note="x" * (9 << 20)), intent(), past=[])


async def test_single_messages_are_read_in_the_order_of_the_questions(log, ledger, nc):
    account = new_id()
    await write(log, ledger, account, 3)
    last = {"last_by_subj": ledger.key(account).filter}
    found = await direct_get(nc, ledger.stream, {"seq": 2}, last, {"seq": 9}, {"seq": 1})
    assert [each and each.position for each in found] == [2, 3, None, 1]
    assert await direct_get(nc, ledger.stream) == []
    with pytest.raises(ApiError, match="could not be read"):
        await direct_get(nc, ledger.stream, {"seq": 1}, {})
    with pytest.raises(LogUnavailable, match="has no leader now, or does not exist"):
        await direct_get(nc, "NOWHERE", {"seq": 1})
    with pytest.raises(ApiError, match="stream not found"):
        await leader_get(nc, "NOWHERE", {"seq": 1})
    await nc.close()
    with pytest.raises(LogUnavailable, match="connection to NATS is down"):
        await direct_get(nc, ledger.stream, {"seq": 1})
