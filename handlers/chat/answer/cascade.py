"""What an answer used may be deleted: then the answer goes, too, because it may repeat what was said there.

So do answers to questions that followed it.
"""

from typing import Any

from events.chat import AnswerAnswered, AnswerAsked, AnswerDeleted
from events.envelope import Event, Key, Recorded
from events.jobsite import AttachmentDeleted, SessionDeleted
from events.knowledge import DocumentDeleted
from handlers.chat.answer.decide import DeleteAnswer
from handlers.handler import Attempt, Handler
from infra.log import TOMBSTONE, Log
from infra.read_models import ReadModels

SOURCES: tuple[type[Event], ...] = (SessionDeleted, AttachmentDeleted, DocumentDeleted)
STREAM = "CHAT"
LONGEST = 600.0


def cascades(*, models: ReadModels, log: Log) -> tuple[Handler, ...]:
    """The handlers of the tombstones of sources, and of answers that come too late for them."""
    return (
        *(_cascade(tombstone, models, log) for tombstone in SOURCES),
        _late(log),
        _followers(models, log),
        _late_follower(log),
    )


def _cascade(tombstone: type[Event], models: ReadModels, log: Log) -> Handler:
    async def delete_answers(recorded: Recorded[Any], _: Attempt) -> list[DeleteAnswer]:
        """What is answered by now is in the read model; what is answered later finds the tombstone."""
        source = recorded.event.key.id
        after = (STREAM, await log.last_position(STREAM))
        found = await models.where("chat.answer_passages", "source_id", source, after=after, id="answer_id")
        return [DeleteAnswer(answer_id=each, source_id=source) for each in found]

    return Handler(
        name=f"{tombstone.aggregate}_answers", on=tombstone, effect=delete_answers, timeout=LONGEST
    )


def _late(log: Log) -> Handler:
    async def delete_late(recorded: Recorded[AnswerAnswered], _: Attempt) -> DeleteAnswer | None:
        e = recorded.event
        for source in {(each.context, each.kind, each.source_id) for each in e.references}:
            if TOMBSTONE in await log.held(Key(*source)):
                return DeleteAnswer(answer_id=e.answer_id, source_id=source[2])
        return None

    return Handler(name="late_answer", on=AnswerAnswered, effect=delete_late)


def _followers(models: ReadModels, log: Log) -> Handler:
    async def delete_followers(recorded: Recorded[AnswerDeleted], _: Attempt) -> list[DeleteAnswer]:
        e = recorded.event
        after = (STREAM, await log.last_position(STREAM))
        found = await models.where("chat.answers", "follows", e.answer_id, after=after)
        return [DeleteAnswer(answer_id=each, source_id=e.source_id) for each in found]

    return Handler(name="answer_followers", on=AnswerDeleted, effect=delete_followers, timeout=LONGEST)


def _late_follower(log: Log) -> Handler:
    async def delete_late(recorded: Recorded[AnswerAsked], _: Attempt) -> DeleteAnswer | None:
        e = recorded.event
        if e.follows and TOMBSTONE in await log.held(Key("chat", "answer", e.follows)):
            return DeleteAnswer(answer_id=e.answer_id)
        return None

    return Handler(name="late_follower", on=AnswerAsked, effect=delete_late)
