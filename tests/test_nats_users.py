"""What each user in nats.conf may do to the log."""

import asyncio
import json
from typing import Any

import nats as client
import pytest

from infra.embedded.nats import NatsServer

STREAM = {"name": "KEPT", "subjects": ["kept.>"], "storage": "memory"}

DELETE_MESSAGE = ("STREAM.MSG.DELETE.KEPT", {"seq": 1})
PURGE = ("STREAM.PURGE.KEPT", {})
UPDATE_STREAM = ("STREAM.UPDATE.KEPT", STREAM | {"description": "changed"})
DELETE_STREAM = ("STREAM.DELETE.KEPT", {})


class Denied(Exception):
    """The server does not let this user ask for that."""


async def ask(url: str, subject: str, body: dict[str, Any]) -> dict[str, Any]:
    """The answer of the JetStream API, or Denied."""
    denial: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def complain(error: Exception) -> None:
        if "permissions violation" in str(error) and not denial.done():
            denial.set_exception(Denied(str(error)))

    connection = await client.connect(url, error_cb=complain)
    try:
        answer = asyncio.ensure_future(connection.request(f"$JS.API.{subject}", json.dumps(body).encode(), 5))
        done, _ = await asyncio.wait([answer, denial], return_when=asyncio.FIRST_COMPLETED)
        answer.cancel()
        if denial in done:
            denial.result()
        return json.loads(answer.result().data)
    finally:
        denial.cancel()
        await connection.close()


@pytest.fixture
async def log(fresh_nats: NatsServer) -> NatsServer:
    """A server with a stream that the application made, and two messages in it."""
    await ask(fresh_nats.url, "STREAM.CREATE.KEPT", STREAM)
    connection = await client.connect(fresh_nats.url)
    for word in (b"one", b"two"):
        await connection.jetstream().publish("kept.word", word)
    await connection.close()
    return fresh_nats


@pytest.mark.parametrize(
    "request_", [DELETE_MESSAGE, PURGE, UPDATE_STREAM, DELETE_STREAM], ids=lambda r: r[0]
)
async def test_the_application_cannot_take_back_what_has_happened(log, request_):
    with pytest.raises(Denied):
        await ask(log.url, *request_)


@pytest.mark.parametrize("request_", [DELETE_MESSAGE, PURGE], ids=lambda r: r[0])
async def test_the_eraser_may_delete_messages(log, request_):
    assert (await ask(log.eraser_url, *request_))["success"]


@pytest.mark.parametrize("request_", [UPDATE_STREAM, DELETE_STREAM], ids=lambda r: r[0])
async def test_the_eraser_can_neither_change_nor_delete_a_stream(log, request_):
    with pytest.raises(Denied):
        await ask(log.eraser_url, *request_)


@pytest.mark.parametrize(
    "request_", [DELETE_MESSAGE, PURGE, UPDATE_STREAM, DELETE_STREAM], ids=lambda r: r[0]
)
async def test_the_operator_may_do_everything(log, request_):
    assert "error" not in await ask(log.operator_url, *request_)


async def test_a_stranger_is_not_let_in(fresh_nats):
    with pytest.raises(client.errors.Error, match="Authorization Violation"):
        await client.connect(f"nats://127.0.0.1:{fresh_nats.port}", allow_reconnect=False)


async def test_an_event_of_several_megabytes_fits(log):
    connection = await client.connect(log.url)
    ack = await connection.jetstream().publish("kept.word", b"x" * (7 << 20))
    assert ack.seq == 3
    await connection.close()
