"""Finding what a request names: in the read model, else in the log, which knows first."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import asyncpg

from app.knowledge import queries
from events.envelope import Key
from events.knowledge import collection_claim
from handlers.commands import Commands
from handlers.refusals import NotFound


class Finding:
    """Who is called what. Names are looked up without regard to the read model where something is written."""

    def __init__(
        self, *, commands: Commands, db: asyncpg.Pool, exists: Callable[[Key], Awaitable[bool]]
    ) -> None:
        self._commands = commands
        self._db = db
        self._exists = exists

    async def held(self, name: str) -> UUID:
        """The collection that has a name now, by the log; also by its id. Raises `NotFound` that names others."""
        if id := _id(name):
            return id
        holder = await self._commands.holder("knowledge", collection_claim(name))
        if holder is None:
            raise await self.missing(name)
        return holder

    async def readable(self, name: str) -> UUID:
        """The same, once it can be read."""
        id = await queries.collection(self._db, id=_id(name), name=name)
        if id is None:
            id = await self.held(name)
            if not await self._exists(Key("knowledge", "collection", id)):
                raise await self.missing(name)
            if not await queries.collection(self._db, id=id):
                raise await self.missing(name)
        return id

    async def missing(self, name: str) -> NotFound:
        """The refusal for a collection that does not exist: it names those that do."""
        names = await queries.names(self._db)
        shown = ", ".join(names[: queries.MENTIONED])
        there = (
            f"there are {shown}{' and more' if len(names) > queries.MENTIONED else ''}"
            if names
            else "there are none"
        )
        return NotFound(
            "COLLECTION_NOT_FOUND", f"There is no collection {name}; {there}.", field="collection"
        )

    async def document(self, document_id: UUID) -> asyncpg.Record:
        """The row of a document. Raises `NotFound`."""
        row = await queries.document(self._db, document_id)
        if row is None and await self._exists(Key("knowledge", "document", document_id)):
            row = await queries.document(self._db, document_id)
        if row is None:
            raise NotFound("DOCUMENT_NOT_FOUND", f"There is no document {document_id}.")
        return row


def _id(name: str) -> UUID | None:
    """The id that this is, in the one form of which no name can be: 32 hex digits alone may be a name."""
    try:
        id = UUID(name)
    except ValueError:
        return None
    return id if str(id) == name.lower() else None
