"""Files that came after a recording was summed up: what in them contradicts it is told too.

A file that is known before a recording is understood is compared by `summarise`. One that comes after the summary is
compared when its text is known. One in between is compared when the summary is there. So each pair is.
"""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

import msgspec

from events.envelope import Recorded
from events.jobsite import (
    AttachmentExtracted,
    AttachmentMoved,
    SessionMoved,
    SourceChanged,
    Summarised,
    Understood,
)
from handlers.handler import Attempt, Handler
from handlers.jobsite.reading import Attached, Reading, folded
from handlers.jobsite.session.commands import RecordDiscrepancies
from handlers.jobsite.session.state import Session
from infra.blobs import Blobs, once
from infra.understanding.sources import GRAMMAR, differing

Answer = Sequence[RecordDiscrepancies]


def comparers(*, reading: Reading, blobs: Blobs) -> tuple[Handler, ...]:
    """The handlers of an attachment's `extracted` and `moved`, and of `summarised`."""

    async def attachment(recorded: Recorded[AttachmentExtracted | AttachmentMoved], _: Attempt) -> Answer:
        found = await reading.attachment(recorded.event.attachment_id)
        if found is None:
            return ()
        related = await reading.related(recorded, job_id=found.job_id, session_id=found.session_id)
        answers = [
            await _compared(each, found, lambda session: "summarise" in session.done)
            for each in related.sessions
        ]
        return [each for each in answers if each]

    async def summarised(recorded: Recorded[Summarised], _: Attempt) -> Answer:
        event = recorded.event
        past = await reading.past("session", event.session_id)
        causes = [each for each in past if isinstance(each.event, Understood | SessionMoved | SourceChanged)]
        seen = max((each.position for each in causes if each.position < recorded.position), default=0)
        related = await reading.related(recorded, job_id=event.job_id, session_id=event.session_id)
        answers = []
        for id in related.attachments:
            found = await reading.attachment(id)
            if found and seen < found.known <= recorded.position:
                answers.append(await _compared(event.session_id, found, lambda _: True))
        return [each for each in answers if each]

    async def _compared(
        session_id: UUID, found: Attached, ready: Callable[[Session], bool]
    ) -> RecordDiscrepancies | None:
        past = await reading.past("session", session_id)
        session = folded(past)
        if (
            not isinstance(session, Session)
            or not ready(session)
            or not found.belongs(session_id, session.job_id)
        ):
            return None
        said = await reading.said(past, session)
        differences = await differing(said, [found.source]) if said else ()
        news = [each for each in differences if each.id not in session.discrepancies]
        if not news:
            return None
        stored = await blobs.put(once(msgspec.json.encode(news)), media_type="application/json")
        return RecordDiscrepancies(
            session_id=session_id,
            blob=stored.key,
            size=stored.size,
            method=GRAMMAR,
            discrepancies=tuple(each.id for each in news),
            attachment_id=found.source.id,
        )

    def handler(name: str, on: type[Any], effect: Any) -> Handler:
        return Handler(name=name, on=on, effect=effect, timeout=300.0, concurrency=2)

    return (
        handler("compare_extracted", AttachmentExtracted, attachment),
        handler("compare_moved", AttachmentMoved, attachment),
        handler("compare_summarised", Summarised, summarised),
    )
