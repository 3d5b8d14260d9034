"""The list of contexts holds together."""

import re
from pathlib import Path

from app import contexts
from events.catalogue import Catalogue
from infra.log import TOMBSTONE
from infra.retrieval import index_of


def _projections():
    return contexts.projections(index_of("jobsite", "test", "test", 3), {"test": 3})


def test_every_projection_is_waited_for_and_asked_who_names_a_blob():
    assert {each.name: each.stream for each in _projections()} == contexts.READ_MODELS


def test_every_event_has_a_stream_and_every_stream_that_brings_blobs_a_read_model():
    catalogue = Catalogue(contexts.EVENTS, contexts.UPCASTS)
    assert set(catalogue.contexts) <= set(contexts.NAMES)
    unread = set(contexts.NAMES) - {stream.lower() for stream in contexts.READ_MODELS.values()}
    assert [each for each in contexts.EVENTS if each.context in unread and "blobs" in vars(each)] == []


def test_every_proof_is_of_something_that_can_be_deleted():
    tombstones = {f"{each.context}.{each.aggregate}" for each in contexts.EVENTS if each.name == TOMBSTONE}
    assert {each.kind for each in contexts.PROOFS} <= tombstones


def test_the_inventory_names_every_event_and_every_table():
    inventory = Path("infra/docs/ARCHITECTURE.md").read_text()
    rows = re.findall(r"`(\w+\.\w+\.)`((?:,? `\w+`)+)", inventory)
    told = {f"{front}{name}" for front, names in rows for name in re.findall(r"\w+", names)}
    assert told == {each.type() for each in contexts.EVENTS}
    tables = {table.name for each in _projections() for table in each.tables}
    assert {
        each for each in tables if f"`{each}`" not in inventory and not each.startswith("chunks_")
    } == set()
