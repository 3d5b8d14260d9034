"""What handlers look up of a job: its other recordings and files as texts, from the log and the blob store."""

from functools import reduce
from typing import Any
from uuid import UUID

import msgspec

from events.envelope import Key, Recorded
from events.jobsite import AttachmentExtracted, AttachmentUploaded
from handlers.jobsite.job.decide import JOBS, Job
from handlers.jobsite.session.state import Absent, Session, State, evolve
from handlers.refusals import Unavailable
from infra.blobs import BlobMissing, Blobs
from infra.documents import Parsed
from infra.log import TOMBSTONE, Log
from infra.read_models import NotReadable, ReadModels
from infra.related import related
from infra.understanding import Understanding
from infra.understanding.sources import Source, document, recording


class Reading:
    """Reads for handlers of `jobsite`. What the read models and the log disagree on, the log knows better."""

    def __init__(self, models: ReadModels, log: Log, blobs: Blobs) -> None:
        self._models = models
        self._log = log
        self._blobs = blobs

    async def understanding(self, blob: str) -> Understanding:
        """Raises `BlobMissing`, `BlobsUnavailable`."""
        return msgspec.json.decode(await self._blobs.get(blob), type=Understanding)

    async def session(self, session_id: UUID) -> State:
        """As the log has it."""
        past = await self._log.load(Key("jobsite", "session", session_id))
        return reduce(evolve, (each.event for each in past), Absent())  # type: ignore[arg-type]

    async def job(self, job_id: UUID | None) -> Job | None:
        """A job that is there."""
        if job_id is None:
            return None
        past = await self._log.load(Key("jobsite", "job", job_id))
        state = reduce(JOBS.evolve, (each.event for each in past), JOBS.initial)
        return state if isinstance(state, Job) else None

    async def compared_with(
        self, cause: Recorded[Any], session_id: UUID, job_id: UUID | None
    ) -> list[Source]:
        """The job's files, and its recordings from before this one. Raises `Unavailable`."""
        try:
            found = await related(
                self._models, job_id=job_id, but=session_id, after={cause.stream: cause.position}
            )
        except NotReadable as behind:
            raise Unavailable("NOT_READABLE", f"Comparing waits: {behind}") from behind
        sources = [await self.attachment(each, job_id) for each in found.attachments]
        began = await self._began(session_id)
        sources += [await self._earlier(each, job_id, began) for each in found.sessions]
        return [each for each in sources if each is not None]

    async def attachment(self, attachment_id: UUID, job_id: UUID | None) -> Source | None:
        """A file's text, if it is known and still belongs to the job."""
        past = await self._log.load(Key("jobsite", "attachment", attachment_id))
        if not past or past[-1].event.name == TOMBSTONE or getattr(past[-1].event, "job_id", None) != job_id:
            return None
        name, text = "", None
        for each in past:
            match each.event:
                case AttachmentUploaded() as e:
                    name = e.title or e.file_name
                case AttachmentExtracted() as e:
                    name, text = name or e.title or "", e.blob
        if text is None:
            return None
        try:
            parsed = Parsed.decode(await self._blobs.get(text))
        except BlobMissing:
            return None
        return document(attachment_id, name or "an attachment", parsed)

    async def _began(self, session_id: UUID) -> int:
        past = await self._log.load(Key("jobsite", "session", session_id))
        return past[0].position if past else 0

    async def _earlier(self, session_id: UUID, job_id: UUID | None, than: int) -> Source | None:
        past = await self._log.load(Key("jobsite", "session", session_id))
        if not past or past[0].position > than:
            return None
        state: State = reduce(evolve, (each.event for each in past), Absent())  # type: ignore[arg-type]
        if not isinstance(state, Session) or state.job_id != job_id or state.understood is None:
            return None
        try:
            understanding = await self.understanding(state.understood.blob)
        except BlobMissing:
            return None
        return recording(session_id, state.title or "an earlier recording", understanding.transcript.segments)
