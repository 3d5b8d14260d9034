"""HTTP of what people set right in a session: its title and job, what was said, and by whom."""

import asyncio
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Annotated, Any
from uuid import UUID

import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.jobsite.changes import asked_by, carried_out, not_deleted
from app.jobsite.fields import Person, Title
from app.jobsite.job_views import Done
from events.envelope import Key
from events.jobsite import Correction, SpeakerCorrection, TextCorrection
from handlers.commands import Command, Commands, Outcome
from handlers.jobsite.session.commands import CorrectTranscript, MoveSession, RenameSession
from handlers.jobsite.session.decide import SESSIONS
from handlers.jobsite.session.state import Session
from handlers.refusals import Conflict, NotFound
from infra.blobs import BlobMissing, Blobs
from infra.speech import Segment, Transcript
from infra.speech.corrections import corrected

CHANGED = "TRANSCRIPT_CHANGED"
NUMBER = re.compile(r"[0-9]{1,9}")
Make = Callable[[Transcript], Sequence[Correction]]
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


class _Transcripts:
    """Sets transcripts right, as the log has them at that moment."""

    def __init__(self, commands: Commands, blobs: Blobs, clock: Callable[[], datetime]) -> None:
        self._commands = commands
        self._blobs = blobs
        self._clock = clock

    async def _heard(self, session_id: UUID) -> tuple[Session, Transcript]:
        """The session with its transcript, as the log has it now."""
        state = await self._commands.look(SESSIONS, session_id)
        if not isinstance(state, Session):
            raise NotFound("SESSION_NOT_FOUND", f"There is no session {session_id}.")
        if state.transcript is None:
            raise Conflict("NOT_TRANSCRIBED", "The recording has no transcript yet.")
        try:
            content = await self._blobs.get(state.transcript)
        except BlobMissing:
            raise NotFound("TRANSCRIPT_MISSING", "The transcript is gone.") from None
        transcript = msgspec.json.decode(content, type=Transcript)
        return state, await asyncio.to_thread(corrected, transcript, state.corrections)

    async def correct(self, call: Call[Any, Any], make: Make) -> Reply:
        """Carry out what is made of the transcript as it is then: again, where another correction came in between."""
        session_id, seen = call.ids["sessionId"], None
        try:
            while True:
                state, transcript = await self._heard(session_id)
                seen = seen or state.transcript
                command = CorrectTranscript(
                    session_id=session_id,
                    transcript=seen or "",
                    known=len(state.corrections),
                    corrections=tuple(make(transcript)),
                )
                try:
                    return await carried_out(self._commands, call, self._clock, session_id, command)
                except Conflict as refused:
                    if refused.code != CHANGED or state.transcript != seen:
                        raise
        except (NotFound, Conflict):
            if not call.idempotency_key or not (first := await self._done_before(call)):
                raise
            return Reply(body=Done(id=session_id, position=first.cursor), position=first.cursor)

    async def _done_before(self, call: Call[Any, Any]) -> Outcome | None:
        """What the same request has come to: the transcript since then may have no place for it any more."""
        session_id = call.ids["sessionId"]
        made = asked_by(call, self._clock, session_id)
        return await self._commands.first(Key("jobsite", "session", session_id), made, behind=0)


def endpoints(*, commands: Commands, blobs: Blobs, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoints of corrections."""
    transcripts = _Transcripts(commands, blobs, clock)

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

    async def segment(call: Call[None, SegmentChange]) -> Reply:
        number, shown = call.params["n"], list[Segment]()

        def make(transcript: Transcript) -> Sequence[Correction]:
            segments = transcript.segments
            if not NUMBER.fullmatch(number) or int(number) >= len(segments):
                raise NotFound(
                    "SEGMENT_NOT_FOUND", f"The transcript has the segments 0 to {len(segments) - 1}."
                )
            shown.append(segments[int(number)])
            if shown[0] != shown[-1]:
                raise Conflict(CHANGED, "The segment has changed meanwhile; read it and try again.")
            return _of_segment(shown[0], call.body)

        return await transcripts.correct(call, make)

    async def speaker(call: Call[None, SpeakerBody]) -> Reply:
        label, name = call.params["label"], call.body.name.strip()

        def make(transcript: Transcript) -> Sequence[Correction]:
            spans = _spans(transcript.segments, label)
            if not spans:
                raise NotFound("SPEAKER_NOT_FOUND", f"Nobody in the transcript is called {label!r}.")
            return [] if label == name else [SpeakerCorrection(name=name, spans=spans, was=label)]

        return await transcripts.correct(call, make)

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
