"""What a client is told of its recordings, and that nothing of it outlives them."""

import asyncio
from contextlib import aclosing
from pathlib import Path

from app.client import Headwater
from app.live.messages import Happened, Subscribed
from events.ids import new_id
from tests.jobsite.uploads import sound


async def test_a_recording_is_told_of_read_and_forgotten_with_it(client: Headwater, tmp_path: Path) -> None:
    job, silence = new_id(), tmp_path / "silence.wav"
    silence.write_bytes(sound(0))
    async with (
        asyncio.timeout(60),
        aclosing(client.follow(["notifications"], job_ids=[job]).messages()) as messages,
    ):
        assert isinstance(await anext(messages), Subscribed)
        taken = await client.upload(silence, job_id=job)
        while not isinstance(told := await anext(messages), Happened):
            pass
    assert told.event == "notifications.notification.raised"
    session = taken.session_id
    [raised] = [each async for each in client.notifications.all(session_id=session, unread=True)]
    await client.notifications.read(raised.id)
    [read] = [each async for each in client.notifications.all(session_id=session)]
    assert (read.id, read.read, read.job_id) == (raised.id, True, job)
    assert (await client.notifications.unread()).unread >= 0
    await client.delete_session(session)
    report = await client.deletion(session)
    async with asyncio.timeout(60):
        while report.status != "done":
            await asyncio.sleep(0.1)
            report = await client.deletion(session)
    assert report.left == 0
    assert "notifications.notification" in {each.what for each in report.parts}
    assert [each async for each in client.notifications.all(session_id=session)] == []
    assert [each async for each in client.notifications.outbox(session_id=session)] == []
