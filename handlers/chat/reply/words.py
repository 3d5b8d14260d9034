"""The words of replies that were made from sources, in the blob store and read back from there."""

from collections.abc import Iterable
from typing import NamedTuple
from uuid import UUID

from events.chat import Citation, ReplyWritten, SourceUsed
from events.envelope import Key
from handlers.chat.reply.decide import WriteReply
from infra.blobs import BlobMissing, Blobs, once
from infra.log import Log
from infra.retrieval.saved import SavedReply

MEDIA_TYPE = "application/vnd.headwater.reply+json"


class Kept(NamedTuple):
    """What a reply says, and all that may have gone into it."""

    text: str
    sources: tuple[SourceUsed, ...]


class Words:
    """Keeps words apart from the conversation, so that they can go."""

    def __init__(self, log: Log, blobs: Blobs) -> None:
        self._log = log
        self._blobs = blobs

    async def of(self, reply_id: UUID) -> Kept | None:
        """What a reply says; None when its words are gone."""
        history = await self._log.load(Key("chat", "reply", reply_id))
        written = history[-1].event if history else None
        if not isinstance(written, ReplyWritten):
            return None
        try:
            return Kept(SavedReply.decode(await self._blobs.get(written.blob)).text, written.sources)
        except BlobMissing:
            return None

    async def keep(
        self,
        project_id: UUID,
        reply_id: UUID,
        text: str,
        sources: Iterable[SourceUsed],
        citations: tuple[Citation, ...] = (),
    ) -> WriteReply:
        """Store what a reply says; the command that tells where."""
        saved = SavedReply(text=text, citations=citations)
        blob = await self._blobs.put(once(saved.encode()), media_type=MEDIA_TYPE)
        used = tuple(sorted(set(sources), key=lambda each: (each.context, each.kind, each.source_id)))
        return WriteReply(
            reply_id=reply_id, project_id=project_id, blob=blob.key, size=blob.size, sources=used
        )
