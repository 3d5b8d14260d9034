"""Recordings that were found to contradict something, once that says something else or is gone.

They are compared again with what is there now, or, where they were being compared just then, once that is done.
What quotes something deleted, in summaries, findings and reports, is named in the event, so that it is forgotten
(`handlers/operations/erasing.py`).
"""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from events.envelope import Key, Recorded
from events.jobsite import (
    AttachmentDeleted,
    AttachmentMoved,
    DiscrepanciesFound,
    Reported,
    SessionDeleted,
    SessionMoved,
    SourceChanged,
    Summarised,
    Understood,
)
from handlers.handler import Attempt, Handler
from handlers.jobsite.reading import Reading
from handlers.jobsite.session.commands import Reconsider
from infra.blobs import BlobMissing
from infra.log import TOMBSTONE, Log
from infra.read_models import ReadModels
from infra.understanding import Discrepancy, Quote

GONE = (SessionDeleted, AttachmentDeleted)
CHANGED = (Understood, SessionMoved, AttachmentMoved)
CAUSES = (Understood, SessionMoved, SourceChanged)
"""What a recording is summed up because of."""
LONGEST = 600.0


def reconsiderers(*, reading: Reading, models: ReadModels, log: Log) -> tuple[Handler, ...]:
    """The handlers of what may be quoted elsewhere, and of quotes that come too late."""

    async def reconsider(recorded: Recorded[Any], _: Attempt) -> Sequence[Reconsider]:
        source, gone = recorded.event.key.id, isinstance(recorded.event, GONE)
        if isinstance(recorded.event, Understood) and await _for_the_first_time(recorded):
            return ()  # nothing can have quoted it
        after = (recorded.stream, recorded.position)
        table = "jobsite.quotes" if gone else "jobsite.discrepancies"  # of old summaries, too, or of the last
        quoting = await models.where(table, "source_id", source, after=after, id="session_id")
        return [await _reconsidered(each, source, gone) for each in quoting if each != source]

    async def _for_the_first_time(understood: Recorded[Understood]) -> bool:
        past = await reading.past("session", understood.event.session_id)
        return not any(
            isinstance(each.event, Understood) and each.position < understood.position for each in past
        )

    async def late(recorded: Recorded[Summarised | DiscrepanciesFound], _: Attempt) -> Sequence[Reconsider]:
        session = recorded.event.session_id
        quoted = {(each.source, each.source_id) for each in await _quoted(recorded.event)}
        answers = []
        for kind, id in sorted(quoted):
            if TOMBSTONE in await log.held(Key("jobsite", kind, id)):
                answers.append(await _reconsidered(session, id, True))
            elif (
                id != session and isinstance(recorded.event, Summarised) and await _outrun(recorded, kind, id)
            ):
                answers.append(await _reconsidered(session, id, False))
        return answers

    async def _outrun(summarised: Recorded[Any], kind: str, source: UUID) -> bool:
        """Whether what is quoted says something else, or went elsewhere, since it was begun to sum up: nobody knows
        which words were read."""
        own = await reading.past("session", summarised.event.session_id)
        causes = [each.position for each in own if isinstance(each.event, CAUSES)]
        begun = max((each for each in causes if each < summarised.position), default=0)
        past = await reading.past(kind, source)
        heard = [each.position for each in past if isinstance(each.event, Understood)]
        moves = [each.position for each in past if isinstance(each.event, SessionMoved | AttachmentMoved)]
        if any(begun < each < summarised.position for each in heard[1:]):
            return True
        moved = any(begun < each < summarised.position for each in moves)
        return moved and not _related(past, summarised.event)

    async def _reconsidered(session: UUID, source: UUID, gone: bool) -> Reconsider:
        forgotten = await _quoting(session, source) if gone else ()
        return Reconsider(session_id=session, source_id=source, gone=gone, forgotten=tuple(forgotten))

    async def _quoting(session: UUID, source: UUID) -> Iterable[str]:
        """The blobs that hold words of a source, as far as they are still there."""
        found = list[str]()
        told = False
        for each in await reading.past("session", session):
            match each.event:
                case Summarised() | DiscrepanciesFound() as e:
                    if any(quote.source_id == source for quote in await _quoted(e)):
                        told = True
                        found.append(e.blob)
                case Reported() as e if told:
                    found += (e.html, e.text)
        return dict.fromkeys(found)

    async def _quoted(e: Summarised | DiscrepanciesFound) -> list[Quote]:
        """What it says that something contradicts."""
        try:
            if isinstance(e, Summarised):
                found: Sequence[Discrepancy] = (await reading.summary(e.blob)).discrepancies
            else:
                found = await reading.discrepancies(e.blob)
        except BlobMissing:
            return []
        return [each.against for each in found]

    return (
        *(
            Handler(
                name=f"reconsider_{each.aggregate}_{each.name}", on=each, effect=reconsider, timeout=LONGEST
            )
            for each in (*GONE, *CHANGED)
        ),
        *(
            Handler(name=f"late_quote_{each.name}", on=each, effect=late, timeout=LONGEST)
            for each in (Summarised, DiscrepanciesFound)
        ),
    )


def _related(past: Sequence[Recorded[Any]], summarised: Summarised) -> bool:
    """Whether a recording or a file is still of a recording or its job."""
    job, last = summarised.job_id, past[-1].event
    if getattr(last, "attachment_id", None) and last.session_id == summarised.session_id:
        return True
    return job is not None and last.job_id == job
