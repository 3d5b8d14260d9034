"""Events reach those who follow them: once readable, once each, in order. Signals reach them at once, or not at all."""

import asyncio
from itertools import chain

import msgspec
import pytest

from events.ids import new_id
from tests.live.site import Office, Site, account_of, position_of, told_up_to, until


async def test_an_event_is_told_with_all_that_is_known_of_it(site: Site, office: Office):
    account = new_id()
    socket = await office.socket()
    assert await socket.follow(account_of(account)) == {
        "type": "subscribed",
        "topic": account_of(account),
        "cursor": site.cursor(0),
    }
    [position] = await site.write(account)
    told = await socket.hear("event")
    recorded = await site.log.at(site.shop.stream, position)
    assert recorded is not None
    assert told == {
        "type": "event",
        "topic": account_of(account),
        "cursor": recorded.cursor,
        "event": f"{site.shop.context}.account.opened",
        "id": str(recorded.id),
        "at": recorded.headers["ce-time"],
        "data": {"accountId": str(account), "owner": "word "},
    }


async def test_an_event_is_told_only_when_it_can_be_read(site: Site, office: Office):
    socket = await office.socket()
    account = new_id()
    await socket.follow(account_of(account))
    await site.hold()
    written = await site.write(account, 3)
    await socket.nothing_more()
    assert office.readable.position(site.shop.stream) == 0
    site.project()
    assert await socket.positions(3) == written
    assert office.readable.position(site.shop.stream) == written[-1]


async def test_everybody_hears_their_own_topics_and_nothing_else(site: Site, office: Office):
    accounts = [new_id() for _ in range(3)]
    sockets = [await office.socket(account_of(each)) for each in accounts]
    everything = await office.socket(*map(account_of, accounts), "payments")
    for socket in sockets:
        await socket.hear("subscribed")
    for _ in range(4):
        await everything.hear("subscribed")
    written = {account: await site.write(account, 2) for account in accounts}
    for account, socket in zip(accounts, sockets, strict=True):
        assert await socket.positions(2) == written[account]
        await socket.nothing_more()
    told = [await everything.hear("event") for _ in range(6)]
    assert [position_of(each) for each in told] == sorted(chain(*written.values()))
    assert {each["topic"] for each in told} == set(map(account_of, accounts))
    [paid] = await site.write(accounts[0])
    both = [await everything.hear("event"), await everything.hear("event")]
    assert [position_of(each) for each in both] == [paid, paid]
    assert {each["topic"] for each in both} == {account_of(accounts[0]), "payments"}


async def test_what_is_no_longer_followed_is_no_longer_told(site: Site, office: Office):
    account = new_id()
    socket = await office.socket()
    await socket.follow(account_of(account))
    [first] = await site.write(account)
    assert await socket.positions(1) == [first]
    await socket.say("unsubscribe", account_of(account))
    assert await socket.hear() == {"type": "unsubscribed", "topic": account_of(account)}
    written = await site.write(account)
    await told_up_to(office, written[-1])
    await socket.nothing_more()
    await socket.follow(account_of(account), site.cursor(first))
    assert await socket.positions(1) == written


async def test_a_burst_is_no_reason_to_call_a_client_slow(site: Site, office: Office):
    """A projector that was away makes thousands readable in one commit."""
    account = new_id()
    socket = await office.socket()
    await socket.follow(account_of(account))
    await site.hold()
    written = [position for _ in range(40) for position in await site.write(account, 50, words=20)]
    site.project()
    assert await socket.positions(2000) == written


async def test_signals_reach_those_who_follow_their_topic(site: Site, office: Office):
    account = new_id()
    socket = await office.socket(account_of(account), "payments")
    for _ in range(2):
        await socket.hear("subscribed")
    other = new_id()
    await site.nc.publish(f"live.accounts.{other}.progress.transcribe", b"{}")
    heard = {"type": "signal", "topic": "payments", "signal": "progress.transcribe"}
    assert await socket.hear() == heard | {"data": {}, "id": str(other)}
    await site.nc.publish("live.process.serve-1", b"{}")
    await site.nc.publish(f"live.accounts.{account}.progress.transcribe", b'{\n"progress": 40}')
    assert await socket.hear() == {
        "type": "signal",
        "topic": account_of(account),
        "signal": "progress.transcribe",
        "data": {"progress": 40},
    }
    assert await socket.hear() == heard | {"data": {"progress": 40}, "id": str(account)}
    await site.nc.publish("live.payments.count", b"7")
    assert await socket.hear() == {"type": "signal", "topic": "payments", "signal": "count", "data": 7}


@pytest.mark.parametrize("payload", [b"{", b"[" * 50_000, b'"' + b"x" * 70_000 + b'"', b"\xff"])
async def test_a_signal_that_cannot_be_read_is_left_out(site: Site, office: Office, payload: bytes):
    account = new_id()
    socket = await office.socket()
    await socket.follow(account_of(account))
    for subject in (f"accounts.{account}.odd", "accounts", f"accounts.{account}", "payments", "unknown.x"):
        await site.nc.publish(f"live.{subject}", payload)
    await site.nc.publish(f"live.accounts.{account}.good", msgspec.json.encode(1))
    assert (await socket.hear("signal"))["signal"] == "good"


async def test_what_clients_follow_is_forgotten_when_they_leave(site: Site, office: Office):
    account = new_id()
    sockets = [await office.socket(account_of(account)) for _ in range(3)]
    for socket in sockets:
        await socket.hear("subscribed")
    assert office.figure("live_connections") == 3
    await sockets[0].ws.close()
    sockets[1].hang_up()
    await until(lambda: office.figure("live_connections") == 1)
    written = await site.write(account)
    assert await sockets[2].positions(1) == written
    [feed] = office.hub._feeds.values()
    assert len(feed.followers(account_of(account))) == 1


async def test_clients_are_sent_away_with_their_cursor_when_the_process_stops(site: Site):
    account = new_id()
    async with site.office() as office:
        socket = await office.socket()
        await socket.follow(account_of(account))
        [position] = await site.write(account)
        await socket.positions(1)
        [other] = await site.write(new_id())
        await told_up_to(office, other)
        _, farewell = await asyncio.gather(office.stop(), socket.farewell())
        assert farewell == (1001, site.cursor(other))
    async with site.office() as office:
        socket = await office.socket(account_of(account), **{"from": site.cursor(position)})
        assert (await socket.hear("subscribed"))["cursor"] == site.cursor(position)
        await socket.nothing_more()
