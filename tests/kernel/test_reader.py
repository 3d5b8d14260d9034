"""Reading a stream in order, whatever happens to the server, the consumer or the connection meanwhile."""

import asyncio
import time
from contextlib import asynccontextmanager
from uuid import UUID

import pytest
from nats.aio.client import Client

from events.catalogue import Catalogue, Undecodable, Upcast
from events.envelope import Event
from events.ids import new_id
from infra import jetstream, pull, streams
from infra.log import Log
from infra.reader import Reader
from tests.kernel.ledger import Ledger, intent, new_ledger
from tests.kernel.wiring import Proxy, connections, until
from tests.kernel.writing import write


async def read(reader: Reader, count: int) -> list[int]:
    """The positions of the next events, which must come within some seconds."""
    positions: list[int] = []
    async with asyncio.timeout(60):
        while len(positions) < count:
            positions += [each.position for each in await reader.take(count - len(positions))]
    return positions


async def nothing_more(reader: Reader) -> bool:
    return await reader.take(100, wait=0.1) == []


async def publish(nc: Client, subject: str, payload: bytes = b"{}", **headers: str) -> None:
    await jetstream.publish(nc, jetstream.Message(subject, payload, headers))


async def consumers(nc: Client, ledger: Ledger) -> list[str]:
    return (await jetstream.api(nc, f"CONSUMER.NAMES.{ledger.stream}"))["consumers"] or []


@asynccontextmanager
async def a_log_on(server):
    """A log on this server alone."""
    async with connections(server.url) as connect:
        nc, ledger = await connect(), new_ledger()
        await streams.prepare(nc, [streams.context_stream(ledger.context, 1)])
        yield Log(nc, ledger.catalogue), ledger


async def test_a_reader_goes_on_from_its_position_for_ever(log, ledger):
    account = new_id()
    past = await write(log, ledger, account, 3, 1)
    async with log.reader(ledger.stream, after=1) as reader:
        assert await read(reader, 3) == [2, 3, 4]
        assert (reader.position, reader.behind) == (4, 0)
        assert await nothing_more(reader)
        coming = asyncio.create_task(read(reader, 3))
        await write(log, ledger, account, 1, 2, past=past)
        assert await coming == [5, 6, 7]


async def test_a_reader_may_ask_for_some_aggregates_only(log, ledger):
    accounts = [new_id() for _ in range(3)]
    for account in accounts:
        await write(log, ledger, account, 2)
    filters = [ledger.key(account).filter for account in accounts[1:]]
    async with log.reader(ledger.stream, after=0, filters=filters) as reader:
        assert await read(reader, 4) == [3, 4, 5, 6]


async def test_more_than_a_window_full_is_read_at_any_pace(log, ledger):
    await write(log, ledger, new_id(), *[50] * 10)
    for window, most in ((1, 1), (7, 3), (100, 1000)):
        async with log.reader(ledger.stream, after=0, window=window) as reader:
            positions = []
            while await reader.before(500):
                positions += [each.position for each in await reader.take(most)]
            assert positions == list(range(1, 501))


async def test_a_reader_leaves_no_consumer_behind(log, ledger, nc):
    async with log.reader(ledger.stream, after=0) as reader:
        await reader.open()
        assert len(await consumers(nc, ledger)) == 1

    async def gone() -> bool:
        return not await consumers(nc, ledger)

    await until(gone)


async def test_a_reader_whose_consumer_is_deleted_makes_another(log, ledger, nc):
    account = new_id()
    past = await write(log, ledger, account, 2)
    async with log.reader(ledger.stream, after=0) as reader:
        assert await read(reader, 2) == [1, 2]
        for between in (True, False):
            if between:
                coming = asyncio.create_task(read(reader, 1))
            [consumer] = await consumers(nc, ledger)
            await jetstream.api(nc, f"CONSUMER.DELETE.{ledger.stream}.{consumer}")
            await write(log, ledger, account, 1, past=past)
            assert await (coming if between else read(reader, 1)) == past[-1:]
        assert await nothing_more(reader)


async def test_reservations_are_passed_over(log, ledger):
    account = new_id()
    await log.append([ledger.Named(account_id=account, to="Ada")], intent(), past=[])
    async with log.reader(ledger.stream, after=0) as reader:
        assert await read(reader, 1) == [2]
    assert [each.position async for each in log.scan(ledger.stream)] == [2]


async def test_a_stream_that_ends_in_reservations_is_read_to_its_end(log, ledger, nc):
    await write(log, ledger, new_id(), 1)
    for name in ("Ada", "Bob"):
        await publish(nc, f"{ledger.context}.unique.name.{name}")
    assert [each.position async for each in log.scan(ledger.stream)] == [1]
    async with log.reader(ledger.stream, after=1) as reader:
        assert await reader.take(10, wait=5) == []
        assert reader.position == 3


@pytest.mark.parametrize("before", [0, 2])
async def test_a_reader_halts_at_what_it_cannot_read(log, ledger, nc, before):
    account = new_id()
    past = await write(log, ledger, account, *[1] * before)
    await publish(nc, f"{ledger.context}.account.{account}.paid", b"what is this?")
    await publish(nc, f"{ledger.context}.account.{new_id()}.paid")
    async with log.reader(ledger.stream, after=0) as reader:
        if before:
            assert await read(reader, before) == past
        for _ in range(3):
            with pytest.raises(Undecodable):
                await reader.take(100)
            assert reader.position == before


async def test_a_reader_halts_at_an_event_that_cannot_be_lifted(log, ledger, nc):
    class PaidV2(Event, frozen=True, kw_only=True):
        context, aggregate, name = ledger.context, "account", "paid"
        account_id: UUID

    def lift(old: Event) -> Event:
        if old.amount == 1:
            raise KeyError("no such currency")
        return PaidV2(account_id=old.account_id)

    await write(log, ledger, new_id(), 3)
    catalogue = Catalogue([ledger.Paid, PaidV2], [Upcast(ledger.Paid, PaidV2, lift)])
    async with Log(nc, catalogue).reader(ledger.stream, after=0) as reader:
        assert await read(reader, 1) == [1]
        for _ in range(2):
            with pytest.raises(Undecodable, match="no such currency"):
                await reader.take(100)
        assert reader.position == 1


async def test_a_message_that_got_lost_is_asked_for_again(log, ledger, monkeypatch):
    past = await write(log, ledger, new_id(), 30)
    receive, lost = pull.Pull._receive, []

    def lose_some(self, *message) -> None:
        _, reply, *_ = message
        if reply and (position := pull.Delivery.of(*message).position) in {1, 7, 8, 29} - set(lost):
            lost.append(position)
        else:
            receive(self, *message)

    monkeypatch.setattr(pull.Pull, "_receive", lose_some)
    async with log.reader(ledger.stream, after=0) as reader:
        assert await read(reader, 30) == past
    assert sorted(lost) == [1, 7, 8, 29]


async def test_a_late_heartbeat_neither_repeats_nor_loses_anything(nats, monkeypatch):
    monkeypatch.setattr(pull, "HEARTBEAT", 0.1)
    async with a_log_on(nats) as (log, ledger):
        account = new_id()
        past = await write(log, ledger, account, 5)
        async with log.reader(ledger.stream, after=0, window=4) as reader:
            assert await read(reader, 2) == [1, 2]
            time.sleep(0.5)  # noqa: ASYNC251 - the whole process stands still, as under heavy load
            await write(log, ledger, account, *[3] * 5, past=past)
            assert await read(reader, 18) == past[2:]
            assert await nothing_more(reader)


async def test_reading_goes_on_when_the_server_was_killed(fresh_nats):
    async with a_log_on(fresh_nats) as (log, ledger):
        account = new_id()
        past = await write(log, ledger, account, *[1] * 30)
        async with log.reader(ledger.stream, after=0, window=20) as reader:
            assert await read(reader, 5) == past[:5]
            coming = asyncio.create_task(read(reader, 45))
            for _ in range(2):
                fresh_nats.kill()
                await fresh_nats.start()
                await write(log, ledger, account, *[1] * 10, past=past)
            assert await coming == past[5:]
            assert await nothing_more(reader)


async def test_waiting_ends_in_time_when_the_server_is_away(fresh_nats):
    async with a_log_on(fresh_nats) as (log, ledger):
        await write(log, ledger, new_id(), 1)
        async with log.reader(ledger.stream, after=0) as reader:
            await read(reader, 1)
            fresh_nats.kill()
            async with asyncio.timeout(20):
                assert await reader.take(1, wait=0.3) == []
        async with log.reader(ledger.stream, after=0) as reader, asyncio.timeout(20):
            assert await reader.take(1, wait=0.3) == []
        await fresh_nats.start()


async def test_what_was_on_its_way_when_the_connection_broke_arrives(nats):
    ledger = new_ledger()
    async with Proxy(nats.url) as proxy, connections(nats.url) as direct, connections(proxy.url) as behind:
        nc = await direct()
        log = Log(nc, ledger.catalogue)
        await streams.prepare(nc, [streams.context_stream(ledger.context, 1)])
        account = new_id()
        past = await write(log, ledger, account, 2)
        async with Log(await behind(), ledger.catalogue).reader(ledger.stream, after=0) as reader:
            assert await read(reader, 2) == past
            proxy.deaf = True
            await write(log, ledger, account, 1, 1, past=past)
            [consumer] = await consumers(nc, ledger)

            async def given_out() -> bool:
                info = await jetstream.api(nc, f"CONSUMER.INFO.{ledger.stream}.{consumer}")
                return info["num_pending"] == 0

            await until(given_out)
            proxy.cut()
            assert await read(reader, 2) == past[2:]
            assert await nothing_more(reader)
