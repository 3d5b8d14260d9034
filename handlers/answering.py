"""One attempt of a handler at one event: the effect, then its commands, each under an id derived from the event."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from events.envelope import Event, Intent, Recorded
from events.ids import derived_id
from handlers.commands import Command, Commands, Outcome
from handlers.handler import Attempt, Handler, commands_of
from infra.blobs.names import named
from infra.blobs.noting import noting
from infra.telemetry.traces import inject

LetGo = Callable[[Collection[str]], Awaitable[None]]

LAST = "last"
"""Names the command that ends an answer: once it is in the log, so is all of the answer."""


class Answering:
    """Runs effects and carries out what they answer. Doing so twice changes nothing."""

    def __init__(
        self, commands: Commands, clock: Callable[[], datetime], *, let_go: LetGo | None = None
    ) -> None:
        """`let_go` is told of blobs that an effect has stored and no event of its answer names."""
        self._commands = commands
        self._clock = clock
        self._let_go = let_go

    async def answer(
        self, handler: Handler, recorded: Recorded[Any], attempt: Attempt, *, again: str = ""
    ) -> None:
        """Run the effect within its time and execute its commands.

        `again` sets the commands of a redrive apart from those of the attempts before it. Raises what the effect
        raises, `TimeoutError`, or a `Refusal`.
        """
        try:
            with noting() as stored:
                async with asyncio.timeout(handler.timeout) as limit:
                    commands = commands_of(await handler.effect(recorded, attempt))
        except TimeoutError as late:
            if limit.expired():
                raise TimeoutError(f"no answer within {handler.timeout:g} s") from late
            raise
        try:
            for n, command in enumerate(commands, start=1):
                last = LAST if n == len(commands) else str(n)
                outcome = await self.execute(command, recorded, handler.name, again, last)
                stored -= {blob for event in outcome.events for blob in named(event)}
        finally:
            if stored and self._let_go:  # a result that came too late, or was not the first
                await self._let_go(stored)

    async def execute(self, command: Command, cause: Recorded[Event], *names: str) -> Outcome:
        """Carry out one command that follows from an event."""
        return await self._commands.execute(command, self._intent(cause, *names))

    async def answered(self, handler: Handler, recorded: Recorded[Any]) -> bool:
        """Whether an earlier attempt got as far as its answer: then a redelivery need not do the work again."""
        last = command_id(recorded, handler.name, "", LAST)
        return await self._commands.done(recorded.event.key, last, behind=recorded.position)

    def _intent(self, cause: Recorded[Event], *names: str) -> Intent:
        return Intent(
            command_id=command_id(cause, *names),
            actor=f"handler:{names[0]}",
            at=self._clock(),
            correlation_id=cause.correlation_id,
            causation_id=cause.id,
            trace=inject() or cause.trace,
        )


def command_id(cause: Recorded[Event], *names: str) -> UUID:
    """The id of a command that follows from an event: the same each time it is worked out."""
    return derived_id(cause.id, *names)
