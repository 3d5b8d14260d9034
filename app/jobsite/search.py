"""What can be found of jobs: what was said in recordings, with the moment at which it is said."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.jobsite import queries
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
    """Recordings, as far as they can be searched."""

    async def places(_: Sequence[UUID] | None) -> Sequence[Place]:
        return (Place(index, embedder),)

    async def show(spots: Sequence[Spot]) -> Spots:
        said = [spot for spot in spots if spot.kind == "session"]
        sessions = await queries.titles(db, [spot.source_id for spot in said])
        moments = await queries.moments(db, said)
        return {
            (spot.source_id, spot.n): _shown(sessions[spot.source_id], moments.get((spot.source_id, spot.n)))
            for spot in said
            if spot.source_id in sessions
        }

    return Source(
        context="jobsite",
        scope="jobsite:read",
        stream="JOBSITE",
        changed_by=CHANGED_BY,
        reach=frozenset({"job_id", "session_id", "document_id"}),
        places=places,
        show=show,
    )


def _shown(session: asyncpg.Record, moment: MomentView | None) -> Shown:
    fragment = f"t={moment.start:.2f}" if moment else ""
    return Shown(
        title=session["title"],
        original=Original(session["blob"], session["media_type"], session["file_name"], fragment),
        job_id=session["job_id"],
        moment=moment,
    )
