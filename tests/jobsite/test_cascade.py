"""What goes with a job: what was there when it was deleted, however far the read model has moved on since."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from msgspec import structs

from events.envelope import Event, Key, Recorded
from events.jobsite import AudioUploaded, JobDeleted, SessionMoved
from handlers.handler import Attempt
from handlers.jobsite.attachment.decide import DeleteAttachment
from handlers.jobsite.cascade import cascades
from handlers.jobsite.session.commands import DeleteSession
from infra.embedded.postgres import PostgresServer
from infra.read_models import ReadModels
from tests import servers
from tests.jobsite.facts import UPLOADED
from tests.jobsite.test_rows import recorded

DELETED, ANOTHER, AT = UUID(int=1), UUID(int=2), 100
GOES, LATE, MOVED_LATE, LEFT = (UUID(int=n) for n in (11, 12, 13, 14))
OF_THE_JOB, OF_WHAT_GOES, OF_WHAT_IS_LATE, FOLLOWING = (UUID(int=n) for n in (21, 22, 23, 24))
TABLES = """
create schema headwater; create schema jobsite;
create table headwater.checkpoints (projection text, position bigint);
create table jobsite.sessions (id uuid, job_id uuid);
create table jobsite.attachments (id uuid, job_id uuid, session_id uuid);
create table jobsite.action_items (id uuid, job_id uuid, session_id uuid);
insert into headwater.checkpoints values ('jobsite', 100);
"""


def uploaded(session: UUID, job: UUID) -> AudioUploaded:
    return structs.replace(UPLOADED, session_id=session, job_id=job)


HISTORY: dict[UUID, list[tuple[Event, int]]] = {
    GOES: [(uploaded(GOES, DELETED), AT - 1)],
    LATE: [(uploaded(LATE, DELETED), AT + 1)],
    MOVED_LATE: [
        (uploaded(MOVED_LATE, ANOTHER), AT - 1),
        (SessionMoved(session_id=MOVED_LATE, job_id=DELETED, was=ANOTHER), AT + 1),
    ],
}


class Told:
    """The log of these recordings."""

    async def load(self, key: Key) -> list[Recorded[Any]]:
        return [recorded(event, position) for event, position in HISTORY[key.id]]


@pytest.fixture
async def models(postgres: PostgresServer) -> AsyncIterator[ReadModels]:
    async with servers.fresh_database(postgres) as dsn:
        db = await asyncpg.connect(dsn)
        await db.execute(TABLES)
        sessions = [(GOES, DELETED), (LATE, DELETED), (MOVED_LATE, DELETED), (LEFT, ANOTHER)]
        await db.executemany("insert into jobsite.sessions values ($1, $2)", sessions)
        attachments = [
            (OF_THE_JOB, DELETED, None),
            (OF_WHAT_GOES, DELETED, GOES),
            (OF_WHAT_IS_LATE, DELETED, LATE),
            (FOLLOWING, DELETED, LEFT),
        ]
        await db.executemany("insert into jobsite.attachments values ($1, $2, $3)", attachments)
        await db.close()
        yield ReadModels(dsn, None, {"jobsite": "JOBSITE"})  # type: ignore[arg-type]  # asks for no end of it


async def test_a_deleted_job_takes_the_recordings_that_it_had_and_what_has_none(models: ReadModels) -> None:
    """What has a recording goes with that, by the recording's own tombstone."""
    handlers = cascades(models=models, log=Told())  # type: ignore[arg-type]
    job_parts = next(each for each in handlers if each.name == "job_parts")
    assert await job_parts.effect(recorded(JobDeleted(job_id=DELETED), AT), Attempt(1, 6)) == [
        DeleteSession(session_id=GOES),
        DeleteAttachment(attachment_id=OF_THE_JOB),
    ]
