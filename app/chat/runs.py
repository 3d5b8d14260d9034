"""Answers that are being made in this process: told to whoever listens, and recorded whether anybody listens or not."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import datetime
from uuid import UUID

import msgspec

from app.chat.answer_views import ChunkView, SourcesView, SourceView
from app.chat.answerer import Answerer, Made, Read
from events.chat import AnswerAsked
from events.envelope import Intent
from events.ids import derived_id
from handlers.chat.answer.decide import FailAnswer
from handlers.chat.answer.taking_over import BEAT, Beat, beat_subject
from handlers.commands import Commands, Outcome
from handlers.refusals import Refusal
from infra.retrieval.citations import Passage
from infra.signals import Signals
from infra.telemetry.logs import logger

log = logger(__name__)

AT_ONCE = 16
"""Answers that are made at the same time in one process; more wait."""

Ended = tuple[Made | FailAnswer, Outcome]
Heard = SourcesView | ChunkView | Ended | Exception


class Run:
    """An answer on its way. Who reads it gets all of it, once."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[Heard] = asyncio.Queue()

    def tell(self, heard: Heard) -> None:
        self._told.put_nowait(heard)

    async def read(self) -> AsyncIterator[SourcesView | ChunkView | Ended]:
        """What comes, up to how it ended. Raises what went wrong."""
        while True:
            heard = await self._told.get()
            if isinstance(heard, Exception):
                raise heard
            yield heard
            if isinstance(heard, tuple):
                return

    async def end(self) -> Ended:
        """How it ended. Raises what went wrong."""
        async for heard in self.read():
            if isinstance(heard, tuple):
                return heard
        raise RuntimeError("an answer has no end")


class Runs:
    """Starts answers. When the process ends, those under way are left to the handler that takes over."""

    def __init__(
        self, *, answerer: Answerer, commands: Commands, signals: Signals, clock: Callable[[], datetime]
    ) -> None:
        self._answerer = answerer
        self._commands = commands
        self._signals = signals
        self._clock = clock
        self._free = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, asked: AnswerAsked, intent: Intent) -> Run:
        """Make the answer, also when nobody waits for it any more."""
        run = Run()
        task = asyncio.create_task(self._make(asked, intent, run), name=f"answer {asked.answer_id}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return run

    async def _make(self, asked: AnswerAsked, intent: Intent, run: Run) -> None:
        beating = asyncio.create_task(self._beat(asked.answer_id))
        try:
            async with self._free:
                await self._pieces(asked, intent, run)
        except Exception as failure:
            if not isinstance(failure, Refusal | ConnectionError):
                log.error("answering failed", answer=str(asked.answer_id), exc_info=failure)
            run.tell(failure)
        finally:
            beating.cancel()

    async def _pieces(self, asked: AnswerAsked, intent: Intent, run: Run) -> None:
        async with aclosing(self._answerer.pieces(asked)) as pieces:
            async for each in pieces:
                match each:
                    case Read():
                        await self._tell(run, "sources", sources_view(asked.answer_id, each.passages))
                    case str():
                        await self._tell(run, "chunk", ChunkView(id=asked.answer_id, text=each))
                    case _:
                        run.tell((each, await self._record(each, intent)))

    async def _record(self, ending: Made | FailAnswer, intent: Intent) -> Outcome:
        command = ending.command if isinstance(ending, Made) else ending
        return await self._commands.execute(
            command,
            msgspec.structs.replace(
                intent,
                command_id=derived_id(intent.command_id, "answer"),
                causation_id=None,
                at=self._clock(),
                fingerprint=None,
            ),
        )

    async def _tell(self, run: Run, signal: str, told: SourcesView | ChunkView) -> None:
        run.tell(told)
        await self._signals.send(f"live.answers.{told.id}.{signal}", told)

    async def _beat(self, answer_id: UUID) -> None:
        """Tell the handler that takes over that it need not."""
        while True:
            await self._signals.send(beat_subject(answer_id), Beat(at=self._clock()))
            await asyncio.sleep(BEAT)


def sources_view(answer_id: UUID, passages: tuple[Passage, ...]) -> SourcesView:
    return SourcesView(
        id=answer_id,
        sources=tuple(
            SourceView(
                number=each.number,
                kind=each.hit.kind,
                source_id=each.hit.source_id,
                title=each.title,
                score=round(each.hit.score, 4),
            )
            for each in passages
        ),
    )
