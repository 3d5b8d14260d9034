"""What belongs together on a job: its recordings and files, as the read model of `jobsite` knows them."""

from collections.abc import Mapping
from typing import NamedTuple
from uuid import UUID

from infra.read_models import ReadModels

MOST = 40
"""Recordings, and files, that one is compared with: the newest."""

_OF_JOB = """
select aggregate, id from (
  select aggregate, id, max(position) as newest from jobsite.history
  where job_id = $1 and aggregate in ('session', 'attachment') and id <> $2
  group by aggregate, id
) as known order by newest desc limit $3
"""


class Related(NamedTuple):
    """Ids, of the newest first. Something that has moved away meanwhile may be among them."""

    sessions: tuple[UUID, ...]
    attachments: tuple[UUID, ...]


async def related(models: ReadModels, *, job_id: UUID | None, but: UUID, after: Mapping[str, int]) -> Related:
    """What a job has beside one thing of it, as of a position of the log. Raises `NotReadable`."""
    if job_id is None:
        return Related((), ())
    async with models.connected() as connection:
        await models.reach(connection, after)
        rows = await connection.fetch(_OF_JOB, job_id, but, 2 * MOST)
    found = {
        kind: [row["id"] for row in rows if row["aggregate"] == kind] for kind in ("session", "attachment")
    }
    return Related(tuple(found["session"][:MOST]), tuple(found["attachment"][:MOST]))
