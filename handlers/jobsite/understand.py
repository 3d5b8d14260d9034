"""From what was said to what was meant: spoken commands told apart, the builder and the job found."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import msgspec
from msgspec import structs

from events.envelope import Recorded
from events.ids import derived_id
from events.jobsite import StageRetried, Transcribed, TranscriptCorrected, normalised
from handlers.commands import Command
from handlers.handler import PATIENCE, Answer, Attempt, Failure, Handler
from handlers.jobsite.action_item.decide import AddActionItem
from handlers.jobsite.directory import Directory, Meant, Names, meant
from handlers.jobsite.grammar import by_grammar
from handlers.jobsite.hearing import by_model
from handlers.jobsite.session.commands import FailStage, RecordUnderstanding
from infra.blobs import Blob, BlobMissing, Blobs, once
from infra.generation import GenerationBroken, GenerationFailed, Generator
from infra.log import Log
from infra.speech import Transcript
from infra.speech.corrections import corrected
from infra.understanding import CommandKind, SpokenCommand, Understanding

Heard = Transcribed | TranscriptCorrected


def understanders(
    *, blobs: Blobs, log: Log, generator: Generator | None, clock: Callable[[], datetime]
) -> tuple[Handler, ...]:
    """The handlers of `transcribed` and `transcript_corrected`, and of a retry after they have failed."""
    directory = Directory(log)

    async def understand(recorded: Recorded[Any], attempt: Attempt) -> Answer:
        started = clock()
        event = await _heard(recorded, log)
        if event is None:
            return None
        try:
            content = await blobs.get(_key(event))
        except BlobMissing:
            return _failed(
                event, "TRANSCRIPT_MISSING", "The transcript is gone from the blob store.", attempt.number
            )
        heard = msgspec.json.decode(content, type=Transcript)
        transcript = await asyncio.to_thread(corrected, heard, event.corrections)
        today = (event.recorded_at or recorded.at).date()
        try:
            found = await _understood(transcript, today, generator)
        except GenerationBroken:
            raise  # as when the model server does not answer at all
        except GenerationFailed as useless:
            return _failed(event, "UNDERSTANDING_UNUSABLE", useless.detail, attempt.number)
        stored = await blobs.put(once(msgspec.json.encode(found)), media_type="application/json")
        who = await _who(event, found, directory)
        items, done = _told(event, found, who, stored, recorded.position)
        return [*who.added, *items, structs.replace(done, attempts=attempt.number, started_at=started)]

    def give_up(recorded: Recorded[Any], failure: Failure) -> FailStage:
        detail = (
            f"Understanding failed {failure.attempts} times and is among the dead letters. {failure.error}"
        )
        return _failed(recorded.event, "UNDERSTANDING_FAILED", detail, failure.attempts)

    def handler(name: str, on: type[Heard] | type[StageRetried]) -> Handler:
        return Handler(
            name=name,
            on=on,
            effect=understand,
            give_up=give_up,
            timeout=600.0,
            backoff=PATIENCE,
            concurrency=4,
        )

    return (
        handler("understand", Transcribed),
        handler("understand_again", TranscriptCorrected),
        handler("understand_retry", StageRetried),
    )


async def _heard(recorded: Recorded[Any], log: Log) -> Heard | None:
    """What is to be understood; of a retry, what the log holds of it now."""
    event = recorded.event
    if not isinstance(event, StageRetried):
        return event  # type: ignore[no-any-return]
    if event.stage != "understand":
        return None
    known = [each.event for each in await log.load(event.key) if isinstance(each.event, Heard)]
    return known[-1] if known else None


async def _understood(transcript: Transcript, today: date, generator: Generator | None) -> Understanding:
    if generator is None:
        return await asyncio.to_thread(by_grammar, transcript, today)  # of hours of speech it takes seconds
    return await by_model(transcript, today, generator)


def _key(event: Heard) -> str:
    return event.blob if isinstance(event, Transcribed) else event.transcript


def _said(found: Understanding, kind: CommandKind) -> str | None:
    """The last one counts: people correct themselves."""
    return next((each.text for each in reversed(found.commands) if each.kind == kind), None)


async def _who(event: Heard, found: Understanding, directory: Directory) -> Meant:
    job, builder = _said(found, "job"), _said(found, "builder")
    if event.job_chosen or not (job or builder):
        return Meant(None, event.job_id if event.job_chosen else None)
    names: Names = await directory.names()
    return await asyncio.to_thread(meant, event.session_id, job, builder, names)


def _told(
    event: Heard, found: Understanding, who: Meant, stored: Blob, as_of: int
) -> tuple[Sequence[Command], RecordUnderstanding]:
    """The action items, and that it is understood: that comes last, so that everything else is in the log then."""
    asked = dict(asked_for(event.session_id, found.commands))
    items = [
        AddActionItem(
            action_item_id=id,
            text=each.text,
            owner=each.owner,
            due=each.due,
            session_id=event.session_id,
            job_id=who.job_id,
            quote=each.quote,
            place=each.place,
            method=found.method,
            as_of=as_of,
        )
        for id, each in asked.items()
    ]
    done = RecordUnderstanding(
        session_id=event.session_id,
        transcript=_key(event),
        corrections=len(event.corrections),
        blob=stored.key,
        size=stored.size,
        method=found.method,
        job_id=who.job_id,
        builder_id=who.builder_id,
        suggestions=who.suggestions,
        commands=len(found.commands),
        action_items=tuple(asked),
    )
    return items, done


def asked_for(session_id: UUID, commands: Iterable[SpokenCommand]) -> Iterator[tuple[UUID, SpokenCommand]]:
    """What is to be done, each under its id: the same words ask for the same thing, also in a note understood anew.

    Asked of two people, or for two days, it is two things; said once without and once with them, it is one.
    """
    told: dict[str, list[SpokenCommand]] = {}
    for each in commands:
        if each.kind == "action_item":
            same = told.setdefault(normalised(each.text), [])
            known = next((n for n, other in enumerate(same) if _alike(each, other)), None)
            if known is None:
                same.append(each)
            else:
                first = same[known]
                same[known] = structs.replace(
                    first, owner=first.owner or each.owner, due=first.due or each.due
                )
    for text, several in told.items():
        for n, each in enumerate(several):
            who = (each.owner or "", str(each.due or "")) if n else ()
            yield derived_id(session_id, "action item", text, *who), each


def _alike(one: SpokenCommand, other: SpokenCommand) -> bool:
    """Whether nothing that one says is otherwise in the other."""
    return all(
        mine is None or theirs is None or mine == theirs
        for mine, theirs in ((one.owner, other.owner), (one.due, other.due))
    )


def _failed(event: Any, code: str, detail: str, attempts: int) -> FailStage:
    retried = isinstance(event, StageRetried)
    return FailStage(
        session_id=event.session_id,
        stage="understand",
        code=code,
        detail=detail,
        attempts=attempts,
        transcript=event.transcript if retried else _key(event),
        corrections=event.corrections if retried else len(event.corrections),
    )
