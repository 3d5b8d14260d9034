"""Dead letters: how a failed event becomes one, and how one is driven through its handler again."""

from collections.abc import Callable, Mapping
from datetime import datetime
from uuid import UUID, uuid5

from events.envelope import Intent, Key, Recorded
from events.ids import new_id
from events.operations import Recorded as DeadLetter
from events.operations import Redriven
from handlers.answering import Answering
from handlers.commands import Commands
from handlers.handler import Attempt, Failure, Handler, NotYet, Poison, cause_of
from handlers.operations.decide import Absent, Letter, RecordDeadLetter, Reopen, Resolve, evolve
from handlers.refusals import Unavailable
from infra.jetstream import LogUnavailable
from infra.log import Log

PLACES = UUID("6f3a0c1e-52b4-5f0e-9a51-6b8f2f0d7c11")
"""Name space of dead letter ids: the same event and handler are always the same letter."""


AT_ONCE = 8
"""Letters that a worker drives at once; those of one aggregate wait for each other."""
TURN = 2.0
"""Seconds until a letter asks again whether those before it have been driven."""


def dead_letter_id(stream: str, position: int, handler: str) -> UUID:
    return uuid5(PLACES, f"{stream}@{position} {handler}")


async def bury(failure: Failure, *, commands: Commands, clock: Callable[[], datetime]) -> None:
    """Record what a handler could not deal with. Doing it again while the letter is open changes nothing."""
    correlation = failure.correlation_id or new_id()
    intent = Intent(
        command_id=new_id(), actor=f"handler:{failure.handler}", at=clock(), correlation_id=correlation
    )
    letter = RecordDeadLetter(
        dead_letter_id=dead_letter_id(failure.stream, failure.position, failure.handler),
        stream=failure.stream,
        position=failure.position,
        subject=failure.subject,
        handler=failure.handler,
        error=failure.error,
        attempts=failure.attempts,
        event_id=failure.event_id,
    )
    await commands.execute(letter, intent, fresh=True)


def redriver(handlers: Mapping[str, Handler], *, log: Log, answering: Answering) -> Handler:
    """The handler of `redriven`: runs the original handler once more, letters of one aggregate in their order."""

    async def redrive(recorded: Recorded[Redriven], attempt: Attempt) -> Resolve | Reopen:
        letter_id = recorded.event.dead_letter_id
        earlier = [await _status(each, log) for each in recorded.event.after]
        waiting = earlier.count("open")
        if not waiting and "redriving" in earlier:
            raise NotYet(TURN)
        try:
            if waiting:
                raise Poison(f"{waiting} earlier dead letters of the same aggregate are still open")
            await _once_more(recorded, attempt)
        except (LogUnavailable, Unavailable):
            raise
        except Exception as again:
            return Reopen(dead_letter_id=letter_id, error=cause_of(again))
        return Resolve(dead_letter_id=letter_id)

    async def _once_more(cause: Recorded[Redriven], attempt: Attempt) -> None:
        history = await log.load(cause.event.key)
        letter = next(each.event for each in reversed(history) if isinstance(each.event, DeadLetter))
        handler = handlers.get(letter.handler)
        if handler is None:
            raise Poison(f"no handler is called {letter.handler}")
        event = await log.at(letter.stream, letter.position)
        if event is None:
            return  # erased since: nothing is left to do
        await answering.answer(handler, event, attempt, again=str(cause.id))

    def give_up(recorded: Recorded[Redriven], failure: Failure) -> Reopen:
        return Reopen(dead_letter_id=recorded.event.dead_letter_id, error=failure.error)

    longest = max((handler.timeout for handler in handlers.values()), default=60.0)
    return Handler(
        name="redrive",
        on=Redriven,
        effect=redrive,
        give_up=give_up,
        timeout=longest + 5,
        concurrency=AT_ONCE,
    )


async def _status(letter: UUID, log: Log) -> str:
    """What has become of a letter; nothing when there is none."""
    state: Absent | Letter = Absent()
    for each in await log.load(Key("operations", "dead_letter", letter)):
        state = evolve(state, each.event)  # type: ignore[arg-type]  # the key says whose events these are
    return state.status if isinstance(state, Letter) else ""
