"""Old facts still read as they were written. A golden file is never edited: what it holds may be in somebody's log."""

import json
from pathlib import Path
from typing import Any

import pytest

from events.catalogue import Catalogue
from events.notifications import NOTIFICATIONS_EVENTS

GOLDEN = {f"notifications.{path.stem}": path for path in (Path(__file__).parent / "golden").glob("*.json")}
CATALOGUE = Catalogue(NOTIFICATIONS_EVENTS)


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
    assert event.key.context == "notifications"


def test_every_event_has_its_golden_file() -> None:
    assert GOLDEN.keys() == CATALOGUE.types.keys()


def test_tombstones_tell_nothing_of_what_was_said() -> None:
    told = {name: set(json.loads(path.read_bytes())) for name, path in GOLDEN.items() if "deleted" in name}
    said = {"title", "detail", "subject", "blob", "url", "description", "errorDetail"}
    assert len(told) == 4
    assert not [name for name, members in told.items() if members & said]
