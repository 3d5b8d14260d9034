"""Messages reach who takes them straight, whole and in order, however the network cuts the stream."""

from itertools import cycle
from string import ascii_letters, digits
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from events.headers import Headers
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
