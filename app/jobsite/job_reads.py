"""HTTP of jobs as they are seen: listed, as a whole, and what has happened on them."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import asyncpg
import msgspec

from app.http.cursor import Page
from app.http.endpoints import Call, Endpoint, Reply
from app.http.versions import version_of
from app.jobsite import job_queries as queries
from app.jobsite.fields import AsOf, Limit, Text, before, page
from app.jobsite.job_views import HappeningView, JobOverview, JobView
from app.jobsite.overview import Overview
from handlers.refusals import NotFound


class JobsQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Which jobs to list, newest first."""

    builder_id: UUID | None = None
    q: Text | None = None
    """A part of the name."""
    closed: bool | None = None
    limit: Limit = 50
    cursor: str | None = None


class TimelineQuery(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    limit: Limit = 50
    cursor: str | None = None


def endpoints(*, db: asyncpg.Pool, overview: Overview, clock: Callable[[], datetime]) -> tuple[Endpoint, ...]:
    """The endpoints that read jobs."""

    async def listing(call: Call[JobsQuery, None]) -> Reply:
        q = call.query
        found = await queries.jobs(
            db,
            builder_id=q.builder_id,
            q=q.q,
            closed=q.closed,
            before=before(q.cursor),
            limit=q.limit + 1,
        )
        body = page(found, q.limit)
        return Reply(body=body, etag=version_of(body))

    async def job(call: Call[AsOf, None]) -> Reply:
        job_id = call.ids["jobId"]
        view = await overview.of(job_id, call.query.as_of, clock())
        if view is None:
            raise NotFound("JOB_NOT_FOUND", f"There is no job {job_id}.")
        return Reply(body=view, etag=version_of(view))

    async def timeline(call: Call[TimelineQuery, None]) -> Reply:
        q = call.query
        job_id = call.ids["jobId"]
        found = await queries.timeline(db, job_id, before=before(q.cursor), limit=q.limit + 1)
        if not found and q.cursor is None and await queries.job(db, job_id) is None:
            raise NotFound("JOB_NOT_FOUND", f"There is no job {job_id}.")
        body = page(found, q.limit)
        return Reply(body=body, etag=version_of(body))

    return (
        Endpoint(
            method="GET",
            path="/v1/jobs",
            handle=listing,
            summary="List jobs, newest first",
            tag="jobs",
            scope="jobsite:read",
            query=JobsQuery,
            answer=Page[JobView],
        ),
        Endpoint(
            method="GET",
            path="/v1/jobs/{jobId}",
            handle=job,
            summary="A job with what is going on",
            description="Counts, open action items, the newest recordings and what they say. `asOf` answers from the "
            "log as it was then.",
            tag="jobs",
            scope="jobsite:read",
            query=AsOf,
            answer=JobOverview,
            refusals=(NotFound,),
        ),
        Endpoint(
            method="GET",
            path="/v1/jobs/{jobId}/timeline",
            handle=timeline,
            summary="What has happened on a job, newest first",
            tag="jobs",
            scope="jobsite:read",
            query=TimelineQuery,
            answer=Page[HappeningView],
            refusals=(NotFound,),
        ),
    )
