"""HTTP of what people set right in a session: its title and job, what was said, and by whom."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.jobsite.changes import carried_out, not_deleted
from app.jobsite.fields import Person, Title
from app.jobsite.job_views import Done
from events.jobsite import Correction, SpeakerCorrection, TextCorrection
from handlers.commands import Command, Commands
from handlers.jobsite.session.commands import CorrectTranscript, MoveSession, RenameSession
from handlers.jobsite.session.decide import SESSIONS
from handlers.jobsite.session.state import Session
from handlers.refusals import Conflict, NotFound
from infra.blobs import BlobMissing, Blobs
from infra.speech import Segment, Transcript
from infra.speech.corrections import corrected

Said = Annotated[str, msgspec.Meta(max_length=5000)]


class SessionChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be otherwise; what is left out stays, and null takes the title or the job away."""

    title: Title | msgspec.UnsetType | None = msgspec.UNSET
    job_id: UUID | msgspec.UnsetType | None = msgspec.UNSET


class SegmentChange(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was really said, and by whom."""

    text: Said | msgspec.UnsetType = msgspec.UNSET
    """Empty when nothing was."""
    speaker: Person | msgspec.UnsetType = msgspec.UNSET


class SpeakerBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: Person


def endpoints(*, commands: Commands, blobs: Blobs, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoints of corrections."""

    async def change(call: Call[None, SessionChange]) -> Reply:
        session_id, body = call.ids["sessionId"], call.body
        wanted: list[Command] = []
        if body.job_id is not msgspec.UNSET:
            await not_deleted(commands, body.job_id)
            wanted.append(MoveSession(session_id=session_id, job_id=body.job_id))
        if body.title is not msgspec.UNSET or not wanted:
            state = await commands.look(SESSIONS, session_id)
            kept = state.title if isinstance(state, Session) else None
            title = kept if body.title is msgspec.UNSET else body.title
            wanted.insert(0, RenameSession(session_id=session_id, title=title))
        return await carried_out(commands, call, clock, session_id, *wanted)

    async def heard(session_id: UUID) -> tuple[Session, Transcript]:
        """The session with its transcript, as the log has it now."""
        state = await commands.look(SESSIONS, session_id)
        if not isinstance(state, Session):
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {session_id}.")
        if state.transcript is None:
            raise Conflict("NOT_TRANSCRIBED", "The recording has no transcript yet.")
        try:
            content = await blobs.get(state.transcript)
        except BlobMissing:
            raise NotFound("TRANSCRIPT_MISSING", "The transcript is gone.") from None
        transcript = msgspec.json.decode(content, type=Transcript)
        return state, await asyncio.to_thread(corrected, transcript, state.corrections)

    async def correct(call: Call[Any, Any], state: Session, made: Sequence[Correction]) -> Reply:
        session_id = call.ids["sessionId"]
        command = CorrectTranscript(
            session_id=session_id,
            transcript=state.transcript or "",
            known=len(state.corrections),
            corrections=tuple(made),
        )
        return await carried_out(commands, call, clock, session_id, command)

    async def segment(call: Call[None, SegmentChange]) -> Reply:
        state, transcript = await heard(call.ids["sessionId"])
        number, body = call.params["n"], call.body
        if not number.isdecimal() or len(number) > 9 or int(number) >= len(transcript.segments):
            raise NotFound(
                "SEGMENT_NOT_FOUND", f"The transcript has the segments 0 to {len(transcript.segments) - 1}."
            )
        return await correct(call, state, _of_segment(transcript.segments[int(number)], body))

    async def speaker(call: Call[None, SpeakerBody]) -> Reply:
        state, transcript = await heard(call.ids["sessionId"])
        label, name = call.params["label"], call.body.name.strip()
        spans = _spans(transcript.segments, label)
        if not spans:
            raise NotFound("SPEAKER_NOT_FOUND", f"Nobody in the transcript is called {label!r}.")
        made = [] if label == name else [SpeakerCorrection(name=name, spans=spans, was=label)]
        return await correct(call, state, made)

    return (
        Endpoint(
            method="PATCH",
            path="/v1/sessions/{sessionId}",
            handle=change,
            summary="Rename a session, or move it to another job",
            description="A move takes its vectors along, and compares and reports anew; nothing is transcribed again.",
            tag="sessions",
            scope="jobsite:write",
            body=SessionChange,
            answer=Done,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="PATCH",
            path="/v1/sessions/{sessionId}/transcript/segments/{n}",
            handle=segment,
            summary="Set right what was said in a segment, or by whom",
            description="Corrections are anchored by time and survive another transcription. What was made of the "
            "transcript is made again.",
            tag="sessions",
            scope="jobsite:write",
            body=SegmentChange,
            answer=Done,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="PUT",
            path="/v1/sessions/{sessionId}/speakers/{label}",
            handle=speaker,
            summary="Name a speaker wherever they speak",
            tag="sessions",
            scope="jobsite:write",
            body=SpeakerBody,
            answer=Done,
            refusals=(NotFound, Conflict),
        ),
    )


def _of_segment(segment: Segment, body: SegmentChange) -> list[Correction]:
    made: list[Correction] = []
    if body.text is not msgspec.UNSET and body.text.strip() != segment.text:
        text = " ".join(body.text.split())
        made.append(TextCorrection(start=segment.start, end=segment.end, text=text, was=segment.text))
    if body.speaker is not msgspec.UNSET and body.speaker.strip() != segment.speaker:
        span = (segment.start, segment.end)
        made.append(SpeakerCorrection(name=body.speaker.strip(), spans=(span,), was=segment.speaker))
    return made


def _spans(segments: Sequence[Segment], label: str) -> tuple[tuple[float, float], ...]:
    """When somebody speaks: from their first segment to the last before somebody else's."""
    turns = [list(turn) for who, turn in groupby(segments, lambda each: each.speaker) if who == label]
    return tuple([(turn[0].start, max(each.end for each in turn)) for turn in turns])
