"""Who comes back with a cursor gets what was missed, in order, each once, and goes on live; or is told of the gap."""

import asyncio
import random
from collections import defaultdict
from contextlib import suppress

import pytest

from app.live.limits import Limits
from events.catalogue import Catalogue
from events.ids import new_id
from infra import jetstream
from tests.kernel.wiring import connections
from tests.live.site import Office, Site, account_of, position_of, told_up_to


class Wanderer:
    """A client that hangs up whenever it likes, and goes on with the cursors it has, at any office."""

    def __init__(self, chance: random.Random, topics: list[str], stream: str) -> None:
        self._chance = chance
        self._cursors: dict[str, str] = dict.fromkeys(topics, f"{stream}@0")
        self.heard: dict[str, list[int]] = defaultdict(list)

    async def wander(self, offices: list[Office], wanted: dict[str, list[int]]) -> None:
        while any(len(self.heard[topic]) < len(wanted[topic]) for topic in self._cursors):
            socket = await self._chance.choice(offices).socket()
            for topic, cursor in self._cursors.items():
                await socket.say("subscribe", topic, cursor)
            patience = self._chance.choice([5, 50, 500])
            with suppress(TimeoutError):
                async with asyncio.timeout(self._chance.choice([0.01, 0.1, 0.5])):
                    for _ in range(patience):
                        self._note(await socket.ws.receive_json())
            if self._chance.random() < 0.5:
                await socket.ws.close()
            else:
                socket.hang_up()

    def _note(self, said: dict[str, str]) -> None:
        assert said["type"] in {"subscribed", "event"}, said
        if said["type"] == "event":
            self.heard[said["topic"]].append(position_of(said))
        self._cursors[said["topic"]] = said["cursor"]


async def test_clients_that_come_and_go_hear_everything_once_and_in_order(site: Site):
    chance = random.Random()
    accounts = [new_id() for _ in range(6)]
    wanted: dict[str, list[int]] = defaultdict(list)

    async def write() -> None:
        for _ in range(100):
            account = chance.choice(accounts)
            count = chance.choice([1, 1, 2, 7])
            for position in await site.write(account, count):
                wanted[account_of(account)].append(position)
            if chance.random() < 0.015:
                await site.hold()
                site.project()
            await asyncio.sleep(chance.choice([0, 0, 0.002]))

    async with site.office() as one, site.office(limits=Limits(queue=16)) as another:
        wanderers = [
            Wanderer(chance, [account_of(each) for each in chance.sample(accounts, 3)], site.shop.stream)
            for _ in range(6)
        ]
        writing = asyncio.create_task(write())
        early = [asyncio.create_task(each.wander([one, another], wanted)) for each in wanderers[:3]]
        await writing
        async with site.office() as late, asyncio.timeout(60):
            await asyncio.gather(*early, *(each.wander([one, late], wanted) for each in wanderers))
    for each in wanderers:
        for topic, heard in each.heard.items():
            assert heard == wanted[topic]


@pytest.mark.parametrize("events", [5, 1500])
async def test_the_past_is_told_from_memory_and_from_the_log_alike(site: Site, events: int):
    """More than are remembered can only be read from the log, as in a process that has just begun."""
    account = new_id()
    written = await site.write(account)
    await site.write(new_id())
    while len(written) < events:
        written += await site.write(account, min(50, events - len(written)))
    for _ in range(2):
        await site.settle()
        async with site.office() as office:
            for since in (0, written[1], written[-2], written[-1]):
                socket = await office.socket(account_of(account), **{"from": site.cursor(since)})
                assert (await socket.hear("subscribed"))["cursor"] == site.cursor(since)
                missed = [each for each in written if each > since]
                assert await socket.positions(len(missed)) == missed
                [another] = await site.write(account)
                written.append(another)
                assert await socket.positions(1) == [another]
                await socket.ws.close()


async def test_several_topics_of_a_socket_begin_where_each_left_off(site: Site, office: Office):
    accounts = [await site.account(3) for _ in range(3)]
    await site.settle()
    socket = await office.socket()
    for n, account in enumerate(accounts):
        await socket.follow(account_of(account), site.cursor(3 * n + n))
        assert await socket.positions(3 - n) == [3 * n + each for each in range(n + 1, 4)]


async def test_a_cursor_of_ones_own_command_leads_to_what_follows_it(site: Site, office: Office):
    """It may not be readable yet where it is used."""
    await site.hold()
    account = await site.account(3)
    socket = await office.socket()
    await socket.follow(account_of(account), site.cursor(2))
    [more] = await site.write(account)
    site.project()
    assert await socket.positions(2) == [3, more]


@pytest.mark.parametrize(
    ("since", "code"),
    [("OTHER@1", "OTHER_STREAM"), ("{stream}@99", "AHEAD_OF_LOG"), ("{stream}@0", "TOO_FAR_BEHIND")],
)
async def test_a_past_that_cannot_be_told_is_called_a_gap(site: Site, since: str, code: str):
    since = since.format(stream=site.shop.stream)
    account = await site.account(5)
    await site.settle()
    async with site.office(limits=Limits(behind=4)) as office:
        socket = await office.socket(account_of(account), **{"from": since})
        await socket.hear("subscribed")
        gap = await socket.hear("gap")
        assert gap.pop("detail")
        assert gap == {
            "type": "gap",
            "topic": account_of(account),
            "from": since,
            "cursor": site.cursor(5),
            "code": code,
        }
        [position] = await site.write(account)
        assert await socket.positions(1) == [position]


async def test_only_what_belongs_to_the_topic_counts_as_behind(site: Site):
    account = await site.account(3)
    for _ in range(10):
        await site.write(new_id())
    await site.settle()
    async with site.office(limits=Limits(behind=4)) as office:
        socket = await office.socket(account_of(account), **{"from": site.cursor(0)})
        await socket.hear("subscribed")
        assert await socket.positions(3) == [1, 2, 3]


async def test_what_led_to_a_deletion_may_be_erased_and_is_called_a_gap(site: Site, nats):
    account = await site.account(4)
    [tombstone] = await site.append(account, [site.shop.Deleted(account_id=account)])
    async with connections(nats.eraser_url) as connect:
        eraser = await connect()
        for position in range(1, tombstone):
            await jetstream.api(eraser, f"STREAM.MSG.DELETE.{site.shop.stream}", {"seq": position})
    await site.settle()
    async with site.office() as office:
        socket = await office.socket(account_of(account), **{"from": site.cursor(2)})
        await socket.hear("subscribed")
        gap = await socket.hear("gap")
        assert (gap["code"], gap["cursor"]) == ("ERASED", site.cursor(tombstone - 1))
        told = await socket.hear("event")
        assert told["event"].endswith(".deleted")
        assert position_of(told) == tombstone
        await socket.nothing_more()


async def test_who_is_there_is_told_of_a_deletion_without_a_gap(site: Site, office: Office):
    account = await site.account(2)
    await told_up_to(office, 2)
    socket = await office.socket()
    await socket.follow(account_of(account))
    [tombstone] = await site.append(account, [site.shop.Deleted(account_id=account)])
    assert await socket.positions(1) == [tombstone]


async def test_an_event_that_this_version_cannot_read_is_a_gap_in_the_past(site: Site):
    """A newer version wrote it, and projected it."""
    account = await site.account(2)
    await site.append(account, [site.shop.Deleted(account_id=account)])
    older = Catalogue([site.shop.Opened, site.shop.Paid, site.shop.Noted])
    await site.settle()
    async with site.office(catalogue=older) as office:
        socket = await office.socket(account_of(account), **{"from": site.cursor(0)})
        await socket.hear("subscribed")
        assert await socket.positions(2) == [1, 2]
        gap = await socket.hear("gap")
        assert (gap["from"], gap["cursor"], gap["code"]) == (site.cursor(2), site.cursor(3), "UNREADABLE")
        await socket.nothing_more()


async def test_a_hundred_who_come_back_at_once_are_all_told(site: Site):
    account = await site.account(20)
    await site.settle()
    async with site.office() as office:

        async def come_back() -> list[int]:
            socket = await office.socket(account_of(account), **{"from": site.cursor(0)})
            await socket.hear("subscribed")
            return await socket.positions(20)

        assert await asyncio.gather(*(come_back() for _ in range(100))) == [list(range(1, 21))] * 100


async def test_nobody_waits_for_those_who_read_their_past_slowly(site: Site):
    """Ten clients ask for a long past and read nothing of it."""
    account = new_id()
    for _ in range(10):
        await site.write(account, 10, words=20_000)
    await site.settle()
    async with site.office() as office:
        for _ in range(10):
            await office.socket(account_of(account), **{"from": site.cursor(0)})
        socket = await office.socket(account_of(account), **{"from": site.cursor(90)})
        await socket.hear("subscribed")
        assert await socket.positions(10) == list(range(91, 101))
