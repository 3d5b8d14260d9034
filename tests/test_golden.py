"""Old facts still read as they were written. A golden file is never edited: what it holds may be in somebody's log."""

import json
import re
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from app import contexts
from events.catalogue import Catalogue, Upcast
from events.envelope import Event
from infra.blobs.names import named
from tests.golden import CATALOGUE, TESTS, add_missing, golden_of, lifted_of

NAMES = sorted(CATALOGUE.types)
KEPT = {
    "notifications.delivery.deleted": {
        "channel",
        "recipient",
        "messageId",
        "sentAt",
        "receipt",
        "attempts",
        "uncertain",
    }
}
"""What a tombstone may tell beside ids: a mail that has left the house is called back by no deletion."""


def within(old: Any, new: Any) -> bool:
    """Whether everything that was written is written again; there may be more by now."""
    if isinstance(old, dict):
        return isinstance(new, dict) and all(name in new and within(old[name], new[name]) for name in old)
    if isinstance(old, list):
        return isinstance(new, list) and len(old) == len(new) and all(map(within, old, new))
    return type(old) is type(new) and bool(old == new)


def ids(value: Any) -> bool:
    each = value if isinstance(value, list) else [value]
    return all(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", str(one)) for one in each)


def test_every_event_has_its_golden_file() -> None:
    missing = [name for name in NAMES if not golden_of(name).exists()]
    assert not missing, f"no golden file of {', '.join(missing)}: `python -m tests.golden` makes them"


def test_every_golden_file_is_of_an_event() -> None:
    """An event whose class is gone is still in somebody's log."""
    files = {path for context in contexts.NAMES for path in (TESTS / context / "golden").iterdir()}
    assert files <= {path for name in NAMES for path in (golden_of(name), lifted_of(name))}


@pytest.mark.parametrize("name", NAMES)
def test_stored_bytes_decode_and_say_the_same_when_they_are_written_again(name: str) -> None:
    stored = golden_of(name).read_bytes()
    event, kind = CATALOGUE.decode(name, stored), CATALOGUE.types[name]
    expected = stored if type(event) is kind else lifted_of(name).read_bytes()
    assert (event.context, event.aggregate, event.name) == (kind.context, kind.aggregate, kind.name)
    assert within(json.loads(expected), json.loads(CATALOGUE.encode(event)))


def test_an_event_with_blob_keys_names_them() -> None:
    """The eraser deletes what events say that they brought."""
    for name in NAMES:
        event = CATALOGUE.decode(name, golden_of(name).read_bytes())
        brought = {getattr(event, field) for field in ("blob", "html") if getattr(event, field, None)}
        assert brought <= set(event.blobs) <= named(event), name


def test_a_tombstone_tells_ids_only() -> None:
    for name in NAMES:
        if name.endswith(".deleted"):
            told = json.loads(golden_of(name).read_bytes())
            assert {field for field, value in told.items() if not ids(value)} <= KEPT.get(name, set()), name


class Visit(Event, frozen=True, kw_only=True):
    context = "garden"
    aggregate = "visit"
    visit_id: UUID


class Seen(Visit, frozen=True, kw_only=True):
    what: str


class SeenV2(Visit, frozen=True, kw_only=True):
    plants: tuple[str, ...]
    warm: bool | None = None


def test_golden_files_are_added_and_what_was_there_stays(tmp_path: Path) -> None:
    before, after = tmp_path / "garden/golden/visit.seen.json", tmp_path / "garden/golden/visit.seen.v2.json"
    before.parent.mkdir(parents=True)
    before.write_text(
        stored := json.dumps({"visitId": "0199c0de-0000-7000-8000-000000000001", "what": "a rose"})
    )
    lift = Upcast(Seen, SeenV2, lambda old: SeenV2(visit_id=old.visit_id, plants=(old.what,)))
    catalogue = Catalogue([Seen, SeenV2], [lift])
    lifted = lifted_of("garden.visit.seen", tmp_path)

    assert set(add_missing(catalogue, tmp_path)) == {lifted, after}
    assert json.loads(after.read_bytes()).items() >= {"plants": ["plants"], "warm": True}.items()
    assert json.loads(lifted.read_bytes())["plants"] == ["a rose"]
    assert before.read_text() == stored
    assert not list(add_missing(catalogue, tmp_path))
