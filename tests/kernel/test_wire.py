"""Messages reach who takes them straight, whole and in order, however the network cuts the stream."""

from itertools import cycle
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from nats.aio.msg import Msg

from infra.wire import Connection

TAKEN, OTHER = 7, 8


class Heard(Connection):
    """A connection without a server: what nobody takes straight, and what the server asks, is noted."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[tuple[Any, ...]] = []
        self._takers[TAKEN] = self.take

    def take(self, message: Msg) -> None:
        self.told.append(("taken", message.subject, message.reply, message.data, message.headers))

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
    read = {"one": "two"} if headers else None
    taken = ("taken", "a.b", reply, data, read)
    other = ("other", "a.b", reply, data, headers or None)
    return line.encode() + b"\r\n" + headers + data + b"\r\n", taken if sid == TAKEN else other


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
