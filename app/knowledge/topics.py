"""What can be followed of documents as it happens."""

from app.live.topics import Topic
from events.knowledge import (
    DocumentCancelled,
    DocumentChunked,
    DocumentDeleted,
    DocumentEmbedded,
    DocumentEvent,
    DocumentFailed,
    DocumentParsed,
    DocumentReingested,
    DocumentRetried,
    DocumentUploaded,
)

DOCUMENTS = Topic(
    name="documents",
    stream="KNOWLEDGE",
    scope="knowledge:read",
    events=(DocumentEvent,),
    filters=lambda id: (f"knowledge.document.{id}.>",),
    of=lambda recorded: (str(recorded.event.document_id),),
    about="Everything that happens to one document, and how far its stages are.",
)

INGESTIONS = Topic(
    name="ingestions",
    stream="KNOWLEDGE",
    scope="knowledge:read",
    events=(
        DocumentUploaded,
        DocumentParsed,
        DocumentChunked,
        DocumentEmbedded,
        DocumentFailed,
        DocumentRetried,
        DocumentCancelled,
        DocumentReingested,
        DocumentDeleted,
    ),
    filters=lambda _: (">",),
    of=lambda _: ("",),
    has_ids=False,
    hears="documents",
    about="Every ingestion: queued, how far its stages are, each stage that ends, failures.",
)

TOPICS = (DOCUMENTS, INGESTIONS)
