"""Old facts still read as they were written. A golden file is never edited: what it holds may be in somebody's log."""

import json
from pathlib import Path
from typing import Any

import pytest

from events.catalogue import Catalogue
from events.jobsite import JOBSITE_EVENTS

GOLDEN = {f"jobsite.{path.stem}": path for path in (Path(__file__).parent / "golden").glob("*.json")}
CATALOGUE = Catalogue(JOBSITE_EVENTS)


def within(old: Any, new: Any) -> bool:
    """Whether everything that was written is written again; there may be more by now."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and within(old[name], new[name]) for name in old)
    return bool(old == new)


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_stored_bytes_decode_and_say_the_same_when_they_are_written_again(name: str) -> None:
    stored = GOLDEN[name].read_bytes()
    event = CATALOGUE.decode(name, stored)
    assert within(json.loads(stored), json.loads(CATALOGUE.encode(event)))
    assert event.key.context == "jobsite"


def test_every_event_has_its_golden_file() -> None:
    assert GOLDEN.keys() == CATALOGUE.types.keys()


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_an_event_with_blob_keys_names_them(name: str) -> None:
    """The eraser deletes what events say that they brought."""
    event = CATALOGUE.decode(name, GOLDEN[name].read_bytes())
    brought = {getattr(event, field) for field in ("blob", "html") if hasattr(event, field)}
    assert brought <= set(event.blobs)


@pytest.mark.parametrize("name", sorted(each for each in GOLDEN if each.endswith(".deleted")))
def test_a_tombstone_tells_ids_only(name: str) -> None:
    assert all(field.endswith("Id") for field in json.loads(GOLDEN[name].read_bytes()))
