"""The blobs that an event names are those that its JSON names, found without writing it where that can be seen."""

import re
from typing import ClassVar
from uuid import UUID

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from events.envelope import Event
from infra.blobs.names import named

BLOB = re.compile(rb'"([0-9a-f]{64})"')
KEY = "0123456789abcdef" * 4


class Place(msgspec.Struct, frozen=True):
    blob: str
    size: int


class Packed(Event, frozen=True, kw_only=True):
    context: ClassVar[str] = "shop"
    aggregate: ClassVar[str] = "parcel"
    parcel_id: UUID
    label: str
    note: str | None
    size: int | None
    either: str | int
    places: tuple[Place, ...]
    tags: dict[str, str]


texts = st.sampled_from(
    ["", "plain", KEY, KEY.upper(), KEY[:-1], KEY + "0", f"see {KEY}", "ä" * 64, '"' * 64]
)
events = st.builds(
    Packed,
    parcel_id=st.uuids(),
    label=texts,
    note=st.none() | texts,
    size=st.none() | st.integers(0, 9),
    either=texts | st.integers(0, 9),
    places=st.lists(st.builds(Place, blob=texts, size=st.integers(0, 9)), max_size=2).map(tuple),
    tags=st.dictionaries(texts, texts, max_size=2),
)


@given(events)
def test_an_event_names_the_blobs_that_its_json_names(event: Packed) -> None:
    assert named(event) == {key.decode() for key in BLOB.findall(msgspec.json.encode(event))}
