"""Any document to text, in a process that hostile files cannot make hang, swell or spread."""

import asyncio
import signal
from contextlib import suppress
from itertools import count
from pathlib import Path

import msgspec

from infra import child
from infra.documents.parsed import Limits, Parsed, ParserUnavailable, UnusableDocument
from infra.documents.parser import Order, Work
from infra.scratch import scratch

LAST_WORDS = 64 << 10
"""Bytes of a process's complaints that are listened to."""
DEFAULT = Limits()
ENDING = 5.0
"""Seconds that processes are given to end when nothing more is read."""


class Parsers:
    """Reads documents, each in a process of its own, forked from one that is started with the first of them."""

    def __init__(self) -> None:
        self._forks: _Forks | None = None
        self._starting = asyncio.Lock()

    async def parse(
        self, content: bytes | Path, *, name: str = "", declared: str = "", limits: Limits = DEFAULT
    ) -> Parsed:
        """The text of a document with its pages, and what it says of itself.

        `name` is its file name and `declared` the media type its sender gives it: hints for texts; the rest is known
        by content. A path is read by the process alone. Raises UnusableDocument, or ParserUnavailable if this machine
        is what failed. Cancelling it stops the work.
        """
        with scratch() as folder:
            source, target, said = (Path(folder) / each for each in ("document", "answer", "said"))
            if isinstance(content, Path):
                source = content
            else:
                await asyncio.to_thread(source.write_bytes, content)
            size = (await asyncio.to_thread(source.stat)).st_size
            if size > limits.size:
                raise UnusableDocument(
                    "DOCUMENT_TOO_LARGE", f"A document may have {limits.size:,} bytes at most."
                )
            files = str(source.absolute()), str(target), str(said)
            exit_code = await self._run(Work(*files, _plain(name), _plain(declared), limits))
            answer = await asyncio.to_thread(_written, target)
            words = await asyncio.to_thread(_written, said, LAST_WORDS)
        return _outcome(exit_code, words, answer)

    async def close(self) -> None:
        """Stop reading, and end the processes."""
        if self._forks:
            await self._forks.end()

    async def _run(self, work: Work) -> int:
        forks = await self._started()
        try:
            async with asyncio.timeout(3 * work.limits.seconds + 10):
                return await forks.run(work)
        except TimeoutError:
            raise ParserUnavailable(
                "Reading a document got too little processor time: this machine is overloaded."
            ) from None

    async def _started(self) -> "_Forks":
        async with self._starting:
            if not self._forks or self._forks.over:
                await self.close()
                self._forks = _Forks(await child.start("infra.documents.forkserver"))
            return self._forks


class _Forks:
    """A running fork server, and what its processes have come to."""

    def __init__(self, server: child.Child) -> None:
        self._server = server
        self._numbers = count()
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._listening = asyncio.create_task(self._listen())

    @property
    def over(self) -> bool:
        return self._listening.done()

    async def run(self, work: Work) -> int:
        """The exit code of the process that did it, or minus the signal. Cancelled, it is ended first."""
        number, end = next(self._numbers), asyncio.get_running_loop().create_future()
        self._ends[number] = end
        try:
            self._order(Order(number, work))
            return await asyncio.shield(end)
        except asyncio.CancelledError:
            self._order(Order(number))
            with suppress(ParserUnavailable):
                await end
            raise
        finally:
            del self._ends[number]

    def _order(self, order: Order) -> None:
        if not self.over:
            self._server.orders.write(msgspec.json.encode(order) + b"\n")

    async def _listen(self) -> None:
        try:
            async for line in self._server.answers:
                number, exit_code = map(int, line.split())
                if (end := self._ends.get(number)) and not end.done():
                    end.set_result(exit_code)
        finally:
            for end in self._ends.values():
                if not end.done():
                    end.set_exception(ParserUnavailable("The process that starts parsers has ended."))

    async def end(self) -> None:
        """End what is at work, then the server."""
        self._server.orders.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(ENDING):
                await self._server.process.wait()
        await self._server.end()
        await self._listening


def _plain(argument: str) -> str:
    """Whatever a sender calls it: half a surrogate pair is no text that could be handed on."""
    return argument.replace("\0", "").encode(errors="replace").decode()[:512]


def _written(target: Path, last: int | None = None) -> bytes:
    """What is in a file, or its last bytes; nothing where there is none."""
    try:
        with target.open("rb") as file:
            if last:
                file.seek(max(0, target.stat().st_size - last))
            return file.read()
    except FileNotFoundError:
        return b""


def _outcome(exit_code: int, said: bytes, answer: bytes) -> Parsed:
    if exit_code == -signal.SIGXCPU:
        raise UnusableDocument("DOCUMENT_TIMEOUT", "Reading the document takes too long.")
    if exit_code == child.MEMORY_EXIT or (exit_code in child.CRASHES and b"memory allocation of" in said):
        raise UnusableDocument("DOCUMENT_MEMORY", "Reading the document takes too much memory.")
    if exit_code in child.CRASHES:
        raise UnusableDocument("DOCUMENT_DAMAGED", "The parser crashes on this file.")
    try:
        if exit_code == 0 and answer[:1] == b"=":
            return Parsed.decode(answer[1:])
        if exit_code == 0 and answer[:1] == b"!":
            code, detail = msgspec.msgpack.decode(answer[1:], type=tuple[str, str])
            raise UnusableDocument(code, detail)
    except msgspec.DecodeError:
        pass
    raise ParserUnavailable(f"The document parser ended without an answer (exit code {exit_code}).")
