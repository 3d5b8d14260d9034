"""Events of a garden, in three versions."""

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from hypothesis import settings
from hypothesis import strategies as st

from events.catalogue import Catalogue, Upcast
from events.envelope import Event, Intent, Recorded
from events.ids import new_id

ID = UUID("01991234-5678-7abc-8def-0123456789ab")


class Visit(Event, frozen=True, kw_only=True):
    context = "garden"
    aggregate = "visit"
    visit_id: UUID


class VoiceHeard(Visit, frozen=True, kw_only=True):
    words: str
    at_second: float = 0.0


class VoiceHeardV2(Visit, frozen=True, kw_only=True):
    said: tuple[str, ...]
    at_second: float | None = None
    speaker: str | None = None


class VoiceHeardV12(Visit, frozen=True, kw_only=True):
    said: tuple[str, ...]
    speaker: str
    loudness: dict[str, int] = msgspec.field(default_factory=dict)


class Deleted(Visit, frozen=True, kw_only=True):
    pass


def second(old: VoiceHeard) -> VoiceHeardV2:
    return VoiceHeardV2(visit_id=old.visit_id, said=tuple(old.words.split()), at_second=old.at_second)


def twelfth(old: VoiceHeardV2) -> VoiceHeardV12:
    return VoiceHeardV12(visit_id=old.visit_id, said=old.said, speaker=old.speaker or "somebody")


TYPES = (VoiceHeard, VoiceHeardV2, VoiceHeardV12, Deleted)
UPCASTS = (Upcast(VoiceHeard, VoiceHeardV2, second), Upcast(VoiceHeardV2, VoiceHeardV12, twelfth))
CATALOGUE = Catalogue(TYPES, UPCASTS)
text = st.text(st.characters(exclude_categories=["Cs"]))
quick = settings(max_examples=40, deadline=None)

INTENT = Intent(
    command_id=new_id(),
    actor="user:7",
    at=datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC),
    correlation_id=new_id(),
)


def read(headers: dict[str, str], payload: bytes) -> Recorded[Event]:
    return CATALOGUE.read(headers=headers, payload=payload, stream="GARDEN", position=1)
