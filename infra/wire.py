"""nats-py's client, faster where a replay spends its time: a stream's messages need neither a parser's states nor a
queue nor a task to reach who asked for them, and are theirs to read."""

import re
from collections.abc import Callable
from typing import Any

from nats.aio.client import Client
from nats.aio.subscription import Subscription
from nats.protocol.parser import AWAITING_MSG_PAYLOAD, CRLF_SIZE, Parser

HEADER = re.compile(r"([^:\r\n]+):[ \t]*(.*)\r\n")

Take = Callable[[bytes, bytes, bytes, bytes | None], None]
"""Given the subject of a message, where to reply, its payload and its block of headers."""


class Connection(Client):
    """A connection to NATS. Made by `jetstream.connect`."""

    def __init__(self) -> None:
        super().__init__()
        self._takers: dict[int, Take] = {}
        self._ps = StraightParser(self)

    async def subscribe_straight(self, subject: str, take: Take) -> Subscription:
        """Every message of a subject goes to `take` as it is read from the connection: it must not wait."""
        subscription = await self.subscribe(subject, pending_msgs_limit=0, pending_bytes_limit=0)
        self._takers[subscription._id] = take
        return subscription

    def _remove_sub(self, sid: int, max_msgs: int = 0) -> None:
        super()._remove_sub(sid, max_msgs)
        self._takers.pop(sid, None)

    async def _process_msg(self, sid: int, *message: Any) -> None:
        if take := self._takers.get(sid):
            self.hand(take, message)
        else:
            await super()._process_msg(sid, *message)

    async def _process_headers(self, headers: bytes) -> dict[str, str] | None:
        return headers_of(headers) if headers else None

    def taker(self, sid: int) -> Take | None:
        """Who takes the messages of a subscription straight, if anybody does."""
        return self._takers.get(sid)

    def hand(self, take: Take, message: tuple[bytes, bytes, bytes, bytes | None]) -> None:
        """Give a message to who takes it."""
        self.stats["in_msgs"] += 1
        self.stats["in_bytes"] += len(message[2])
        take(*message)


class StraightParser(Parser):
    """nats-py's parser, which reads one message in several steps, with a shorter way for those that somebody takes."""

    nc: Connection

    async def parse(self, data: bytes = b"") -> None:
        """What came from the server: whole messages with headers go straight, the rest as ever."""
        if self.state == AWAITING_MSG_PAYLOAD:
            missing = self.needed + CRLF_SIZE - len(self.buf)
            await super().parse(data[:missing])
            data = data[missing:]
        elif self.buf:
            data = bytes(self.buf) + data
            self.buf.clear()
        read = self._straight(data)
        if read < len(data):
            await super().parse(data[read:])

    def _straight(self, data: bytes) -> int:
        """Hand out messages from the beginning of `data`; up to where it has been read.

        `HMSG <subject> <sid> [reply] <bytes of headers> <bytes of both>`, a line end, both, a line end.
        """
        at = 0
        while data.startswith(b"HMSG ", at):
            begin = data.find(b"\r\n", at) + CRLF_SIZE
            if begin < CRLF_SIZE:
                break
            _, subject, sid, *reply, middle, end = data[at:begin].split()
            if (stop := begin + int(end)) + CRLF_SIZE > len(data) or not (take := self.nc.taker(int(sid))):
                break
            split = begin + int(middle)
            answer = reply[0] if reply else b""
            self.nc.hand(take, (subject, answer, data[split:stop], data[begin:split]))
            at = stop + CRLF_SIZE
        return at


def headers_of(block: bytes) -> dict[str, str]:
    """`NATS/1.0`, perhaps with a status and its description, then one `Name: value` a line.

    The status and description come back as the headers `Status` and `Description`.
    """
    first, _, lines = block.decode(errors="replace").partition("\r\n")
    headers = dict(HEADER.findall(lines))
    if status := first[len("NATS/1.0 ") :]:
        headers["Status"], _, headers["Description"] = status.partition(" ")
    return headers
