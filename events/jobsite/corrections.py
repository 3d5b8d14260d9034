"""What people set right in a transcript: anchored by time, so that it holds for another transcript too."""

import msgspec


class TextCorrection(msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="kind", tag="text"):
    """What is said from `start` to `end` (seconds) reads `text`."""

    start: float
    end: float
    text: str
    """Empty when nothing was said there."""
    was: str = ""
    """What it read before."""


class SpeakerCorrection(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", tag_field="kind", tag="speaker"
):
    """Who speaks in these stretches (seconds) is called `name`."""

    name: str
    spans: tuple[tuple[float, float], ...]
    was: str | None = None
    """What the speaker was called before: a label of the model, or a name."""


Correction = TextCorrection | SpeakerCorrection
