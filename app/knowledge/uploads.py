"""HTTP of uploads: documents in, one or many, each known by its bytes."""

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from itertools import count
from typing import Annotated, Any

import msgspec

from app.http.bodies import invalid
from app.http.endpoints import Call, Endpoint, Reply
from app.http.held import Held
from app.http.multipart import Multipart, Upload
from app.http.several import read_files
from app.intents import created_id, intent
from app.knowledge.cutting import Cut, chunking_of
from app.knowledge.finding import Finding
from app.knowledge.views import AcceptedDocument, AcceptedDocuments, RefusedFile
from events.ids import derived_id
from events.knowledge import Metadata
from handlers.commands import Commands
from handlers.knowledge.collection.decide import COLLECTIONS, Collection
from handlers.knowledge.document.commands import UploadDocument
from handlers.knowledge.document.decide import DOCUMENTS
from handlers.knowledge.document.state import Document
from handlers.refusals import Conflict, Invalid, NotFound, Refusal, TooLarge, Unsupported
from infra.blobs import Blob, Blobs
from infra.documents.kinds import guessed, unnamed

LARGEST = 200 << 20
"""Bytes of a document."""
WHOLE = 1 << 30
"""Bytes of a request."""
MOST = 100
"""Files in a request."""
HEAD = 4096
"""Bytes that tell what a file without a name is."""

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Value = Annotated[str, msgspec.Meta(max_length=1000)] | int | float | bool
MetadataBody = Annotated[dict[Key, Value], msgspec.Meta(max_length=50)]

_metadata = msgspec.json.Decoder(MetadataBody)


class UploadFields(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Where documents go, how they are cut, and what is said of them."""

    collection: str
    strategy: str | None = None
    size: int | None = None
    overlap: int | None = None
    metadata: str | None = None
    """A JSON object of texts, numbers and booleans."""


class Batch:
    """The files of one request."""

    def __init__(
        self,
        call: Call[Any, Any],
        *,
        commands: Commands,
        finding: Finding,
        blobs: Blobs,
        clock: Callable[[], datetime],
    ) -> None:
        self._call = call
        self._commands = commands
        self._finding = finding
        self._blobs = blobs
        self._clock = clock
        self._held: Held | None = None
        self.accepted: list[AcceptedDocument] = []
        self.refused: list[tuple[str | None, Refusal]] = []
        self.position = ""

    async def take(self, upload: Upload) -> tuple[str, str, Held | Refusal]:
        """Stream a file as far as its last byte; one that is no document is refused alone."""
        held = self._held = Held(self._blobs, media_type="application/octet-stream")
        head = bytearray()
        try:
            await held.take(_something(upload.chunks, head))
        except (TooLarge, Invalid) as refusal:
            return upload.name, upload.media_type, refusal
        name = upload.name or unnamed(guessed(bytes(head), "", upload.media_type))
        return name, upload.media_type, held

    async def settle(self, fields: UploadFields, file: tuple[str, str, Held | Refusal]) -> None:
        """The file becomes a document of its collection. Raises what is wrong with the request as a whole."""
        name, media_type, held = file
        if isinstance(held, Refusal):
            self.refused.append((name, held))
            return
        collection_id = await self._finding.held(fields.collection)
        collection = await self._commands.look(COLLECTIONS, collection_id)
        if not isinstance(collection, Collection):
            raise await self._finding.missing(fields.collection)
        cut = Cut(strategy=fields.strategy, size=fields.size, overlap=fields.overlap)
        command = UploadDocument(
            document_id=collection_id,
            collection_id=collection_id,
            ingestion_id=collection_id,
            blob="",
            size=0,
            media_type=media_type.partition(";")[0].strip().lower()[:100],
            file_name=name,
            chunking=chunking_of(cut, collection.chunking),
            metadata=metadata_of(fields.metadata),
        )
        await self._accept(command, fields, await held.keep())

    async def _accept(self, command: UploadDocument, fields: UploadFields, blob: Blob) -> None:
        """The same bytes are the same document: its id derives from them, and from how many like it were deleted.

        A tombstone is for ever, so an id is never used again; the first id that has none is free, or the document.
        """
        whole = intent(self._call, self._clock, blob.key, fields)
        made = msgspec.structs.replace(whole, command_id=derived_id(whole.command_id, blob.key))
        command = msgspec.structs.replace(
            command,
            ingestion_id=created_id(made, "ingestion"),
            blob=blob.key,
            size=blob.size,
            uploaded_at=made.at,
        )
        for generation in count():
            id = derived_id(command.collection_id, blob.key, str(generation))
            try:
                outcome = await self._commands.execute(msgspec.structs.replace(command, document_id=id), made)
            except Conflict as conflict:
                if conflict.code != "DOCUMENT_DELETED":
                    raise
                continue
            self.position = outcome.cursor
            state = await self._commands.look(DOCUMENTS, id)
            ingestion = state.ingestion if isinstance(state, Document) else command.ingestion_id
            known = isinstance(state, Document) and state.first != command.ingestion_id
            self.accepted.append(
                AcceptedDocument(
                    document_id=id, ingestion_id=ingestion, file_name=command.file_name, known=known
                )
            )
            return

    async def drop(self) -> None:
        if self._held:
            await self._held.drop()


async def _something(chunks: AsyncIterator[bytes], head: bytearray) -> AsyncIterator[bytes]:
    """The content, if there is any; how it begins is kept in `head`."""
    async for piece in chunks:
        head += piece[: HEAD - len(head)]
        yield piece
    if not head:
        raise Invalid("DOCUMENT_EMPTY", "The file is empty.", field="file")


def metadata_of(text: str | None) -> Metadata:
    """What a form says in JSON. Raises `Invalid`."""
    if not text:
        return {}
    try:
        told = _metadata.decode(text)
    except msgspec.ValidationError as error:
        refusal = invalid("INVALID_METADATA", error, _metadata.type)
        raise Invalid(refusal.code, f"metadata: {refusal.detail}", field="metadata") from None
    except (msgspec.DecodeError, RecursionError):
        raise Invalid("INVALID_METADATA", "metadata must be a JSON object.", field="metadata") from None
    if any("\0" in str(each) for pair in told.items() for each in pair):
        raise Invalid("INVALID_METADATA", "metadata holds the character U+0000.", field="metadata")
    return told


def endpoints(
    *, commands: Commands, finding: Finding, blobs: Blobs, clock: Callable[[], datetime]
) -> tuple[Endpoint, ...]:
    async def upload(call: Call[None, None]) -> Reply:
        shape = call.endpoint.multipart
        assert shape is not None  # noqa: S101
        batch = Batch(call, commands=commands, finding=finding, blobs=blobs, clock=clock)
        try:
            await read_files(call.request, shape, batch.take, batch.settle, idle=call.patience.idle_seconds)
        except Refusal as refusal:
            if not batch.accepted:
                raise
            batch.refused.append((None, refusal))
        finally:
            await batch.drop()
        if not batch.accepted:
            raise batch.refused[0][1]
        answer = AcceptedDocuments(
            documents=tuple(batch.accepted),
            position=batch.position,
            refused=tuple(
                RefusedFile(file_name=name, code=why.code, detail=why.detail) for name, why in batch.refused
            ),
        )
        return Reply(body=answer, position=batch.position)

    return (
        Endpoint(
            method="POST",
            path="/v1/documents",
            settled=False,
            handle=upload,
            summary="Upload documents",
            description=(
                "PDF, Word, PowerPoint, Excel, HTML, Markdown, text, CSV, e-mail, images. Several parts called `file` "
                "may come; then the fields come first. Each file is a document of its own; `refused` names those that "
                "are none. The same bytes in a collection are the same document; one that could not be read is read "
                "again when they come under another name."
            ),
            tag="documents",
            scope="knowledge:write",
            multipart=Multipart(
                fields=UploadFields, limit=LARGEST, files=MOST, whole=WHOLE, description="A document."
            ),
            answer=AcceptedDocuments,
            status=202,
            refusals=(NotFound, TooLarge, Unsupported, Invalid, Conflict),
        ),
    )
