"""While NATS or Postgres is away sockets stay; afterwards nothing is missing."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from app.live import feed as feeds
from app.live import readable
from app.live.past import Past
from events.envelope import to_headers
from events.ids import new_id
from infra import jetstream
from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from tests import servers
from tests.kernel.ledger import intent
from tests.live.site import Site, a_site, account_of, told_up_to


@pytest.fixture
async def own_site(fresh_nats: NatsServer, postgres: PostgresServer) -> AsyncIterator[Site]:
    """A site whose servers may die."""
    async with servers.fresh_database(postgres) as dsn, a_site(fresh_nats.url, dsn) as site:
        yield site


async def test_sockets_outlive_the_servers_and_miss_nothing(
    own_site: Site, fresh_nats: NatsServer, postgres: PostgresServer, monkeypatch
):
    monkeypatch.setattr(readable, "LONGEST", 0.3)
    account = new_id()
    async with own_site.office() as office:
        socket = await office.socket()
        await socket.follow(account_of(account))
        written = await own_site.write(account, 3)
        assert await socket.positions(3) == written

        fresh_nats.kill()
        await socket.nothing_more()
        late = await office.socket(account_of(account), **{"from": own_site.cursor(1)})
        await late.hear("subscribed")
        assert await late.positions(2) == written[1:], "what is remembered needs no log"
        await fresh_nats.start()
        written += await own_site.write(account, 3)
        assert await socket.positions(3) == written[3:]
        assert await late.positions(3) == written[3:]

        postgres.kill()
        more = await own_site.write(account, 3)
        await socket.nothing_more()
        await postgres.start()
        assert await socket.positions(3) == more
        assert await late.positions(3) == more
        await own_site.nc.publish(f"live.accounts.{account}.progress", b"1")
        await socket.hear("signal")


async def test_a_past_that_is_asked_for_while_the_log_is_away_comes_later(
    own_site: Site, fresh_nats: NatsServer
):
    account = await own_site.account(5)
    await own_site.settle()
    async with own_site.office() as office:
        await told_up_to(office, 5)
        fresh_nats.kill()
        socket = await office.socket(account_of(account), **{"from": own_site.cursor(2)})
        ahead = await office.socket(account_of(account), **{"from": own_site.cursor(9)})
        await fresh_nats.start()
        await socket.hear("subscribed")
        assert await socket.positions(3) == [3, 4, 5]
        await ahead.hear("subscribed")
        assert (await ahead.hear("gap"))["code"] == "AHEAD_OF_LOG"


async def test_a_process_that_begins_without_a_database_begins_when_it_is_there(
    own_site: Site, postgres: PostgresServer
):
    account = await own_site.account(2)
    await own_site.settle()
    await postgres.stop()
    async with own_site.office() as office:
        socket = await office.socket(account_of(account))
        fresh, back = socket, await office.socket(account_of(account), **{"from": own_site.cursor(1)})
        await asyncio.sleep(0.2)
        await postgres.start()
        assert (await fresh.hear("subscribed"))["cursor"] == own_site.cursor(2)
        await back.hear("subscribed")
        assert await back.positions(1) == [2]
        written = await own_site.write(account)
        assert await fresh.positions(1) == await back.positions(1) == written


async def test_who_came_with_a_cursor_leaves_with_it_when_nothing_could_be_told(
    own_site: Site, postgres: PostgresServer
):
    account = await own_site.account(2)
    await postgres.stop()
    try:
        async with own_site.office() as office:
            back = await office.socket(account_of(account), **{"from": own_site.cursor(1)})
            await back.nothing_more()
            astray = await office.socket(account_of(account), **{"from": "OTHER@7"})
            await astray.nothing_more()
            _, *farewells = await asyncio.gather(office.stop(), back.farewell(), astray.farewell())
            assert farewells == [(1001, own_site.cursor(1)), (1001, "")]
    finally:
        await postgres.start()


async def test_a_past_that_breaks_unexpectedly_ends_the_client_with_its_cursor(own_site: Site, monkeypatch):
    account = await own_site.account(3)
    await own_site.settle()

    async def broken(*_: object, **__: object) -> None:
        raise KeyError("a bug")

    async with own_site.office() as office:
        await told_up_to(office, 3)
        monkeypatch.setattr(Past, "page", broken)
        socket = await office.socket(account_of(account), **{"from": own_site.cursor(1)})
        assert await socket.farewell() == (1011, own_site.cursor(1))


async def test_a_stream_without_read_models_is_told_as_it_is_written(own_site: Site, fresh_nats: NatsServer):
    await own_site.hold()
    account = await own_site.account(2)
    async with own_site.office(read_models=False) as office:
        socket = await office.socket()
        assert (await socket.follow(account_of(account)))["cursor"] == own_site.cursor(2)
        written = await own_site.write(account)
        assert await socket.positions(1) == written
    fresh_nats.kill()
    async with own_site.office(read_models=False) as office:
        socket = await office.socket(account_of(account))
        await socket.nothing_more()
        await fresh_nats.start()
        assert (await socket.hear("subscribed"))["cursor"] == own_site.cursor(3)


async def test_an_event_that_nobody_can_read_holds_up_its_stream_until_it_is_mended(
    own_site: Site, fresh_nats: NatsServer, monkeypatch
):
    """The projection halts there, so nothing behind it can be read either."""
    monkeypatch.setattr(feeds, "PAUSE", 0.05)
    account, other = new_id(), new_id()
    async with own_site.office() as office:
        socket = await office.socket(account_of(account), account_of(other))
        for _ in range(2):
            await socket.hear("subscribed")
        written = [*await own_site.write(account), *await own_site.write(account)]
        assert await socket.positions(2) == written
        event = own_site.shop.Paid(account_id=new_id(), n=1, amount=1)
        headers = {**to_headers(event, new_id(), intent()), "ce-type": "shop.account.invented"}
        subject = f"{own_site.shop.context}.account.{new_id()}.paid"
        broken = await jetstream.publish(own_site.nc, jetstream.Message(subject, b"{}", headers))
        behind = await own_site.write(other)
        async with own_site.office() as another:
            everything = await another.socket("payments", **{"from": own_site.cursor(0)})
            await everything.hear("subscribed")
            assert await everything.positions(1) == written[1:]
            await everything.nothing_more()
        await own_site.nc.publish(f"live.accounts.{account}.progress", b"1")
        await socket.hear("signal")
        await socket.nothing_more()
        operator = await jetstream.connect(fresh_nats.operator_url, name="tests")
        await jetstream.api(operator, f"STREAM.MSG.DELETE.{own_site.shop.stream}", {"seq": broken.seq})
        await operator.close()
        assert await socket.positions(1) == behind
