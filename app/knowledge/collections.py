"""HTTP of collections."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated

import asyncpg
import msgspec

from app.http.cursor import Page, Place, from_cursor, to_cursor
from app.http.endpoints import Call, Endpoint, Reply
from app.http.forms import SLUG
from app.http.versions import version_of
from app.intents import created_id, intent
from app.knowledge import queries
from app.knowledge.cutting import Cut, chunking_of
from app.knowledge.finding import Finding
from app.knowledge.views import Changed, CollectionView
from handlers.commands import Commands
from handlers.knowledge.collection.decide import ChangeCollection, CreateCollection, DeleteCollection
from handlers.refusals import Conflict, Invalid, NotFound

Name = Annotated[
    str,
    msgspec.Meta(pattern=SLUG, description="Lower-case letters, digits, - and _, 63 at most."),
]
Description = Annotated[str, msgspec.Meta(max_length=2000)]


class CreateBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: Name
    description: Description = ""
    embedder: str | None = None
    """Whose vectors are searched; the one this installation prefers unless given."""
    strategy: str | None = None
    size: int | None = None
    overlap: int | None = None


class ChangeBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    name: Name | None = None
    description: Description | None = None


class CollectionsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Collections, newest first."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: str | None = None


def known_embedder(name: str | None, embedders: Sequence[str]) -> str:
    """The embedder that is meant; the first unless one is named. Raises `Invalid`."""
    if name is not None and name not in embedders:
        there_are = ", ".join(embedders)
        raise Invalid(
            "UNKNOWN_EMBEDDER", f"There is no embedder {name}; there are {there_are}.", field="embedder"
        )
    return name or embedders[0]


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    finding: Finding,
    embedders: Sequence[str],
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    async def create(call: Call[None, CreateBody]) -> Reply:
        body = call.body
        cut = Cut(strategy=body.strategy, size=body.size, overlap=body.overlap)
        made = intent(call, clock, body)
        command = CreateCollection(
            collection_id=created_id(made, "collection"),
            title=body.name,
            description=body.description,
            embedder=known_embedder(body.embedder, embedders),
            chunking=chunking_of(cut),
        )
        outcome = await commands.execute(command, made, fresh=True)
        return Reply(
            body=Changed(id=command.collection_id, position=outcome.cursor),
            position=outcome.cursor,
            headers={"Location": f"/v1/collections/{body.name}"},
        )

    async def listing(call: Call[CollectionsQuery, None]) -> Reply:
        q = call.query
        before = from_cursor(q.cursor, tuple[Place])[0] if q.cursor else None
        found = await queries.collections(db, before=before, limit=q.limit + 1)
        more = to_cursor(found[q.limit - 1][1]) if len(found) > q.limit else None
        return Reply(body=Page([view for view, _ in found[: q.limit]], more))

    async def show(call: Call[None, None]) -> Reply:
        name = call.params["name"]
        found = await queries.collections(db, ids=[await finding.readable(name)])
        if not found:
            raise await finding.missing(name)
        view = found[0][0]
        return Reply(body=view, etag=version_of(view))

    async def change(call: Call[None, ChangeBody]) -> Reply:
        id = await finding.held(call.params["name"])
        command = ChangeCollection(collection_id=id, title=call.body.name, description=call.body.description)
        outcome = await commands.execute(command, intent(call, clock, call.body))
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    async def delete(call: Call[None, None]) -> Reply:
        id = await finding.held(call.params["name"])
        outcome = await commands.execute(DeleteCollection(collection_id=id), intent(call, clock))
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    return (
        Endpoint(
            method="POST", path="/v1/collections", handle=create,
            summary="Make a collection", tag="collections",
            scope="knowledge:write", body=CreateBody, example=CreateBody(name="handbooks"), answer=Changed,
            status=201, refusals=(Conflict, Invalid),
        ),
        Endpoint(
            method="GET", path="/v1/collections", handle=listing, summary="List collections", tag="collections",
            scope="knowledge:read", query=CollectionsQuery, answer=Page[CollectionView],
        ),
        Endpoint(
            method="GET", path="/v1/collections/{name}", handle=show,
            summary="A collection and what is in it, in figures", tag="collections", scope="knowledge:read",
            answer=CollectionView, refusals=(NotFound,),
        ),
        Endpoint(
            method="PATCH", path="/v1/collections/{name}", handle=change,
            summary="Rename or describe a collection",
            tag="collections", scope="knowledge:write", body=ChangeBody, answer=Changed,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="DELETE", path="/v1/collections/{name}", handle=delete,
            summary="Delete a collection with all its documents", tag="collections", scope="knowledge:write",
            answer=Changed, status=202, refusals=(NotFound,),
        ),
    )  # fmt: skip
