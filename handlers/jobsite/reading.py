"""What handlers look up of a job: its other recordings and files as texts, from the log and the blob store."""

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple
from uuid import UUID

import msgspec

from events.envelope import Key, Recorded
from events.jobsite import (
    AttachmentExtracted,
    AttachmentMoved,
    AttachmentUploaded,
    DiscrepanciesFound,
    Summarised,
)
from handlers.jobsite.action_item.decide import ACTION_ITEMS
from handlers.jobsite.action_item.decide import State as ActionItemState
from handlers.jobsite.builder.decide import BUILDERS, Builder
from handlers.jobsite.job.decide import JOBS, Job
from handlers.jobsite.session.state import Absent, Session, State, evolve
from handlers.refusals import Unavailable
from infra.blobs import BlobMissing, Blobs
from infra.documents import Parsed
from infra.log import TOMBSTONE, Log
from infra.read_models import NotReadable, ReadModels
from infra.related import Related, related
from infra.understanding import Discrepancy, Summary, Understanding
from infra.understanding.sources import Source, document, recording

LARGEST_TEXT = 256 << 20
"""Bytes of a file's text with its pages."""


class Attached(NamedTuple):
    """A file's text, whose it is, and the position at which that became known."""

    source: Source
    session_id: UUID | None
    job_id: UUID | None
    known: int

    def belongs(self, session_id: UUID, job_id: UUID | None) -> bool:
        """Whether it is a recording's, or of the recording's job."""
        return self.session_id == session_id or (job_id is not None and self.job_id == job_id)


class Reading:
    """Reads for handlers of `jobsite`. What the read models and the log disagree on, the log knows better."""

    def __init__(self, models: ReadModels, log: Log, blobs: Blobs) -> None:
        self._models = models
        self._log = log
        self._blobs = blobs

    async def understanding(self, blob: str) -> Understanding:
        """Raises `BlobMissing`, `BlobsUnavailable`."""
        return msgspec.json.decode(await self._blobs.get(blob), type=Understanding)

    async def summary(self, blob: str) -> Summary:
        """Raises `BlobMissing`, `BlobsUnavailable`."""
        return msgspec.json.decode(await self._blobs.get(blob), type=Summary)

    async def discrepancies(self, blob: str) -> tuple[Discrepancy, ...]:
        """Raises `BlobMissing`, `BlobsUnavailable`."""
        return msgspec.json.decode(await self._blobs.get(blob), type=tuple[Discrepancy, ...])

    async def found_later(self, past: Iterable[Recorded[Any]]) -> list[Discrepancy]:
        """What contradicts a session and came to light after it was summed up last. Raises `BlobMissing`."""
        later: list[DiscrepanciesFound] = []
        for each in past:
            if isinstance(each.event, Summarised):
                later = []
            elif isinstance(each.event, DiscrepanciesFound):
                later.append(each.event)
        return [
            found
            for event in later
            for found in await self.discrepancies(event.blob)
            if found.id in event.discrepancies
        ]

    async def past(self, kind: str, id: UUID) -> list[Recorded[Any]]:
        """Every event of something of a job."""
        return list(await self._log.load(Key("jobsite", kind, id)))

    async def session(self, session_id: UUID) -> State:
        """As the log has it."""
        return folded(await self.past("session", session_id))

    async def action_item(self, action_item_id: UUID) -> ActionItemState:
        """As the log has it."""
        past = await self.past("action_item", action_item_id)
        return reduce(ACTION_ITEMS.evolve, (each.event for each in past), ACTION_ITEMS.initial)

    async def items_before(self, cause: Recorded[Any]) -> list[UUID]:
        """The action items of a recording that were added before something happened to it."""
        after = (cause.stream, cause.position)
        found = await self._models.where(
            "jobsite.action_items", "session_id", cause.event.session_id, after=after
        )
        pasts = [await self.past("action_item", each) for each in found]
        return [
            id for id, past in zip(found, pasts, strict=True) if past and past[0].position < cause.position
        ]

    async def builder(self, builder_id: UUID | None) -> Builder | None:
        """A builder that is there."""
        if builder_id is None:
            return None
        past = await self.past("builder", builder_id)
        state = reduce(BUILDERS.evolve, (each.event for each in past), BUILDERS.initial)
        return state if isinstance(state, Builder) else None

    async def job(self, job_id: UUID | None) -> Job | None:
        """A job that is there."""
        if job_id is None:
            return None
        past = await self.past("job", job_id)
        state = reduce(JOBS.evolve, (each.event for each in past), JOBS.initial)
        return state if isinstance(state, Job) else None

    async def related(self, cause: Recorded[Any], *, job_id: UUID | None, session_id: UUID | None) -> Related:
        """The recordings and files of a job, or of a recording without one. Raises `Unavailable`."""
        after = {cause.stream: cause.position}
        try:
            return await related(self._models, job_id=job_id, session_id=session_id, after=after)
        except NotReadable as behind:
            raise Unavailable("NOT_READABLE", f"Comparing waits: {behind}") from behind

    async def compared_with(
        self, cause: Recorded[Any], session_id: UUID, job_id: UUID | None
    ) -> list[Source]:
        """The files of a recording and its job, and the job's recordings from before. Raises `Unavailable`."""
        found = await self.related(cause, job_id=job_id, session_id=session_id)
        attachments = [await self.attachment(each) for each in found.attachments]
        sources = [each.source for each in attachments if each and each.belongs(session_id, job_id)]
        own = await self.past("session", session_id)
        began = own[0].position if own else 0
        for each in found.sessions:
            if earlier := await self._earlier(each, job_id, began):
                sources.append(earlier)
        return sources

    async def attachment(self, attachment_id: UUID) -> Attached | None:
        """A file whose text is known, and whose it is."""
        past = await self.past("attachment", attachment_id)
        if not past or past[-1].event.name == TOMBSTONE:
            return None
        name, text, known = "", None, 0
        for each in past:
            match each.event:
                case AttachmentUploaded() as e:
                    name = e.title or e.file_name
                case AttachmentExtracted() as e:
                    name, text, known = name or e.title or "an attachment", e.blob, each.position
                case AttachmentMoved():
                    known = each.position
        if text is None:
            return None
        try:
            parsed = Parsed.decode(await self._blobs.get(text, LARGEST_TEXT))
        except BlobMissing:
            return None
        last = past[-1].event
        return Attached(await document(attachment_id, name, parsed), last.session_id, last.job_id, known)

    async def said(self, past: Sequence[Recorded[Any]], session: Session) -> Source | None:
        """What was said in a recording, of which this is all that happened, once it is understood."""
        if session.understood is None:
            return None
        try:
            understanding = await self.understanding(session.understood.blob)
        except BlobMissing:
            return None
        title = session.title or f"the recording of {session.recorded_at or past[0].at:%Y-%m-%d %H:%M}"
        return await recording(past[0].event.key.id, title, understanding.transcript.segments)

    async def _earlier(self, session_id: UUID, job_id: UUID | None, than: int) -> Source | None:
        past = await self.past("session", session_id)
        session = folded(past)
        if job_id is None or not isinstance(session, Session) or session.job_id != job_id:
            return None
        return await self.said(past, session) if past[0].position < than else None


def folded(past: Iterable[Recorded[Any]]) -> State:
    """What a session's events make of it."""
    start: State = Absent()
    return reduce(evolve, (each.event for each in past), start)
