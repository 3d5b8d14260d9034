"""A stage that failed is tried again: with the event that it was to follow from, as the log has it."""

import asyncio
from collections.abc import Sequence

from events.envelope import Recorded
from events.jobsite import StageRetried
from handlers.handler import PATIENCE, Answer, Attempt, Failure, Handler
from handlers.jobsite.reading import Reading
from handlers.jobsite.session.commands import FailStage


def retrier(stages: Sequence[Handler], *, reading: Reading) -> Handler:
    """The handler of `stage_retried`.

    `stages` are called as their stage is, or `<stage>_<more>`, whichever context they are of: a stage may follow from
    several kinds of events, and then the newest counts that leaves something to be done.
    """

    async def retry(recorded: Recorded[StageRetried], attempt: Attempt) -> Answer:
        event = recorded.event
        handlers = {each.on: each for each in stages if each.name.partition("_")[0] == event.stage}
        for cause in reversed(await reading.past("session", event.session_id)):
            if handler := handlers.get(type(cause.event)):
                async with asyncio.timeout(handler.timeout):
                    answer = await handler.effect(cause, attempt)
                if answer is not None:
                    return answer
        return None

    def give_up(recorded: Recorded[StageRetried], failure: Failure) -> FailStage:
        event = recorded.event
        return FailStage(
            session_id=event.session_id,
            stage=event.stage,
            code="RETRY_FAILED",
            detail=f"Trying again failed {failure.attempts} times and is among the dead letters. {failure.error}",
            attempts=failure.attempts,
            transcript=event.transcript,
            corrections=event.corrections,
        )

    return Handler(
        name="retry",
        on=StageRetried,
        effect=retry,
        give_up=give_up,
        timeout=max(each.timeout for each in stages),
        backoff=PATIENCE,
        concurrency=2,
    )
