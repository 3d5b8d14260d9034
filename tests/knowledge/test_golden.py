"""Old facts still read as they were written. A golden file is never edited: what it holds may be in somebody's log."""

import json
from pathlib import Path

import pytest

from events.catalogue import Catalogue
from events.knowledge import KNOWLEDGE_EVENTS
from infra.blobs.names import named

GOLDEN = {f"knowledge.{path.stem}": path for path in (Path(__file__).parent / "golden").glob("*.json")}
CATALOGUE = Catalogue(KNOWLEDGE_EVENTS)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_stored_bytes_decode_and_say_the_same_when_they_are_written_again(name: str) -> None:
    stored = json.loads(GOLDEN[name].read_bytes())
    written = json.loads(CATALOGUE.encode(CATALOGUE.decode(name, GOLDEN[name].read_bytes())))
    assert written.items() >= stored.items()


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_blobs_are_named_and_tombstones_tell_ids_only(name: str) -> None:
    event = CATALOGUE.decode(name, GOLDEN[name].read_bytes())
    assert {getattr(event, "blob", None)} - {None} == set(event.blobs) <= named(event)
    if name.endswith(".deleted"):
        assert all(field.endswith("Id") for field in json.loads(GOLDEN[name].read_bytes()))


def test_every_event_has_its_golden_file() -> None:
    assert GOLDEN.keys() == CATALOGUE.types.keys()
