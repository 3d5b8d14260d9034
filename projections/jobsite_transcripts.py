"""What was said, as rows: the text, its segments, and other transcripts that were asked for."""

from collections.abc import Iterator
from typing import Any

import msgspec

from events.envelope import Recorded
from events.jobsite import (
    Transcribed,
    TranscriptCorrected,
    TranscriptionFailed,
    TranscriptionRequested,
    TranscriptProposed,
)
from infra.chunking import full_text, segment_spans
from infra.speech import Segment, Transcript
from infra.speech.corrections import corrected
from projections.changes import Change, delete, patch, upsert
from projections.jobsite_stages import touched
from projections.jobsite_tables import SEGMENTS, SESSIONS, TRANSCRIPTIONS


def transcribed(e: Transcribed, recorded: Recorded[Any], content: Transcript | None) -> Iterator[Change]:
    """A transcript that holds from now on."""
    about = {"seconds": e.seconds, "language": e.language, "model": e.model, "words": e.words}
    yield from said(e, recorded, content, **about, corrections=len(e.corrections))
    if e.request_id:
        yield patch(
            TRANSCRIPTIONS,
            session_id=e.session_id,
            request_id=e.request_id,
            state="accepted",
            updated_at=recorded.at,
        )


def said(
    e: Transcribed | TranscriptCorrected, recorded: Recorded[Any], content: Transcript | None, **about: Any
) -> Iterator[Change]:
    """The text as it reads with all corrections, whole and in segments."""
    segments = corrected(content, e.corrections).segments if content else ()
    text = full_text(segments) if content else None
    yield patch(SESSIONS, id=e.session_id, transcript=text, **about, **touched(recorded))
    yield delete(SEGMENTS, session_id=e.session_id)
    for n, (segment, (first, last)) in enumerate(zip(segments, segment_spans(segments), strict=True)):
        yield _segment(e.session_id, n, segment, first, last)


def _segment(session_id: Any, n: int, segment: Segment, first: int, last: int) -> Change:
    return upsert(
        SEGMENTS,
        session_id=session_id,
        n=n,
        text=segment.text,
        start_s=segment.start,
        end_s=segment.end,
        start_char=first,
        end_char=last,
        confidence=segment.confidence,
        speaker=segment.speaker,
        words=msgspec.json.encode(segment.words).decode(),
    )


def transcription(recorded: Recorded[Any]) -> Iterator[Change]:
    """A request for another transcript, and what came of it."""
    event = recorded.event
    key = {"session_id": event.session_id, "request_id": event.request_id}
    match event:
        case TranscriptionRequested() as e:
            asked = {"model": e.model, "dry_run": e.dry_run, "requested_at": recorded.at}
            yield upsert(TRANSCRIPTIONS, **key, state="requested", **asked, updated_at=recorded.at)
        case TranscriptProposed() as e:
            found = {"blob": e.blob, "model": e.model, "words": e.words, "against": e.against}
            yield patch(TRANSCRIPTIONS, **key, state="proposed", **found, updated_at=recorded.at)
        case TranscriptionFailed() as e:
            error = {"error_code": e.code, "error_detail": e.detail}
            yield patch(TRANSCRIPTIONS, **key, state="failed", **error, updated_at=recorded.at)
