"""Erasure: only of what is deleted, only by the eraser, and down to the bytes on the disk."""

import asyncio
import json
import os
from functools import partial
from pathlib import Path

import pytest

from events.ids import new_id
from infra import jetstream, streams
from infra.eraser import NotDeleted, erase
from infra.jetstream import LogUnavailable
from infra.log import Log
from infra.stored import leader_get
from tests import servers
from tests.kernel.ledger import intent, new_ledger
from tests.kernel.wiring import connections, until
from tests.kernel.writing import write


async def delete(log, ledger, account, past) -> int:
    """The position of the tombstone."""
    [tombstone] = await log.append([ledger.Deleted(account_id=account)], intent(), past=past)
    return tombstone.position


async def is_left(log, ledger, *expected: int) -> None:
    """Wait until this is all that is left: on a cluster a reader may meet a replica that has yet to erase."""

    async def so() -> bool:
        return [each.position async for each in log.scan(ledger.stream)] == list(expected)

    await until(so)


async def test_what_is_not_deleted_is_not_erased(log, ledger, eraser):
    account = new_id()
    await write(log, ledger, account, 3)
    for each in (account, new_id()):
        with pytest.raises(NotDeleted):
            await erase(ledger.key(each), log=log, eraser=eraser)
    assert len(await log.load(ledger.key(account))) == 3


@pytest.mark.parametrize(
    "batches", [[1], [1, 3, 1], [1] * 40 + [50]], ids=lambda batches: f"{sum(batches)} events"
)
async def test_only_the_tombstone_is_left(log, ledger, eraser, batches):
    account, other = new_id(), new_id()
    past = await write(log, ledger, account, *batches)
    kept = await write(log, ledger, other, 1, 2)
    tombstone = await delete(log, ledger, account, past)
    assert await erase(ledger.key(account), log=log, eraser=eraser) == len(past)
    await is_left(log, ledger, *kept, tombstone)
    [left] = await log.load(ledger.key(account))
    assert (left.event, left.position) == (ledger.Deleted(account_id=account), tombstone)
    assert await erase(ledger.key(account), log=log, eraser=eraser) == 0


async def test_names_are_erased_too_and_may_be_taken_again(log, ledger, eraser, nc):
    account, other = new_id(), new_id()
    key = ledger.key(account)

    async def append(whose, *events) -> None:
        past = [each.position for each in await log.load(ledger.key(whose))]
        for event in events:
            past += [
                each.position for each in await log.append([event(account_id=whose)], intent(), past=past)
            ]

    def named(was: str | None, to: str | None):
        return partial(ledger.Named, was=was, to=to)

    await append(account, named(None, "Ada"), named("Ada", "b.o.b"))
    await append(other, named(None, "Ada"), named("Ada", None))
    await append(account, named("b.o.b", "Ada"), named("Ada", "Cleo"), partial(ledger.Deleted, was="Cleo"))
    kept = await log.load(ledger.key(other))
    await erase(key, log=log, eraser=eraser)
    tombstone = (await log.load(key))[-1].position
    await is_left(log, ledger, *(each.position for each in kept), tombstone)
    left = [await leader_get(nc, ledger.stream, {"seq": at}) for at in range(1, tombstone + 1)]
    assert [json.loads(each.payload)["holder"] for each in left if each and ".unique." in each.subject] == [
        str(other),
        str(other),
    ]
    assert await erase(key, log=log, eraser=eraser) == 0
    await append(new_id(), named(None, "Ada"), named("Ada", "b.o.b"), named("b.o.b", "Cleo"))


@pytest.mark.parametrize("length", [5, 45, 100])
async def test_an_interrupted_erasure_can_be_repeated(log, ledger, eraser, monkeypatch, length):
    account = new_id()
    past = await write(log, ledger, account, *[1] * length)
    tombstone = await delete(log, ledger, account, past)
    api, done = jetstream.api, 0

    async def break_off(nc, subject, *args, **kwargs):
        nonlocal done
        if "MSG.DELETE" in subject:
            done += 1
            if done > length // 2:
                raise LogUnavailable("interrupted")
        return await api(nc, subject, *args, **kwargs)

    monkeypatch.setattr(jetstream, "api", break_off)
    with pytest.raises(LogUnavailable):
        await erase(ledger.key(account), log=log, eraser=eraser)
    monkeypatch.undo()
    assert (await log.load(ledger.key(account)))[-1].position == tombstone
    await erase(ledger.key(account), log=log, eraser=eraser)
    await is_left(log, ledger, tombstone)


async def test_the_application_itself_may_not_erase(log, ledger, nc, monkeypatch):
    monkeypatch.setitem(jetstream.api.__kwdefaults__, "timeout", 0.5)
    account = new_id()
    past = await write(log, ledger, account, 2)
    await delete(log, ledger, account, past)
    with pytest.raises(LogUnavailable):
        await erase(ledger.key(account), log=log, eraser=nc)
    assert len(await log.load(ledger.key(account))) == 3


async def test_a_reader_and_a_command_meet_an_erased_aggregate_calmly(log, ledger, eraser):
    account = new_id()
    past = await write(log, ledger, account, *[1] * 5)
    async with log.reader(ledger.stream, after=0, window=2) as reader:
        assert [each.position for each in await reader.take(1)] == past[:1]
        tombstone = await delete(log, ledger, account, past)
        await erase(ledger.key(account), log=log, eraser=eraser)
        seen = []
        async with asyncio.timeout(60):
            while reader.position < tombstone:
                seen += [each.position for each in await reader.take(10)]
        assert seen[-1] == tombstone
        assert set(seen) <= {*past[1:], tombstone}


def on_disk(folder: Path, marker: bytes) -> list[str]:
    return [str(file) for file in folder.rglob("*") if file.is_file() and marker in file.read_bytes()]


@pytest.mark.parametrize("compression", ["none", "s2"])
async def test_nothing_of_it_is_left_on_the_disk(compression):
    """Random words, so that compression leaves them as they are; enough of them to fill more than one block."""
    marker = os.urandom(24).hex()
    with servers.temporary_home() as home:
        async with (
            servers.nats_server(home) as server,
            connections(server.url) as connect,
            connections(server.eraser_url) as connect_eraser,
        ):
            nc, ledger, account, other = await connect(), new_ledger(), new_id(), new_id()
            stream = streams.context_stream(ledger.context, 1) | {"compression": compression}
            await streams.prepare(nc, [stream])
            log = Log(nc, ledger.catalogue)
            past, others = [], []
            for _ in range(5):
                note = f"{marker} {os.urandom(1 << 20).hex()}"
                for whose, seen in ((account, past), (other, others)):
                    text = note if whose == account else note.replace(marker, "")
                    [recorded] = await log.append(ledger.paid(whose, 1, note=text), intent(), past=seen)
                    seen.append(recorded.position)
            assert on_disk(home, marker.encode())
            tombstone = await delete(log, ledger, account, past)
            await erase(ledger.key(account), log=log, eraser=await connect_eraser())
            await is_left(log, ledger, *others, tombstone)
            await server.stop()
            assert on_disk(home, marker.encode()) == []
            await server.start()
            nc = await connect()
            await is_left(Log(nc, ledger.catalogue), ledger, *others, tombstone)
            assert await leader_get(nc, ledger.stream, {"seq": past[0]}) is None
