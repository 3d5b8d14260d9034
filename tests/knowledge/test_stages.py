"""What the stages of an ingestion leave in the log."""

import hashlib

from events.knowledge import Chunking, DocumentFailed, DocumentParsed
from handlers.knowledge.collection.decide import CreateCollection
from handlers.knowledge.document.commands import UploadDocument
from handlers.knowledge.ingesting import LONGEST_TITLE
from infra.compute.wire import MOST_CHUNKS
from tests.knowledge.world import World

CUT = Chunking(strategy="words", size=9, overlap=0)


def ingested(text: str) -> World:
    """A world in which a document with this text has come to its end."""
    world, blob = World(), hashlib.sha256(text.encode()).hexdigest()
    collection_id = world.new_id()
    world.blobs.stored[blob] = text.encode()
    world.execute(
        CreateCollection(
            collection_id=collection_id, title="papers", description="", embedder="one", chunking=CUT
        )
    )
    world.execute(
        UploadDocument(
            document_id=world.new_id(), collection_id=collection_id, ingestion_id=world.new_id(), blob=blob,
            size=len(text), media_type="text/plain", file_name="a.txt", chunking=CUT, metadata={},
        )
    )  # fmt: skip
    world.settle()
    return world


def test_a_heading_that_is_a_whole_text_is_no_whole_title() -> None:
    text = "endless " * 1000
    [parsed] = [each.event for each in ingested(text).log if isinstance(each.event, DocumentParsed)]
    assert parsed.title == text[:LONGEST_TITLE]
    [parsed] = [each.event for each in ingested("short").log if isinstance(each.event, DocumentParsed)]
    assert parsed.title == "short"


def test_a_text_that_is_cut_too_small_is_refused() -> None:
    for words, failed in ((MOST_CHUNKS, []), (MOST_CHUNKS + 2, ["TOO_MANY_CHUNKS"])):
        log = ingested("word " * words).log
        assert [each.event.code for each in log if isinstance(each.event, DocumentFailed)] == failed
