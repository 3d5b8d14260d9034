"""Questions that no process has answered: the one that was at it has died, so the answer is made here."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from events.chat import AnswerAsked
from events.envelope import Recorded
from handlers.chat.answer.decide import ANSWERS, FailAnswer, Open, RecordAnswer
from handlers.commands import Commands
from handlers.handler import PATIENCE, Attempt, Failure, Handler
from infra.signals import Signals

BEAT = 2.0
"""Seconds between two signs of life of whoever makes an answer."""
SILENT = timedelta(seconds=3 * BEAT)
"""After so long without one, nobody does."""
PAUSE = 0.5
LONGEST_PAUSE = 2.0

Make = Callable[[AnswerAsked], Awaitable[RecordAnswer | FailAnswer]]


class Beat(msgspec.Struct, frozen=True):
    """A sign of life."""

    at: datetime


def beat_subject(answer_id: UUID) -> str:
    """Where whoever makes an answer gives signs of life."""
    return f"live.answers.{answer_id}.beat"


def taking_over(
    *, make: Make, commands: Commands, signals: Signals, clock: Callable[[], datetime]
) -> Handler:
    """The handler of `asked`."""

    async def take_over(recorded: Recorded[AnswerAsked], _: Attempt) -> RecordAnswer | FailAnswer | None:
        asked, pause = recorded.event, PAUSE
        while await alive(asked.answer_id, recorded.at):
            await asyncio.sleep(pause)
            if not await still_open(asked.answer_id):
                return None
            pause = min(1.5 * pause, LONGEST_PAUSE)
        return await make(asked) if await still_open(asked.answer_id) else None

    async def still_open(answer_id: UUID) -> bool:
        state = await commands.look(ANSWERS, answer_id)
        return isinstance(state, Open)

    async def alive(answer_id: UUID, since: datetime) -> bool:
        """Whether whoever was asked has given a sign of life lately."""
        subject = beat_subject(answer_id)
        heard = (await signals.latest([subject], Beat)).get(subject)
        last = max(since, heard.at) if heard else since
        return clock() - last < SILENT

    def give_up(recorded: Recorded[Any], failure: Failure) -> FailAnswer:
        return FailAnswer(
            answer_id=recorded.event.answer_id,
            code="ANSWERING_FAILED",
            detail=f"It could not be answered in {failure.attempts} attempts. {failure.error}",
        )

    return Handler(
        name="answer",
        on=AnswerAsked,
        effect=take_over,
        give_up=give_up,
        timeout=600.0,
        backoff=PATIENCE,
        concurrency=32,
    )
