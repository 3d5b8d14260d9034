"""What can be found of jobs: what was said in recordings, with the moment; what attached files say, with the page."""

from collections.abc import Mapping, Sequence
from uuid import UUID

import asyncpg

from app.jobsite import attachment_queries, job_queries, queries
from app.search.sources import MomentView, Original, Place, Shown, Source, Spot, Spots
from infra.embedding import Embedder
from infra.retrieval import Index

CHANGED_BY = (
    "jobsite.session.*.transcribed",
    "jobsite.session.*.transcript_corrected",
    "jobsite.session.*.indexed",
    "jobsite.session.*.moved",
    "jobsite.attachment.*.indexed",
    "jobsite.attachment.*.moved",
    "jobsite.*.*.deleted",
)


def source(*, db: asyncpg.Pool, embedder: Embedder, index: Index) -> Source:
    """Recordings and attachments, as far as they can be searched."""

    async def places(_: Sequence[UUID] | None) -> Sequence[Place]:
        return (Place(index, embedder),)

    async def show(spots: Sequence[Spot]) -> Spots:
        said = [spot for spot in spots if spot.kind == "session"]
        sessions = await queries.titles(db, [spot.source_id for spot in said])
        moments = await queries.moments(db, said)
        written = [spot for spot in spots if spot.kind == "attachment"]
        attachments = await attachment_queries.titles(db, [spot.source_id for spot in written])
        heard = {
            (spot.source_id, spot.n): _shown(sessions[spot.source_id], moments.get((spot.source_id, spot.n)))
            for spot in said
            if spot.source_id in sessions
        }
        read = {
            (spot.source_id, spot.n): _page(attachments[spot.source_id], spot.page)
            for spot in written
            if spot.source_id in attachments
        }
        return heard | read

    async def jobs() -> Mapping[UUID, str | None]:
        return {row["id"]: row["name"] for row in await job_queries.named(db)}

    return Source(
        context="jobsite",
        scope="jobsite:read",
        stream="JOBSITE",
        changed_by=CHANGED_BY,
        reach=frozenset({"job_id", "session_id", "document_id"}),
        places=places,
        show=show,
        jobs=jobs,
    )


def _shown(session: asyncpg.Record, moment: MomentView | None) -> Shown:
    fragment = f"t={moment.start:.2f}" if moment else ""
    return Shown(
        title=session["title"] or session["file_name"] or None,
        original=Original(session["blob"], session["media_type"], session["file_name"], fragment),
        job_id=session["job_id"],
        moment=moment,
    )


def _page(attachment: asyncpg.Record, page: int | None) -> Shown:
    """Browsers open a PDF at its page."""
    pdf = page is not None and attachment["media_type"] == "application/pdf"
    return Shown(
        title=attachment["title"] or attachment["file_name"] or None,
        original=Original(
            attachment["blob"],
            attachment["media_type"],
            attachment["file_name"] or "attachment",
            f"page={page}" if pdf else "",
        ),
        job_id=attachment["job_id"],
    )
