"""What goes over the wire and comes back: whole and in order, however the network cuts the stream."""

import asyncio
from itertools import cycle
from string import ascii_letters, digits
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nats import errors as nats_errors
from nats.aio.client import Client
from nats.aio.msg import Msg

from events.headers import Headers
from infra import jetstream
from infra.embedded.nats import NatsServer
from infra.wire import Connection, headers_of

TAKEN, OTHER = 7, 8


class Heard(Connection):
    """A connection without a server: what nobody takes straight, and what the server asks, is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[Any, ...]] = []
        self._takers[TAKEN] = self.take

    def take(self, subject: bytes, reply: bytes, data: bytes, headers: bytes | None) -> None:
        self.told.append(("taken", subject.decode(), reply.decode(), data, headers))

    async def _process_msg(self, sid: int, *message: Any) -> None:
        if sid == TAKEN:
            await super()._process_msg(sid, *message)
        else:
            subject, reply, data, headers = message
            self.told.append(("other", subject.decode(), reply.decode(), data, headers))

    async def _process_ping(self) -> None:
        self.told.append(("ping",))


def message(sid: int, reply: str, data: bytes, headers: bytes) -> tuple[bytes, tuple[Any, ...]]:
    """A message on the wire, and what is to be heard of it."""
    words = ["a.b", str(sid), *([reply] if reply else [])]
    sizes = [str(len(headers)), str(len(headers) + len(data))] if headers else [str(len(data))]
    line = " ".join(["HMSG" if headers else "MSG", *words, *sizes])
    heard = ("taken" if sid == TAKEN else "other", "a.b", reply, data, headers or None)
    return line.encode() + b"\r\n" + headers + data + b"\r\n", heard


payloads = st.binary(max_size=12) | st.sampled_from([b"\r\n", b"HMSG a 7 1 1\r\n", b"PING\r\n"])
blocks = st.sampled_from([b"", b"NATS/1.0\r\none: two\r\n\r\n"])
messages = st.builds(message, st.sampled_from([TAKEN, OTHER]), st.sampled_from(["", "r.1"]), payloads, blocks)
pings = st.just((b"PING\r\n", ("ping",)))


@given(st.lists(messages | pings, max_size=8), st.lists(st.integers(1, 50), min_size=1, max_size=9))
async def test_however_it_is_cut_the_same_is_heard(sent: list[Any], sizes: list[int]) -> None:
    stream = b"".join(each for each, _ in sent)
    connection = Heard()
    for size in cycle(sizes):
        if not stream:
            break
        await connection._ps.parse(stream[:size])
        stream = stream[size:]
    assert connection.told == [heard for _, heard in sent]


@settings(max_examples=40, deadline=None)
@given(
    headers=st.dictionaries(
        st.text(ascii_letters + digits + "-", min_size=1, max_size=20),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1).filter(
            lambda value: value == value.strip()
        ),
    )
)
def test_headers_are_read_as_they_were_written(headers):
    for separator in (": ", ":"):
        block = "NATS/1.0\r\n" + "".join(f"{k}{separator}{v}\r\n" for k, v in headers.items()) + "\r\n"
        assert headers_of(block.encode()) == headers
        found = Headers(block.encode())
        assert (dict(found), len(found)) == (headers, len(headers))
        assert {name: found.get(name) for name in (*headers, "not there")} == {**headers, "not there": None}


def test_a_status_is_read_beside_the_headers():
    assert headers_of(b"NATS/1.0\r\n\r\n") == {}
    assert headers_of(b"NATS/1.0 503\r\n\r\n")["Status"] == "503"
    assert headers_of(b"NATS/1.0 409 Consumer Deleted\r\nNats-Pending-Messages: 3\r\n\r\n") == {
        "Status": "409",
        "Description": "Consumer Deleted",
        "Nats-Pending-Messages": "3",
    }


class Sending(Connection):
    """A connection without a server: what it would send is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""

    async def _send_command(self, cmd: bytes, priority: bool = False) -> None:
        self.sent += cmd


texts = st.text(st.characters(codec="utf-8"), max_size=9)


@given(
    headers=st.dictionaries(st.text(ascii_letters + "-: \r\n", max_size=6), texts, max_size=4),
    data=st.binary(),
)
@example(headers={"one": "two\r\nthree: four"}, data=b"")
@example(headers={"": "no name"}, data=b"")
async def test_headers_mean_what_they_would_as_nats_py_sends_them(
    headers: dict[str, str], data: bytes
) -> None:
    ours, theirs = Sending(), Sending()
    try:
        await Client._send_publish(theirs, "a.b", "r", data, len(data), headers)
    except nats_errors.BadHeaderError:
        with pytest.raises(nats_errors.BadHeaderError):
            await ours._send_publish("a.b", "r", data, len(data), headers)
        assert ours.sent == b""
    else:
        await ours._send_publish("a.b", "r", data, len(data), headers)
        assert ours.stats == theirs.stats
        assert _read(ours.sent) == _read(theirs.sent)


def _read(sent: bytes) -> tuple[list[bytes], dict[str, str], bytes]:
    """A message that was sent: its line without the sizes, its headers, its payload."""
    line, _, rest = sent.partition(b"\r\n")
    *words, middle, end = line.split()
    assert (rest[int(end) :], rest[: int(middle)][-4:]) == (b"\r\n", b"\r\n\r\n")
    headers = {name: value.strip() for name, value in headers_of(rest[: int(middle)]).items()}
    return words, headers, rest[int(middle) : int(end)]


async def test_an_answer_finds_who_asked_and_nothing_is_kept_of_who_gave_up(nats: NatsServer) -> None:
    asking = await jetstream.connect(nats.operator_url, name="asking")
    answering = await jetstream.connect(nats.operator_url, name="answering")
    try:
        await answering.subscribe("silence")
        await answering.subscribe("echo", cb=_echo)
        await _answered(asking, "echo")
        answers = await asyncio.gather(
            *(asking.request("echo", b"%d" % n, headers={"n": "1"}) for n in range(50))
        )
        assert [answer.data for answer in answers] == [b"%d" % n for n in range(50)]
        assert answers[0].headers == {"n": "1"}
        with pytest.raises(nats_errors.TimeoutError):
            await asking.request("silence", b"", timeout=0.01)
        with pytest.raises(nats_errors.NoRespondersError):
            await asking.request("nobody", b"")
        given_up = asyncio.create_task(asking.request("silence", b"", timeout=None))  # type: ignore[arg-type]
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.wait({given_up})
        assert asking._asked == {}
    finally:
        await asking.close()
        await answering.close()


async def _answered(nc: Client, subject: str) -> None:
    """Once the server knows who answers; `flush` may return before, as its ping can overtake what is still buffered."""
    async with asyncio.timeout(10):
        while True:
            try:
                await nc.request(subject, b"")
                return
            except nats_errors.NoRespondersError:
                await asyncio.sleep(0.01)


async def _echo(message: Msg) -> None:
    await message.respond(message.data)
