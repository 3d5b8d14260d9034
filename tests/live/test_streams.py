"""The same topics as Server-Sent Events: a browser that comes back misses nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import NamedTuple

import msgspec
import pytest
from aiohttp import ClientResponse

from app.live.limits import Limits
from events.ids import new_id
from tests.live.site import Office, Site, account_of, position_of, told_up_to, until


class Block(NamedTuple):
    """What stands between two empty lines."""

    id: str
    event: str
    data: dict


class Stream:
    """An event stream as a browser reads it."""

    def __init__(self, response: ClientResponse) -> None:
        self.response = response

    async def raw(self) -> bytes:
        async with asyncio.timeout(60):
            return (await self.response.content.readuntil(b"\n\n")).removesuffix(b"\n\n")

    async def next(self, event: str = "event") -> Block:
        while not (raw := await self.raw()).startswith((b"id:", b"event:")):
            pass
        fields = dict(line.split(": ", 1) for line in raw.decode().split("\n"))
        assert fields["event"] == event, fields
        return Block(fields.get("id", ""), event, msgspec.json.decode(fields["data"]))

    async def positions(self, count: int) -> list[int]:
        return [position_of((await self.next()).data) for _ in range(count)]


@asynccontextmanager
async def listening(
    office: Office, *topics: str, last: str | None = None, **query: str
) -> AsyncIterator[Stream]:
    headers = {"Last-Event-ID": last} if last else {}
    params = {"topics": ",".join(topics), **query}
    async with office.client.get("/v1/events", params=params, headers=headers) as response:
        assert response.status == 200, await response.text()
        assert response.content_type == "text/event-stream"
        yield Stream(response)


async def test_an_event_stream_tells_what_a_socket_tells(site: Site, office: Office):
    account = new_id()
    socket = await office.socket()
    await socket.follow(account_of(account))
    async with listening(office, account_of(account)) as stream:
        assert await stream.raw() == b"retry: 1000"
        begun = await stream.next("subscribed")
        assert begun.id == site.cursor(0)
        [position] = await site.write(account)
        told = await stream.next()
        assert told.id == site.cursor(position)
        assert told.data == await socket.hear("event")
        await site.nc.publish(f"live.accounts.{account}.progress.index", b'{"progress":1}')
        assert (await stream.next("signal")).data == await socket.hear("signal")


@pytest.mark.parametrize("how", ["last", "from"])
async def test_a_browser_that_comes_back_misses_nothing(site: Site, office: Office, how: str):
    account = await site.account(5)
    await told_up_to(office, 5)
    async with listening(office, account_of(account), **{how: site.cursor(2)}) as stream:
        await stream.next("subscribed")
        assert await stream.positions(3) == [3, 4, 5]
        written = await site.write(account)
        assert await stream.positions(1) == written


async def test_what_the_browser_heard_last_is_newer_than_its_address(site: Site, office: Office):
    account = await site.account(5)
    await told_up_to(office, 5)
    async with listening(
        office, account_of(account), last=site.cursor(4), **{"from": site.cursor(0)}
    ) as stream:
        await stream.next("subscribed")
        assert await stream.positions(1) == [5]


@pytest.mark.parametrize("source", ["memory", "log"])
async def test_topics_of_one_stream_come_in_its_order_and_an_event_of_two_once(site: Site, source: str):
    """Else nobody could come back with a single cursor."""
    accounts = [new_id() for _ in range(3)]
    async with AsyncExitStack() as stack:
        office = await stack.enter_async_context(site.office()) if source == "memory" else None
        written = [position for n in range(450) for position in await site.write(accounts[n % 3])]
        await site.settle()
        office = office or await stack.enter_async_context(site.office())
        await told_up_to(office, written[-1])
        topics = [*map(account_of, accounts[:2]), "payments"]
        stream = await stack.enter_async_context(listening(office, *topics, **{"from": site.cursor(1)}))
        for _ in range(3):
            await stream.next("subscribed")
        told = [each for each in written[1:] if each != written[2]]
        assert await stream.positions(len(told)) == told, "all but the first of the third account, no payment"
        for account in accounts:
            more = await site.write(account)
            assert await stream.positions(1) == more


async def test_a_gap_is_told_with_the_cursor_from_which_it_goes_on(site: Site, office: Office):
    account = await site.account(3)
    await told_up_to(office, 3)
    async with listening(office, account_of(account), last="ELSEWHERE@9") as stream:
        await stream.next("subscribed")
        gap = await stream.next("gap")
        assert gap.id == gap.data["cursor"] == site.cursor(3)


async def test_a_quiet_stream_says_that_it_is_still_there(site: Site):
    async with site.office(ping_interval=0.05) as office, listening(office, "payments") as stream:
        await stream.next("subscribed")
        for _ in range(3):
            assert await stream.raw() == b": still here"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "INVALID_PARAMETER"),
        ("topics=", 422, "TOPICS_REQUIRED"),
        ("topics=secrets", 422, "UNKNOWN_TOPIC"),
        ("topics=accounts", 422, "INVALID_TOPIC"),
        ("topics=payments", 403, "SCOPE_REQUIRED"),
        (f"topics=accounts:{new_id()}&from=now", 400, "INVALID_POSITION"),
        (",".join(["topics=", *(account_of(new_id()) for _ in range(4))]), 422, "TOO_MANY_TOPICS"),
    ],
    ids=lambda value: value if str(value).isupper() else "",
)
async def test_what_cannot_be_followed_is_refused(site: Site, query: str, status: int, code: str):
    headers = {"X-Api-Key": site.issue("shop:read")}
    async with site.office(limits=Limits(topics=3)) as office:
        async with office.client.get(f"/v1/events?{query}", headers=headers) as answer:
            assert answer.status == status
            assert (await answer.json())["code"] == code
        assert office.figure("live_connections") == 0


async def test_a_listener_that_hangs_up_is_forgotten(site: Site):
    async with site.office(ping_interval=0.05) as office, listening(office, "payments") as stream:
        await stream.next("subscribed")
        assert office.figure("live_connections") == 1
        stream.response.close()
        await until(lambda: office.figure("live_connections") == 0)


async def test_event_streams_end_when_the_process_stops(site: Site):
    async with site.office() as office, listening(office, "payments") as stream:
        await stream.next("subscribed")
        began = asyncio.get_running_loop().time()
        await asyncio.gather(office.stop(), stream.response.content.read())
        assert asyncio.get_running_loop().time() - began < 9
