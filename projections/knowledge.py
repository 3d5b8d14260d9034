"""The read model of `knowledge`: collections and their indexes, documents and their ingestions, what is searched."""

from collections.abc import Iterator, Mapping
from typing import Any

from events.envelope import Event, Recorded
from events.knowledge import (
    CollectionEvent,
    DocumentEmbedded,
    DocumentEvent,
    DocumentIndexed,
)
from infra.chunking import ChunkSet
from infra.retrieval import Index
from projections.changes import Change
from projections.knowledge_collections import COLLECTIONS, INDEXES, collection_rows
from projections.knowledge_documents import document_rows
from projections.knowledge_tables import DOCUMENTS, INGESTIONS, MEMBERSHIPS, STAGES, chunk_table
from projections.projection import Projection


def knowledge(indexes: Mapping[tuple[str, int], Index]) -> Projection:
    """The projection with the indexes whose vectors this installation can make: two for each embedder.

    A collection fills one of the two and builds its next index in the other; numbers of one parity share a table.
    """
    chunks = {of: chunk_table(index) for of, index in indexes.items()}

    def rows(recorded: Recorded[Any], content: Any) -> Iterator[Change]:
        event = recorded.event
        if isinstance(event, CollectionEvent):
            yield from collection_rows(event, recorded)
        elif isinstance(event, DocumentEvent):
            yield from document_rows(event, recorded, content, chunks)

    tables = (COLLECTIONS, INDEXES, DOCUMENTS, INGESTIONS, STAGES, MEMBERSHIPS, *chunks.values())
    return Projection("knowledge", 1, "KNOWLEDGE", tables, rows, blob=_blob, content=_content)


def _blob(event: Event) -> str | None:
    return event.blob if isinstance(event, DocumentEmbedded | DocumentIndexed) else None


def _content(_: Event, data: bytes) -> ChunkSet:
    return ChunkSet.decode(data)
