"""HTTP of re-indexing: another index is built beside the one that answers, compared, promoted, and perhaps reverted."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import asyncpg
import msgspec

from app.http.endpoints import Call, Endpoint, Reply
from app.intents import intent
from app.knowledge import comparing, queries
from app.knowledge.collections import known_embedder
from app.knowledge.comparing import ReindexView
from app.knowledge.cutting import Cut, chunking_of
from app.knowledge.finding import Finding
from app.knowledge.views import Changed, CollectionView, IndexView
from handlers.commands import Commands
from handlers.knowledge.collection.decide import (
    COLLECTIONS,
    BeginIndex,
    Collection,
    DropIndex,
    PromoteIndex,
    RevertIndex,
)
from handlers.refusals import Conflict, Invalid, NotFound
from infra.embedding import Embedder
from infra.retrieval.spaces import Slots


class ReindexBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What is to be different. Without a way of cutting, each document is cut as it was."""

    embedder: str | None = None
    strategy: str | None = None
    size: int | None = None
    overlap: int | None = None


class PromoteBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    force: bool = False
    """Although documents are missing in it."""


class ReindexQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Questions to compare the indexes by; passages of the newest documents unless given."""

    query: Annotated[
        list[Annotated[str, msgspec.Meta(min_length=1, max_length=500)]], msgspec.Meta(max_length=10)
    ] = []


def _is_over(active: IndexView, other: IndexView, overdue: datetime) -> bool:
    """Whether the index before can answer again no more: it is about to be dropped."""
    promoted = active.promoted_at if other.role == "previous" else None
    return promoted is not None and promoted <= overdue


def endpoints(
    *,
    commands: Commands,
    db: asyncpg.Pool,
    finding: Finding,
    slots: Slots,
    embedders: Mapping[str, Embedder],
    grace: timedelta,
    clock: Callable[[], datetime],
) -> tuple[Endpoint, ...]:
    async def held(call: Call[Any, Any]) -> tuple[UUID, Collection]:
        name = call.params["name"]
        id = await finding.held(name)
        state = await commands.look(COLLECTIONS, id)
        if not isinstance(state, Collection):
            raise await finding.missing(name)
        return id, state

    async def view(call: Call[Any, Any], asked: list[str] | None) -> ReindexView:
        """With no list at all, nothing is compared."""
        name = call.params["name"]
        found = await queries.collections(db, ids=[await finding.readable(name)])
        if not found:
            raise await finding.missing(name)
        collection = found[0][0]
        active = next(each for each in collection.indexes if each.role == "active")
        other = next((each for each in collection.indexes if each is not active), None)
        if other is None or _is_over(active, other, clock() - grace):
            return ReindexView(
                collection=collection.name, state="none", active=active, other=None, progress=None,
                comparison=None, revert_until=None,
            )  # fmt: skip
        return await _beside(collection, active, other, asked)

    async def _beside(
        collection: CollectionView, active: IndexView, other: IndexView, asked: list[str] | None
    ) -> ReindexView:
        far = await comparing.progress(db, collection.id, active.number, other.number)
        promoted = other.role == "previous"
        comparison = None
        if asked is not None:
            comparison = await comparing.compare(
                db, collection, active=active, other=other, queries=asked, slots=slots, embedders=embedders
            )
        return ReindexView(
            collection=collection.name,
            state="promoted" if promoted else "ready" if far.indexed >= far.documents else "building",
            active=active,
            other=other,
            progress=far,
            comparison=comparison,
            revert_until=active.promoted_at + grace if promoted and active.promoted_at else None,
        )

    async def begin(call: Call[None, ReindexBody]) -> Reply:
        id, now = await held(call)
        body = call.body
        cut = Cut(strategy=body.strategy, size=body.size, overlap=body.overlap)
        command = BeginIndex(
            collection_id=id,
            embedder=known_embedder(body.embedder, list(embedders)) if body.embedder else None,
            chunking=chunking_of(cut, now.answering.chunking or now.chunking) if cut.given else None,
        )
        outcome = await commands.execute(command, intent(call, clock, id, body))
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    async def show(call: Call[ReindexQuery, None]) -> Reply:
        return Reply(body=await view(call, call.query.query), headers={"Cache-Control": "no-store"})

    async def promote(call: Call[None, PromoteBody]) -> Reply:
        id, now = await held(call)
        number = now.candidate if now.candidate is not None else now.active
        if now.candidate is None and now.previous is None:
            raise Conflict("NO_SUCH_CANDIDATE", "No index is being built; nothing to promote.")
        far = await comparing.progress(db, id, now.active, number)
        if far.indexed < far.documents and not call.body.force:
            raise Conflict(
                "INDEX_NOT_READY",
                f"{far.indexed} of {far.documents} documents are in the new index, {far.failed} failed. "
                "Wait, or send force to let it answer without them.",
            )
        made = intent(call, clock, id)
        outcome = await commands.execute(
            PromoteIndex(collection_id=id, number=number, kept_until=made.at + grace), made
        )
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    async def revert(call: Call[None, None]) -> Reply:
        id, _ = await held(call)
        made = intent(call, clock, id)
        outcome = await commands.execute(RevertIndex(collection_id=id, at=made.at), made)
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    async def drop(call: Call[None, None]) -> Reply:
        id, now = await held(call)
        other = now.candidate if now.candidate is not None else now.previous
        if other is None:
            raise Conflict("NOTHING_TO_DROP", "There is no index but the one that answers.")
        outcome = await commands.execute(DropIndex(collection_id=id, number=other), intent(call, clock, id))
        return Reply(body=Changed(id=id, position=outcome.cursor), position=outcome.cursor)

    path, tag = "/v1/collections/{name}/reindex", "collections"
    return (
        Endpoint(
            method="POST", path=path, handle=begin,
            summary="Build another index beside the one that answers",
            tag=tag, scope="knowledge:write", body=ReindexBody, answer=Changed, status=202,
            refusals=(NotFound, Conflict, Invalid),
        ),
        Endpoint(
            method="GET", path=path, handle=show, summary="How far the other index is, and what both find",
            tag=tag, scope="knowledge:read", query=ReindexQuery, answer=ReindexView, refusals=(NotFound,),
        ),
        Endpoint(
            method="DELETE", path=path, handle=drop, summary="Drop the index that does not answer",
            tag=tag, scope="knowledge:write", answer=Changed, status=202, refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="POST", path=f"{path}/promote", handle=promote, summary="Let the new index answer",
            tag=tag, scope="knowledge:write", body=PromoteBody, answer=Changed, status=202,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="POST", path=f"{path}/revert", handle=revert,
            summary="Let the index before answer again",
            tag=tag, scope="knowledge:write", answer=Changed, status=202, refusals=(NotFound, Conflict),
        ),
    )  # fmt: skip
