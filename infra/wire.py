"""nats-py's client, faster where a replay and a command spend their time: what comes needs neither a parser's states
nor a queue nor a task to reach who asked for it, and headers are written in one piece."""

import asyncio
import re
from collections.abc import Callable
from functools import lru_cache
from itertools import count
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription
from nats.errors import ConnectionDrainingError
from nats.errors import TimeoutError as TookTooLong
from nats.protocol.parser import AWAITING_MSG_PAYLOAD, CRLF_SIZE, Parser

HEADER = re.compile(r"([^:\r\n]+):[ \t]*(.*)\r\n")
NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
"""What a header may be called: a token (RFC 9110, section 5.6.2)."""

Take = Callable[[bytes, bytes, bytes, bytes | None], None]
"""Given the subject of a message, where to reply, its payload and its block of headers."""


class Connection(Client):
    """A connection to NATS. Made by `jetstream.connect`."""

    def __init__(self) -> None:
        super().__init__()
        self._takers: dict[int, Take] = {}
        self._ps = StraightParser(self)
        self._answers = ""
        self._asked: dict[str, asyncio.Future[Msg]] = {}
        self._numbers = count()

    async def subscribe_straight(self, subject: str, take: Take) -> Subscription:
        """Every message of a subject goes to `take` as it is read from the connection: it must not wait."""
        subscription = await self.subscribe(subject, pending_msgs_limit=0, pending_bytes_limit=0)
        self._takers[subscription._id] = take
        return subscription

    async def _request_new_style(
        self,
        subject: str,
        payload: bytes,
        timeout: float | None = 1,
        headers: dict[str, Any] | None = None,
    ) -> Msg:
        """As nats-py does it, but that answers come straight, and that without a timeout there is no timer."""
        if self.is_draining_pubs:
            raise ConnectionDrainingError
        if not self._answers:
            inbox = self.new_inbox()
            await self.subscribe_straight(f"{inbox}.*", self._answer)
            self._answers = f"{inbox}."
        number = str(next(self._numbers))
        answer: asyncio.Future[Msg] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            await self.publish(subject, payload, reply=self._answers + number, headers=headers)
            if timeout is None:
                return await answer
            async with asyncio.timeout(timeout):
                return await answer
        except TimeoutError:
            raise TookTooLong from None
        finally:
            del self._asked[number]

    def _answer(self, subject: bytes, reply: bytes, payload: bytes, block: bytes | None) -> None:
        number = subject[subject.rindex(b".") + 1 :].decode()
        if (answer := self._asked.get(number)) and not answer.done():
            headers = headers_of(block) if block else None
            answer.set_result(Msg(self, subject.decode(), reply.decode(), payload, headers))

    async def _send_publish(
        self, subject: str, reply: str, payload: bytes, payload_size: int, headers: dict[str, Any] | None
    ) -> None:
        """With headers that need no care, in one piece; nats-py, which takes care of each, does the others."""
        block = _block(headers) if headers else None
        if block is None:
            await super()._send_publish(subject, reply, payload, payload_size, headers)
            return
        sizes = f"{len(block)} {len(block) + payload_size}"
        command = f"HPUB {subject} {reply} {sizes}\r\n".encode() + block + payload + b"\r\n"
        self.stats["out_msgs"] += 1
        self.stats["out_bytes"] += payload_size
        await self._send_command(command)
        if self._flush_queue is not None and self._flush_queue.empty():
            await self._flush_pending()

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

        `MSG <subject> <sid> [reply] <bytes>`, a line end, so many bytes, a line end; or with headers before the payload
        `HMSG <subject> <sid> [reply] <bytes of headers> <bytes of both>`.
        """
        at = 0
        while (headed := data.startswith(b"HMSG ", at)) or data.startswith(b"MSG ", at):
            begin = data.find(b"\r\n", at) + CRLF_SIZE
            if begin < CRLF_SIZE:
                break
            _, subject, sid, *reply, end = data[at:begin].split()
            middle = int(reply.pop()) if headed else 0
            if (stop := begin + int(end)) + CRLF_SIZE > len(data) or not (take := self.nc.taker(int(sid))):
                break
            split = begin + middle
            answer = reply[0] if reply else b""
            self.nc.hand(take, (subject, answer, data[split:stop], data[begin:split] if headed else None))
            at = stop + CRLF_SIZE
        return at


def _block(headers: dict[str, Any]) -> bytes | None:
    """The headers as they go over the wire; None when a name or a value does not fit on its line as it is."""
    block = "NATS/1.0\r\n" + "".join([f"{name}: {value}\r\n" for name, value in headers.items()]) + "\r\n"
    lines = len(headers) + 2
    plain = block.count("\r") == lines and block.count("\n") == lines and all(map(_is_name, headers))
    return block.encode() if plain else None


@lru_cache(maxsize=256)
def _is_name(text: str) -> bool:
    return NAME.fullmatch(text) is not None


def headers_of(block: bytes) -> dict[str, str]:
    """`NATS/1.0`, perhaps with a status and its description, then one `Name: value` a line.

    The status and description come back as the headers `Status` and `Description`.
    """
    first, _, lines = block.decode(errors="replace").partition("\r\n")
    headers = dict(HEADER.findall(lines))
    if status := first[len("NATS/1.0 ") :]:
        headers["Status"], _, headers["Description"] = status.partition(" ")
    return headers
