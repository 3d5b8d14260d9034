"""A collection's and a document's facts, and the commands that lead to them."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from events.knowledge import (
    Chunking,
    CollectionCreated,
    DocumentChunked,
    DocumentEmbedded,
    DocumentFailed,
    DocumentParsed,
    DocumentUploaded,
    IndexBegun,
)
from handlers.knowledge.collection.decide import BeginIndex, CreateCollection
from handlers.knowledge.document.commands import (
    FailStage,
    RecordChunks,
    RecordText,
    RecordVectors,
    UploadDocument,
)

COLLECTION, DOCUMENT, RUN, RERUN = UUID(int=1), UUID(int=2), UUID(int=3), UUID(int=4)
CUT = Chunking(strategy="sentences", size=900, overlap=150)
SMALL = Chunking(strategy="sentences", size=200, overlap=20)

_COLLECTION: dict[str, Any] = {
    "collection_id": COLLECTION,
    "title": "papers",
    "description": "",
    "embedder": "minilm",
    "chunking": CUT,
}
create = CreateCollection(**_COLLECTION)
CREATED = CollectionCreated(**_COLLECTION)
begin = BeginIndex(collection_id=COLLECTION, embedder="words", chunking=SMALL)
BEGUN = IndexBegun(collection_id=COLLECTION, number=2, embedder="words", chunking=SMALL)

_UPLOAD: dict[str, Any] = {
    "document_id": DOCUMENT,
    "collection_id": COLLECTION,
    "ingestion_id": RUN,
    "blob": "aa",
    "size": 10,
    "media_type": "text/plain",
    "file_name": "a.txt",
    "chunking": CUT,
    "metadata": {"year": 2026},
    "uploaded_at": datetime(2026, 11, 27, tzinfo=UTC),
}
_STAGE: dict[str, Any] = {"document_id": DOCUMENT, "ingestion_id": RUN, "size": 5}
_TEXT: dict[str, Any] = {**_STAGE, "blob": "bb", "media_type": "text/plain", "pages": 1, "characters": 10}
_CHUNKS: dict[str, Any] = {
    **_STAGE,
    "blob": "cc",
    "parsed": "bb",
    "number": 1,
    "embedder": "minilm",
    "chunking": CUT,
    "chunks": 2,
}
_FAILURE: dict[str, Any] = {
    "document_id": DOCUMENT,
    "ingestion_id": RUN,
    "stage": "parsing",
    "code": "DOCUMENT_DAMAGED",
    "detail": "It ends too early.",
}

upload = UploadDocument(**_UPLOAD)
parse = RecordText(**_TEXT)
chunk = RecordChunks(**_CHUNKS)
embed = RecordVectors(**_STAGE, blob="dd", chunked="cc", dimensions=3)
fail = FailStage(**_FAILURE)
fail_chunking = replace(fail, stage="chunking")

UPLOADED = DocumentUploaded(**_UPLOAD)
PARSED = DocumentParsed(**_TEXT)
CHUNKED = DocumentChunked(**_CHUNKS)
EMBEDDED = DocumentEmbedded(
    **{**_CHUNKS, "blob": "dd"},
    collection_id=COLLECTION,
    dimensions=3,
    metadata={"year": 2026},
    uploaded_at=_UPLOAD["uploaded_at"],
)
FAILED = DocumentFailed(**_FAILURE)
CHUNKING_FAILED = replace(FAILED, stage="chunking")
COMPLETE = (UPLOADED, PARSED, CHUNKED, EMBEDDED)
