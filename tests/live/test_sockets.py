"""What may be said on a socket, by whom, and how often; and what is answered to everything else."""

import asyncio
import random

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from app.live import clients
from app.live.limits import Limits
from events.ids import new_id
from tests.live.site import Office, Site, Socket, account_of, told_up_to, until

ID = "0199aaaa-0000-7000-8000-00000000000a"


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("", "MALFORMED_JSON"),
        ("subscribe", "MALFORMED_JSON"),
        ("[]", "INVALID_MESSAGE"),
        ("null", "INVALID_MESSAGE"),
        ("{}", "INVALID_MESSAGE"),
        ('{"action":"dance"}', "INVALID_MESSAGE"),
        ('{"action":7}', "INVALID_MESSAGE"),
        ('{"action":"subscribe"}', "INVALID_MESSAGE"),
        ('{"action":"subscribe","topic":7}', "INVALID_MESSAGE"),
        ('{"action":"subscribe","topic":"payments","from":7}', "INVALID_MESSAGE"),
        ('{"action":"subscribe","topic":"payments","from":"yesterday"}', "INVALID_POSITION"),
        ('{"action":"subscribe","topic":"payments","from":"SHOP@-1"}', "INVALID_POSITION"),
        ('{"action":"subscribe","topic":"payments","from":"SHOP@1,"}', "INVALID_POSITION"),
        ('{"action":"subscribe","topic":""}', "UNKNOWN_TOPIC"),
        ('{"action":"subscribe","topic":"secrets"}', "UNKNOWN_TOPIC"),
        ('{"action":"subscribe","topic":"secrets\\u0000\\ud800"}', "MALFORMED_JSON"),
        ('{"action":"subscribe","topic":"accounts"}', "INVALID_TOPIC"),
        ('{"action":"subscribe","topic":"accounts:"}', "INVALID_TOPIC"),
        ('{"action":"subscribe","topic":"accounts:*"}', "INVALID_TOPIC"),
        ('{"action":"subscribe","topic":"accounts:' + ID + '.>"}', "INVALID_TOPIC"),
        ('{"action":"subscribe","topic":"payments:' + ID + '"}', "INVALID_TOPIC"),
        ('{"action":"unsubscribe","topic":"secrets"}', "UNKNOWN_TOPIC"),
        ('{"action":"ping","more":' + "[" * 4000 + "]" * 4000 + "}", "MALFORMED_JSON"),
    ],
)
async def test_what_cannot_be_followed_is_said_so_and_the_socket_stays(office: Office, said: str, code: str):
    socket = await office.socket()
    await socket.ws.send_str(said)
    answer = await socket.hear("error")
    assert answer["code"] == code
    assert answer["detail"]
    if code.endswith("_TOPIC"):
        assert f'"topic":"{answer["topic"]}"' in said
    await socket.nothing_more()


async def test_bytes_are_no_message(office: Office):
    socket = await office.socket()
    await socket.ws.send_bytes(b'{"action":"ping"}')
    assert (await socket.hear("error"))["code"] == "TEXT_EXPECTED"
    await socket.nothing_more()


async def test_members_that_nobody_knows_are_passed_over(office: Office):
    socket = await office.socket()
    await socket.ws.send_str('{"action":"ping","id":7,"more":{"a":[1,2]}}')
    assert await socket.hear() == {"type": "pong"}


async def test_ids_may_be_written_in_capitals(site: Site, office: Office):
    account = new_id()
    socket = await office.socket()
    assert (await socket.follow(account_of(account).upper().replace("ACCOUNTS", "accounts")))[
        "topic"
    ] == account_of(account)
    written = await site.write(account)
    assert await socket.positions(1) == written


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"x" * 17_000, 1009),
        (b"\xff\xfe", 1007),
    ],
)
async def test_a_frame_that_nobody_may_send_ends_the_socket_alone(office: Office, frame: bytes, code: int):
    bystander = await office.socket()
    socket = await office.socket()
    await socket.ws.send_frame(frame, WSMsgType.TEXT)
    assert (await socket.farewell())[0] == code
    await bystander.nothing_more()


async def test_a_message_in_endless_pieces_ends_the_socket(office: Office):
    socket = await office.socket()
    writer = socket.ws._writer
    piece = b"x" * 1000
    for n in range(40):
        opcode = WSMsgType.TEXT if n == 0 else WSMsgType.CONTINUATION
        header = bytes([opcode, 0x80 | 126]) + len(piece).to_bytes(2) + bytes(4)
        writer.transport.write(header + piece)
    assert (await socket.farewell())[0] == 1009


async def test_many_mistakes_end_the_socket(office: Office):
    socket = await office.socket()
    for _ in range(30):
        await socket.ws.send_str("?")
    code, reason = await socket.farewell()
    assert code == 1008
    assert "could not be followed" in reason


@pytest.mark.parametrize("frame", [WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG])
async def test_a_flood_ends_the_socket_and_hurts_nobody(site: Site, office: Office, frame: WSMsgType):
    account = new_id()
    bystander = await office.socket()
    await bystander.follow(account_of(account))
    socket = await office.socket()

    async def flood() -> None:
        for _ in range(5_000):
            await socket.ws.send_frame(b'{"action":"ping"}', frame)

    flooding = asyncio.create_task(flood())
    written = [position for _ in range(10) for position in await site.write(account)]
    assert await bystander.positions(10) == written
    assert (await socket.farewell())[0] in {1008, 1006}
    await asyncio.gather(flooding, return_exceptions=True)
    await until(lambda: office.figure("live_connections") == 1)


async def test_frames_of_pure_chance_hurt_nobody(site: Site, office: Office):
    chance = random.Random()
    account = new_id()
    bystander = await office.socket()
    await bystander.follow(account_of(account))
    for _ in range(40):
        socket = await office.socket()
        socket.ws._writer.transport.write(chance.randbytes(chance.randrange(1, 2000)))
        await asyncio.sleep(0.002)
        socket.hang_up()
    written = await site.write(account)
    assert await bystander.positions(1) == written
    await until(lambda: office.figure("live_connections") == 1)


async def test_each_topic_needs_its_own_scope(site: Site, office: Office):
    socket = await office.socket(key=site.issue("shop:read"))
    await socket.say("subscribe", "payments")
    assert (await socket.hear("error"))["code"] == "SCOPE_REQUIRED"
    await socket.follow(account_of(new_id()))
    socket = await office.socket(key=site.issue("other:read"))
    await socket.say("subscribe", account_of(new_id()))
    assert (await socket.hear("error"))["code"] == "SCOPE_REQUIRED"


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("topics=payments", 403),
        ("topics=accounts", 422),
        ("topics=,,secrets", 422),
        (f"topics=accounts:{ID}&from=x", 400),
        ("topic=alerts", 400),
    ],
)
async def test_a_socket_that_begins_with_a_mistake_does_not_begin(
    site: Site, office: Office, query: str, status: int
):
    key = site.issue("shop:read")
    with pytest.raises(WSServerHandshakeError) as refused:
        await office.client.ws_connect(f"/v1/ws?{query}", headers={"X-Api-Key": key})
    assert refused.value.status == status
    assert office.figure("live_connections") == 0


async def test_nobody_comes_in_without_a_key(office: Office):
    for headers in ({"X-Api-Key": ""}, {"X-Api-Key": "wrong"}):
        with pytest.raises(WSServerHandshakeError) as refused:
            await office.client.ws_connect("/v1/ws", headers=headers)
        assert refused.value.status == 401


async def test_browsers_send_their_key_in_the_address(site: Site, office: Office):
    ws = await office.client.ws_connect(f"/v1/ws?access_token={site.key}", headers={"X-Api-Key": ""})
    await Socket(ws).nothing_more()
    ws = await office.client.ws_connect("/ws")
    await Socket(ws).nothing_more()


async def test_a_plain_request_is_told_what_is_missing(office: Office):
    async with office.client.get("/v1/ws") as answer:
        assert (answer.status, answer.headers["Upgrade"]) == (426, "websocket")
        assert (await answer.json())["code"] == "UPGRADE_NEEDED"


async def test_a_socket_follows_so_many_topics_at_most(site: Site):
    async with site.office(limits=Limits(topics=3)) as office:
        socket = await office.socket()
        accounts = [new_id() for _ in range(4)]
        for account in accounts[:3]:
            await socket.follow(account_of(account))
        await socket.say("subscribe", account_of(accounts[3]))
        assert (await socket.hear("error"))["code"] == "TOO_MANY_TOPICS"
        await socket.follow(account_of(accounts[0]))
        await socket.say("unsubscribe", account_of(accounts[0]))
        await socket.hear("unsubscribed")
        await socket.follow(account_of(accounts[3]))
        with pytest.raises(WSServerHandshakeError):
            await office.socket(*map(account_of, accounts))


async def test_a_key_has_so_many_connections_at_most(site: Site):
    async with site.office(limits=Limits(connections=2)) as office:
        sockets = [await office.socket() for _ in range(2)]
        with pytest.raises(WSServerHandshakeError) as refused:
            await office.socket()
        assert refused.value.status == 429
        assert refused.value.headers["Retry-After"]
        other = await office.socket(key=site.issue("*"))
        await other.nothing_more()
        await sockets[0].ws.close()
        await until(lambda: office.figure("live_connections") == 2)
        await (await office.socket()).nothing_more()


async def test_a_revoked_key_loses_its_connections_within_seconds(site: Site, monkeypatch):
    monkeypatch.setattr(clients, "CHECK", 0.05)
    key = site.issue("shop:read")
    topics, headers = {"topics": account_of(new_id())}, {"X-Api-Key": key}
    async with site.office() as office:
        socket, other = await office.socket(key=key), await office.socket()
        async with office.client.get("/v1/events", params=topics, headers=headers) as stream:
            held = site.ring.find(key)
            assert held is not None
            site.ring.remove(held.key_id)
            assert (await socket.farewell())[0] == 4401
            async with asyncio.timeout(60):
                await stream.content.read()
        await other.nothing_more()


async def test_who_answers_pings_stays_and_who_is_silent_goes(site: Site):
    async with site.office(ping_interval=0.1, pong_timeout=1) as office:
        silent = Socket(await office.client.ws_connect("/v1/ws", autoping=False))
        answering = await office.socket()
        hearing = asyncio.create_task(answering.hear())
        began = asyncio.get_running_loop().time()
        assert (await silent.ws.receive()).type is WSMsgType.PING
        while (frame := await silent.ws.receive()).type is WSMsgType.PING:
            pass
        assert frame.type is WSMsgType.CLOSE
        assert frame.data == 4408
        assert asyncio.get_running_loop().time() - began > 0.9
        assert not hearing.done()
        await answering.say("ping")
        assert await hearing == {"type": "pong"}


async def test_pings_of_a_client_are_answered(office: Office):
    ws = await office.client.ws_connect("/v1/ws", autoping=False)
    await ws.ping(b"are you there?")
    answer = await ws.receive()
    assert (answer.type, answer.data) == (WSMsgType.PONG, b"are you there?")


async def test_following_again_begins_anew(site: Site, office: Office):
    account = await site.account(2)
    await told_up_to(office, 2)
    socket = await office.socket()
    for _ in range(3):
        await socket.follow(account_of(account), site.cursor(0))
        assert await socket.positions(2) == [1, 2]
    written = await site.write(account)
    assert await socket.positions(1) == written
    await socket.nothing_more()
