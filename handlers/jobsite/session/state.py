"""What decisions about a recording need to know, and what each fact makes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from events.jobsite import (
    BELOW,
    PIPELINE,
    AudioUploaded,
    Correction,
    DiscrepanciesFound,
    DiscrepancyAccepted,
    DiscrepancyDismissed,
    Indexed,
    Notified,
    Reported,
    ReportRequested,
    SessionDeleted,
    SessionEvent,
    SessionMoved,
    SessionRenamed,
    SourceChanged,
    Stage,
    StageFailed,
    StageRetried,
    Status,
    Summarised,
    Transcribed,
    TranscriptCorrected,
    TranscriptionFailed,
    TranscriptionRequested,
    TranscriptProposed,
    Understood,
)


@dataclass(frozen=True)
class Absent:
    """Nothing was ever uploaded under this id."""


@dataclass(frozen=True)
class Deleted:
    """It was there, and is gone: late news changes nothing."""


@dataclass(frozen=True)
class Session:
    """What came in, what holds of each stage, and how far the stages are."""

    audio: str
    job_id: UUID | None = None
    chosen: bool = False
    """Whether people said whose job it is: then what the recording says of it does not matter."""
    title: str | None = None
    recorded_at: datetime | None = None
    notify_email: str | None = None
    transcript: str | None = None
    corrections: tuple[Correction, ...] = ()
    understood: Understood | None = None
    summarised: Summarised | None = None
    chunk_sets: Mapping[str, str] = field(default_factory=dict)
    """Blob keys by index, of the transcript that holds; also those whose job is no longer right."""
    indexes: frozenset[str] = frozenset()
    """Those that can be searched under the right job."""
    report: int | None = None
    """The edition that holds."""
    editions: int = 0
    asked: UUID | None = None
    """The open request for another report: everybody is to have it, also who has one that quotes what is gone."""
    done: frozenset[Stage] = frozenset()
    failed: frozenset[Stage] = frozenset()
    retries: Mapping[Stage, int] = field(default_factory=dict)
    requests: Mapping[UUID, TranscriptProposed | None] = field(default_factory=dict)
    """Requests for other transcripts that are open, with what was proposed."""
    taken: frozenset[UUID] = frozenset()
    """Requests whose transcript was taken."""
    discrepancies: frozenset[UUID] = frozenset()
    decided: Mapping[UUID, bool] = field(default_factory=dict)
    notes: Mapping[UUID, str] = field(default_factory=dict)
    """What people wrote when they decided."""

    @property
    def status(self) -> Status:
        if self.failed:
            return "failed"
        return "completed" if self.done >= set(PIPELINE) else "processing"

    @property
    def asked_for(self) -> tuple[UUID, ...]:
        """The action items of the results that hold."""
        results = (("understand", self.understood), ("summarise", self.summarised))
        return tuple(
            [id for stage, made in results if made and stage in self.done for id in made.action_items]
        )

    def holds(self, transcript: str | None, corrections: int | None) -> bool:
        """Whether something was made of the transcript as it is now; what is not told is not doubted."""
        same = transcript is None or transcript == self.transcript
        return same and (corrections is None or corrections == len(self.corrections))


State = Absent | Session | Deleted


def evolve(state: State, event: SessionEvent) -> State:
    match event, state:
        case AudioUploaded() as e, _:
            return Session(
                audio=e.blob,
                job_id=e.job_id,
                chosen=e.job_id is not None,
                title=e.title,
                recorded_at=e.recorded_at,
                notify_email=e.notify_email,
            )
        case SessionDeleted(), _:
            return Deleted()
        case _, Session() as s:
            return _stages(s, event)
    return state


def _stages(s: Session, event: SessionEvent) -> Session:
    match event:
        case Transcribed() as e:
            return replace(
                _again(_taken(s, e.request_id), "transcribe", done=True),
                transcript=e.blob,
                corrections=e.corrections,
                chunk_sets={},
            )
        case TranscriptCorrected() as e:
            return replace(_again(s, "transcribe", done=True), corrections=e.corrections, chunk_sets={})
        case Understood() as e:
            return replace(_again(s, "understand", done=True), understood=e, job_id=e.job_id, chunk_sets={})
        case Summarised() as e:
            found = s.discrepancies | set(e.discrepancies)
            return replace(_again(s, "summarise", done=True), summarised=e, discrepancies=found)
        case Indexed() as e:
            sets = {**s.chunk_sets, e.index: e.blob}
            return replace(_again(s, "index", done=True), indexes=s.indexes | {e.index}, chunk_sets=sets)
        case Reported() as e:
            told = replace(s, asked=None, report=e.edition, editions=e.edition)
            return _again(told, "report", done=True)
        case ReportRequested() as e:
            return replace(_again(s, "summarise", done=True), asked=e.request_id)
        case Notified():
            return _again(s, "notify", done=True)
    return _requests(s, event)


def _requests(s: Session, event: SessionEvent) -> Session:
    match event:
        case StageFailed() as e:
            return replace(s, failed=s.failed | {e.stage})
        case StageRetried() as e:
            return replace(s, failed=s.failed - {e.stage}, retries={**s.retries, e.stage: e.retry})
        case TranscriptionRequested() as e:
            return replace(s, requests={**s.requests, e.request_id: None})
        case TranscriptProposed() as e:
            return replace(s, requests={**s.requests, e.request_id: e})
        case TranscriptionFailed() as e:
            return replace(s, requests=_without(s, e.request_id))
        case SessionRenamed() as e:
            return replace(s, title=e.title)
        case SessionMoved() as e:
            moved = s if e.job_id == s.job_id else _moved(s)
            return replace(moved, job_id=e.job_id, chosen=True)
        case SourceChanged() as e:
            again = _again(s, "summarise") if e.understanding else s
            return replace(again, asked=e.source_id) if e.forgotten else again
        case DiscrepanciesFound() as e:
            return replace(s, discrepancies=s.discrepancies | set(e.discrepancies))
        case DiscrepancyAccepted() | DiscrepancyDismissed() as e:
            accepted = isinstance(e, DiscrepancyAccepted)
            return replace(
                s,
                decided={**s.decided, e.discrepancy_id: accepted},
                notes={**s.notes, e.discrepancy_id: e.note},
            )
    return s


def _again(s: Session, stage: Stage, *, done: bool = False) -> Session:
    """The stage has a new result, or none any more; what was made of its last one no longer counts."""
    void = {stage, *BELOW[stage]}
    return replace(
        s,
        done=s.done - void | ({stage} if done else set()),
        failed=s.failed - void,
        indexes=frozenset() if "index" in BELOW[stage] else s.indexes,
        report=None if "report" in BELOW[stage] else s.report,
    )


def _moved(s: Session) -> Session:
    """Another job: its vectors go there, and what compares within a job is done again."""
    if "understand" in s.done:
        return _again(s, "understand", done=True)
    return replace(_again(s, "index"), indexes=frozenset())


def _taken(s: Session, request: UUID | None) -> Session:
    if request is None:
        return s
    return replace(s, requests=_without(s, request), taken=s.taken | {request})


def _without(s: Session, request: UUID) -> Mapping[UUID, TranscriptProposed | None]:
    return {each: proposed for each, proposed in s.requests.items() if each != request}
