"""A reply while it is made: what is told of it piece by piece, put together again wherever somebody listens.

Each run of a reply numbers what it tells. So whoever comes late reads what was told from `LIVE`, goes on with what he
hears, and notices when something is missing; what a lost run still says is not mixed into that of the next. `LIVE`
keeps things for minutes and in memory: where something may be lost, all of it is told again.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import msgspec

from events.chat import SourceUsed
from infra.codeblocks import CodeBlock, Unfolding

APART = 0.02
"""Seconds between two pieces: what a model says faster goes out together."""
AGAIN = 300.0
"""Seconds after which all of it is told again: long before `LIVE` forgets how it began."""
LARGEST = 100_000
"""Characters told at once: four bytes each, and a message still has room."""


class Told(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """One thing that is told of a reply: that it begins (`n` is 0), or what comes next."""

    run: str
    """Ids in the order of time."""
    attempt: int
    n: int
    index: int = 0
    """Where the text belongs, in characters."""
    text: str = ""
    block: CodeBlock | None = None
    """A code block that the text has closed."""
    sources: tuple[SourceUsed, ...] = ()
    """Of the beginning: what may go into the reply."""
    apart: bool = False
    """It may repeat sources: for those only who may read them."""
    again: bool = False
    """What was told before may be lost: from here on it is told once more, from the beginning."""
    last: bool = False
    """Nothing more comes, though the reply is not whole: it was stopped."""

    @property
    def order(self) -> tuple[int, str]:
        return (self.attempt, self.run)


class Missing(Exception):
    """Something was told before this that has not been heard: read it from `LIVE`."""


class Draft:
    """What has been told of a reply so far."""

    def __init__(self) -> None:
        self.begun: Told | None = None
        self.text = ""
        self.blocks: list[CodeBlock] = []
        self.last = False
        """Whether it was stopped and nothing more comes."""
        self._next = 0

    def take(self, told: Told) -> tuple[Told, ...]:
        """Add it; what of it is new: nothing when it is known, or of a run that was overtaken. Raises `Missing`."""
        if self.begun is None or told.order > self.begun.order:
            if told.n and not told.again:
                raise Missing
            self.text, self.blocks, self._next, self.last = "", [], told.n, False
            self.begun = msgspec.structs.replace(told, n=0, text="", again=False, last=False)
            return (self.begun, *self._added(told))
        if told.order < self.begun.order or told.n < self._next:
            return ()
        if told.n > self._next and not told.again:
            raise Missing
        return self._added(told)

    def _added(self, told: Told) -> tuple[Told, ...]:
        self._next = told.n + 1
        self.last = self.last or told.last
        if told.block:
            if any(each.start_index == told.block.start_index for each in self.blocks):
                return ()
            self.blocks.append(told.block)
            return (told,)
        if text := told.text[max(0, len(self.text) - told.index) :]:
            new = msgspec.structs.replace(told, index=len(self.text), text=text)
            self.text += text
            return (new,)
        return ()

    def take_all(self, past: Iterable[Told]) -> None:
        """Add what was told, in its order, whatever of it is known or comes from the middle of a run."""
        for told in past:
            try:
                self.take(told)
            except Missing:
                continue


Say = Callable[[Told], Awaitable[int | None]]
"""Gives the number of the connection on which it went out; nothing when there is none."""


class Pen:
    """Tells a reply as it is written: the first piece at once, then as much as has come in a short while."""

    def __init__(self, say: Say, *, run: str, attempt: int) -> None:
        self._say = say
        self._run, self.attempt = run, attempt
        self.sources: tuple[SourceUsed, ...] = ()
        self._n = 0
        self._told = 0
        self._blocks: list[CodeBlock] = []
        self._waiting: list[str] = []
        self._last = 0.0
        self._again = time.monotonic()
        self._connection: int | None = None
        self._unfolding = Unfolding()
        self._later: asyncio.Task[None] | None = None
        self._pieces: list[str] = []
        self._saying = asyncio.Lock()

    @property
    def text(self) -> str:
        """All that was written."""
        return "".join(self._pieces)

    async def begin(self, sources: tuple[SourceUsed, ...] = ()) -> None:
        """Say that it begins, and what may go into it."""
        self.sources = sources
        self._connection = await self._said(sources=sources)

    async def write(self, text: str) -> None:
        """Add a piece."""
        text = storable(text)
        self._pieces.append(text)
        self._waiting.append(text)
        left = self._last + APART - time.monotonic()
        if left <= 0:
            await self._flush()
        elif self._later is None:
            self._later = asyncio.create_task(self._flush_in(left))

    async def end(self) -> None:
        """Tell what is still waiting."""
        self._stay()
        await self._flush()
        async with self._saying:
            await self._close(self._unfolding.close())

    async def break_off(self) -> None:
        """Tell all of it once more, and that nothing more comes: it was stopped, wherever that was."""
        self._stay()
        async with self._saying:
            self._told = len(self.text)
            await self._tell_again()
            await self._said(index=self._told, last=True)

    def _stay(self) -> None:
        if self._later:
            self._later.cancel()
            self._later = None

    async def _flush_in(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._later = None
        await self._flush()

    async def _flush(self) -> None:
        async with self._saying:
            text = "".join(self._waiting)
            self._waiting.clear()
            if not text:
                return
            self._last = time.monotonic()
            index, self._told = self._told, self._told + len(text)
            await self._tell(index=index, text=text)
            await self._close(self._unfolding.feed(text))

    async def _close(self, blocks: Iterable[CodeBlock]) -> None:
        for block in blocks:
            self._blocks.append(block)
            await self._tell(index=self._told, block=block)

    async def _tell(self, **what: Any) -> None:
        """Tell something; all of it, where what went before may be lost: JetStream was away, or forgets it soon."""
        connection = await self._said(**what)
        same, self._connection = connection == self._connection, connection
        if connection is not None and not (same and time.monotonic() - self._again < AGAIN):
            await self._tell_again()

    async def _tell_again(self) -> None:
        self._again, text = time.monotonic(), self.text[: self._told]
        await self._said(again=True, sources=self.sources, text=text[:LARGEST])
        for index in range(LARGEST, len(text), LARGEST):
            await self._said(index=index, text=text[index : index + LARGEST])
        for block in self._blocks:
            await self._said(index=self._told, block=block)

    async def _said(self, **what: Any) -> int | None:
        n, self._n = self._n, self._n + 1
        return await self._say(
            Told(run=self._run, attempt=self.attempt, n=n, apart=bool(self.sources), **what)
        )


def storable(text: str) -> str:
    """Without what neither JSON nor a database keeps."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def reply_subject(project_id: UUID, reply_id: UUID) -> str:
    """Where a reply is told."""
    return f"live.projects.{project_id}.reply.{reply_id}"


def stop_subject(project_id: UUID, reply_id: UUID) -> str:
    """Where whoever makes a reply hears that no more of it is wanted."""
    return f"live.projects.{project_id}.stop.{reply_id}"


def gone_subject(project_id: UUID) -> str:
    """Where it is said that a project was deleted, to whoever makes a reply in it."""
    return f"live.projects.{project_id}.deleted"
