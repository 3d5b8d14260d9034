"""What was said in a recording, and the two ways to find out: `sphinx` on this machine, `whisper` on a server."""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import msgspec


class Word(msgspec.Struct, frozen=True, rename="camel"):
    """One word, its times in seconds from the start of the recording, and how sure the model is (0–1)."""

    text: str
    start: float
    end: float
    confidence: float | None = None


class Segment(msgspec.Struct, frozen=True, rename="camel"):
    """A stretch of speech. Its words lie within its times; there are none if the model gives no word times."""

    text: str
    start: float
    end: float
    confidence: float | None = None
    words: tuple[Word, ...] = ()
    speaker: str | None = None


class Transcript(msgspec.Struct, frozen=True, rename="camel"):
    """What was said: segments in the order they start, all within the recording's `seconds`."""

    segments: tuple[Segment, ...]
    language: str
    """ISO 639 code as far as the model tells; `und` if it does not."""
    seconds: float
    model: str


class Speech(Protocol):
    """Turns speech into text."""

    model: str
    """The one that is used when none is named."""

    async def transcribe(
        self, wav: Path, *, progress: Callable[[float], None], model: str | None = None
    ) -> Transcript:
        """Transcribe a 16 kHz mono WAV, telling progress from 0.0 to 1.0 as far as it is known.

        `model` is another than the usual one. Raises UnusableAudio if the recording is at fault, UnknownModel if there
        is no such model, SpeechUnavailable if another attempt may succeed. Cancelling it stops the work.
        """
        ...

    async def close(self) -> None:
        """Stop whatever runs and let go of processes and connections."""
        ...


class UnusableAudio(ValueError):
    """The recording itself is at fault, so trying again changes nothing. `code` is stable, `detail` is prose."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class UnknownModel(ValueError):
    """Whoever transcribes has no model of that name. The text says which there are, or where to look."""


class SpeechUnavailable(ConnectionError):
    """The recording is not to blame: the same work may succeed later. The text says what to mend."""
