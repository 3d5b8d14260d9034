"""What belongs together on a job: its recordings and files, as the read model of `jobsite` knows them."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from infra.read_models import ReadModels

MOST = 40
"""Recordings, and files, that are compared with each other: the newest."""

SESSIONS = """
select id from jobsite.sessions where job_id = $1 or id = $2 order by position desc limit $3
"""
ATTACHMENTS = """
select id from jobsite.attachments where job_id = $1 or session_id = $2 order by position desc limit $3
"""


class Related(NamedTuple):
    """Ids, of the newest first. What has moved since the read model was asked may be among them."""

    sessions: tuple[UUID, ...]
    attachments: tuple[UUID, ...]


async def related(
    models: ReadModels, *, job_id: UUID | None, session_id: UUID | None, after: Mapping[str, int]
) -> Related:
    """What a job has, or a recording without a job, as of a position of the log. Raises `NotReadable`."""
    async with models.connected() as connection:
        await models.reach(connection, after)
        sessions = await connection.fetch(SESSIONS, job_id, session_id, MOST)
        attachments = await connection.fetch(ATTACHMENTS, job_id, session_id, MOST)
    return Related(tuple([row["id"] for row in sessions]), tuple([row["id"] for row in attachments]))
