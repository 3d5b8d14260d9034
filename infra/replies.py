"""A reply while it is made: what is told of it piece by piece, put together again wherever somebody listens.

Each run of a reply numbers what it tells. So whoever comes late reads what was told from `LIVE`, goes on with what he
hears, and notices when something is missing; what a lost run still says is not mixed into that of the next.
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
        self._next = 0

    def take(self, told: Told) -> bool:
        """Add it; False when it is known already or is of a run that was overtaken. Raises `Missing`."""
        if self.begun is None or told.order > self.begun.order:
            if told.n:
                raise Missing
            self.begun, self.text, self.blocks, self._next = told, "", [], 1
            return True
        if told.order < self.begun.order or told.n < self._next:
            return False
        if told.n > self._next:
            raise Missing
        self._next += 1
        self.text += told.text
        if told.block:
            self.blocks.append(told.block)
        return True

    def take_all(self, past: Iterable[Told]) -> None:
        """Add what was told, in its order, whatever of it is known or comes from the middle of a run."""
        for told in past:
            try:
                self.take(told)
            except Missing:
                continue


Say = Callable[[Told], Awaitable[None]]


class Pen:
    """Tells a reply as it is written: the first piece at once, then as much as has come in a short while."""

    def __init__(self, say: Say, *, run: str, attempt: int) -> None:
        self._say = say
        self._run, self.attempt = run, attempt
        self._n = 0
        self._apart = False
        self._told = 0
        self._waiting: list[str] = []
        self._last = 0.0
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
        self._apart = bool(sources)
        await self._tell(sources=sources)

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
        if self._later:
            self._later.cancel()
            self._later = None
        await self._flush()

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
            await self._tell(index=self._told, text=text)
            self._told += len(text)
            for block in self._unfolding.feed(text):
                await self._tell(index=self._told, block=block)

    async def _tell(self, **what: Any) -> None:
        n, self._n = self._n, self._n + 1
        await self._say(Told(run=self._run, attempt=self.attempt, n=n, apart=self._apart, **what))


def storable(text: str) -> str:
    """Without what neither JSON nor a database keeps."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def reply_subject(project_id: UUID, reply_id: UUID) -> str:
    """Where a reply is told."""
    return f"live.projects.{project_id}.reply.{reply_id}"


def stop_subject(project_id: UUID, reply_id: UUID) -> str:
    """Where whoever makes a reply hears that no more of it is wanted."""
    return f"live.projects.{project_id}.stop.{reply_id}"
