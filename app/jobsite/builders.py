"""HTTP of builders."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page
from app.http.endpoints import Call, Endpoint, Reply
from app.http.versions import version_of
from app.intents import created_id, intent
from app.jobsite import job_queries as queries
from app.jobsite.changes import naming
from app.jobsite.fields import Limit, Name, Text, before, page
from app.jobsite.job_views import BuilderView, Done
from handlers.commands import Commands
from handlers.jobsite.builder.decide import AddBuilder, DeleteBuilder, RenameBuilder
from handlers.refusals import Conflict, NotFound


class BuilderBody(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A builder's name; two are never called the same."""

    name: Name


class BuildersQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which builders to list, newest first."""

    q: Text | None = None
    """A part of the name."""
    limit: Limit = 50
    cursor: str | None = None


def endpoints(*, commands: Commands, db: asyncpg.Pool, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoints of builders."""

    async def add(call: Call[None, BuilderBody]) -> Reply:
        made = intent(call, clock, call.body)
        builder_id = created_id(made, "builder")
        command = AddBuilder(builder_id=builder_id, title=call.body.name.strip())
        with naming("builder", call.body.name):
            outcome = await commands.execute(command, made, fresh=True)
        place = {"Location": f"/v1/builders/{builder_id}"}
        return Reply(
            body=Done(id=builder_id, position=outcome.cursor), position=outcome.cursor, headers=place
        )

    async def listing(call: Call[BuildersQuery, None]) -> Reply:
        q = call.query
        found = await queries.builders(db, q=q.q, before=before(q.cursor), limit=q.limit + 1)
        body = page(found, q.limit)
        return Reply(body=body, etag=version_of(body))

    async def builder(call: Call[None, None]) -> Reply:
        view = await _found(call.ids["builderId"])
        return Reply(body=view, etag=version_of(view))

    async def _found(builder_id: UUID) -> BuilderView:
        view = await queries.builder(db, builder_id)
        if view is None:
            raise NotFound("BUILDER_NOT_FOUND", f"There is no builder {builder_id}.")
        return view

    async def rename(call: Call[None, BuilderBody]) -> Reply:
        builder_id = call.ids["builderId"]
        command = RenameBuilder(builder_id=builder_id, title=call.body.name.strip())
        with naming("builder", call.body.name):
            outcome = await commands.execute(command, intent(call, clock, builder_id, call.body))
        return Reply(body=Done(id=builder_id, position=outcome.cursor), position=outcome.cursor)

    async def delete(call: Call[None, None]) -> Reply:
        builder_id = call.ids["builderId"]
        if left := await queries.jobs_of(db, builder_id):
            raise Conflict(
                "BUILDER_HAS_JOBS",
                f"The builder still has {left} jobs. Delete them first, or give them away.",
            )
        command = DeleteBuilder(builder_id=builder_id)
        outcome = await commands.execute(command, intent(call, clock, builder_id))
        return Reply(position=outcome.cursor)

    return (
        Endpoint(
            method="POST",
            path="/v1/builders",
            handle=add,
            summary="Add a builder",
            tag="builders",
            scope="jobsite:write",
            body=BuilderBody,
            example=BuilderBody(name="Hendricks"),
            answer=Done,
            status=201,
            refusals=(Conflict,),
        ),
        Endpoint(
            method="GET",
            path="/v1/builders",
            handle=listing,
            summary="List builders, newest first",
            tag="builders",
            scope="jobsite:read",
            query=BuildersQuery,
            answer=Page[BuilderView],
        ),
        Endpoint(
            method="GET",
            path="/v1/builders/{builderId}",
            handle=builder,
            summary="A builder",
            tag="builders",
            scope="jobsite:read",
            answer=BuilderView,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="PATCH",
            path="/v1/builders/{builderId}",
            handle=rename,
            summary="Rename a builder",
            tag="builders",
            scope="jobsite:write",
            body=BuilderBody,
            answer=Done,
            refusals=(NotFound, Conflict),
        ),
        Endpoint(
            method="DELETE",
            path="/v1/builders/{builderId}",
            handle=delete,
            summary="Delete a builder that has no jobs",
            tag="builders",
            scope="jobsite:write",
            status=204,
            refusals=(NotFound, Conflict),
        ),
    )
