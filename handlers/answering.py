"""One attempt of a handler at one event: the effect, then its commands, each under an id derived from the event."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any
from uuid import UUID

from events.envelope import Event, Intent, Recorded
from events.ids import derived_id, new_id
from handlers.commands import Command, Commands, Outcome
from handlers.handler import Attempt, Handler, NotYet, commands_of
from handlers.refusals import Unavailable
from infra.blobs.expecting import working_for
from infra.blobs.names import named
from infra.blobs.noting import noting
from infra.telemetry.logs import logger
from infra.telemetry.traces import inject

log = logger(__name__)

LetGo = Callable[[Collection[str]], Awaitable[None]]
Execute = Callable[..., Awaitable[Outcome]]

PERSISTENCE = 0.5
"""Seconds between two tries to record an effect that cannot be taken back."""
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
        self._under_way: set[tuple[str, UUID]] = set()

    async def answer(
        self, handler: Handler, recorded: Recorded[Any], attempt: Attempt, *, again: str = ""
    ) -> None:
        """Run the effect within its time and execute its commands.

        `again` sets the commands of a redrive apart from those of the attempts before it. Raises what the effect
        raises, `NotYet`, `TimeoutError`, or a `Refusal`.
        """
        if handler.announce is None:
            await self._run(handler, recorded, attempt, again, self.execute)
            return
        run = (handler.name, recorded.id)
        if run in self._under_way:
            raise NotYet(1.0)  # given out again because the log was away; whoever is at it will record it
        self._under_way.add(run)
        try:
            if await self._begins(handler.announce(recorded), recorded, handler.name):
                await self._run(handler, recorded, attempt, again, self._persist)
        finally:
            self._under_way.discard(run)

    async def _run(
        self, handler: Handler, recorded: Recorded[Any], attempt: Attempt, again: str, execute: Execute
    ) -> None:
        try:
            with noting() as stored, working_for(recorded.event.key):
                async with asyncio.timeout(handler.timeout) as limit:
                    commands = commands_of(await handler.effect(recorded, attempt))
        except TimeoutError as late:
            if limit.expired():
                raise TimeoutError(f"no answer within {handler.timeout:g} s") from late
            raise
        try:
            for n, command in enumerate(commands, start=1):
                last = LAST if n == len(commands) else str(n)
                outcome = await execute(command, recorded, handler.name, again, last)
                stored -= {blob for event in outcome.events for blob in named(event)}
        finally:
            if stored and self._let_go:  # a result that came too late, or was not the first
                await self._let_go(stored)

    async def _begins(self, begin: Command, cause: Recorded[Event], name: str) -> bool:
        """Say that an effect that cannot be taken back begins; whether it is still wanted.

        Each run says so under an id of its own: so one that said it and has not come back is known to the next.
        """
        outcome = await self._commands.execute(begin, self._intent(cause, name, "begins", str(new_id())))
        return bool(outcome.events)

    async def _persist(self, command: Command, cause: Recorded[Event], *names: str) -> Outcome:
        """Record what cannot be taken back, however long the log is away; only the end of the process prevents it."""
        while True:
            try:
                return await self.execute(command, cause, *names)
            except Unavailable as away:
                log.warning("an effect waits to be recorded", handler=names[0], cause=away)
                await asyncio.sleep(PERSISTENCE)

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
