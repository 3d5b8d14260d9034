"""What goes with a job, asked of read models that move on between two questions."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from events.jobsite import JobDeleted
from handlers.handler import Attempt
from handlers.jobsite.attachment.decide import DeleteAttachment
from handlers.jobsite.cascade import cascades
from handlers.jobsite.session.commands import DeleteSession
from infra.embedded.postgres import PostgresServer
from infra.read_models import ReadModels
from tests import servers
from tests.jobsite.test_rows import recorded

DELETED, ANOTHER = UUID(int=1), UUID(int=2)
STAYS, GOES = UUID(int=11), UUID(int=12)
FOLLOWING, OF_WHAT_GOES, OF_THE_JOB = UUID(int=21), UUID(int=22), UUID(int=23)
TABLES = """
create schema headwater; create schema jobsite;
create table headwater.checkpoints (projection text, position bigint);
create table jobsite.sessions (id uuid, job_id uuid);
create table jobsite.attachments (id uuid, job_id uuid, session_id uuid);
create table jobsite.action_items (id uuid, job_id uuid, session_id uuid);
insert into headwater.checkpoints values ('jobsite', 100);
"""


class Moving(ReadModels):
    """The attachment of the recording that has left the job follows it as soon as somebody has looked."""

    async def where(self, table: str, *asked: Any, **options: Any) -> list[UUID]:
        found = await super().where(table, *asked, **options)
        if table == "jobsite.attachments":
            async with self.connected() as db:
                move = "update jobsite.attachments set job_id = $1 where id = $2"
                await db.execute(move, ANOTHER, FOLLOWING)
        return found


@pytest.fixture
async def models(postgres: PostgresServer) -> AsyncIterator[ReadModels]:
    async with servers.fresh_database(postgres) as dsn:
        db = await asyncpg.connect(dsn)
        await db.execute(TABLES)
        sessions = [(STAYS, ANOTHER), (GOES, DELETED)]
        await db.executemany("insert into jobsite.sessions values ($1, $2)", sessions)
        attachments = [(FOLLOWING, STAYS), (OF_WHAT_GOES, GOES), (OF_THE_JOB, None)]
        rows = [(each, DELETED, session) for each, session in attachments]
        await db.executemany("insert into jobsite.attachments values ($1, $2, $3)", rows)
        await db.close()
        yield Moving(dsn, None, {"jobsite": "JOBSITE"})  # type: ignore[arg-type]  # the log is not asked


async def test_what_is_on_its_way_behind_a_recording_that_has_left_stays(models: ReadModels) -> None:
    handlers = cascades(models=models, log=None)  # type: ignore[arg-type]  # only late things ask the log
    job_parts = next(each for each in handlers if each.name == "job_parts")
    assert await job_parts.effect(recorded(JobDeleted(job_id=DELETED), 100), Attempt(1, 6)) == [
        DeleteSession(session_id=GOES),
        DeleteAttachment(attachment_id=OF_WHAT_GOES),
        DeleteAttachment(attachment_id=OF_THE_JOB),
    ]
