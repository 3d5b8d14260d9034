"""Sessions and jobs deleted through the API: for everybody at once, and for good a moment later."""

import asyncio
import os
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from events.envelope import Key
from events.ids import new_id
from handlers.commands import Commands
from handlers.jobsite.job.decide import JOBS, AddJob, DeleteJob
from handlers.jobsite.session.commands import UploadAudio
from handlers.jobsite.session.decide import SESSIONS
from tests.deployment import Deployment
from tests.erasure.cabinet import intent
from tests.jobsite.uploads import accepted, completed, get, idle, sound, stored_messages, upload
from tests.kernel.wiring import until


async def deleted(http: aiohttp.ClientSession, path: str) -> dict[str, Any]:
    """Delete it; the report once nothing is left."""
    async with http.delete(path) as answer:
        assert answer.status == 202, await answer.text()
        taken = await answer.json()
        assert answer.headers["Location"] == taken["deletionUrl"]
    return await gone(http, taken["deletionUrl"])


async def gone(http: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    report: dict[str, Any] = {}
    try:
        async with asyncio.timeout(60):
            while True:
                async with http.get(url) as answer:
                    report = await answer.json()
                    assert (answer.status == 200) == (report.get("status") == "done"), report
                    if answer.status == 200:
                        return report
                await asyncio.sleep(0.05)
    except TimeoutError:
        raise AssertionError(report) from None


def on_disk(home: Path, content: bytes) -> list[str]:
    return [str(file) for file in home.rglob("*") if file.is_file() and content in file.read_bytes()]


async def test_nothing_is_left_of_a_deleted_session_but_that_it_was(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    recording, title = sound(), os.urandom(24).hex()
    taken = await completed(http, recording, title=title, jobId=str(uuid4()))
    session = taken["sessionId"]
    async with http.get(f"/v1/sessions/{session}/deletion") as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "NOT_DELETED")
    log_files = deployment.home / "nats"
    assert on_disk(log_files, recording[44:])
    assert on_disk(log_files, title.encode())
    report = await deleted(http, f"/v1/sessions/{session}")
    places = {each["place"]: each for each in report["places"]}
    assert {"jobsite.sessions.id", "jobsite.segments.session_id", "jobsite.action_items.session_id"} <= {
        *places
    }
    assert "vectors" in {each["kind"] for each in places.values()}
    assert (report["left"], {each["left"] for each in places.values()}) == (0, {0})
    assert report["erasure"]["blobs"]["audio_uploaded"] == 1
    for path in (f"/v1/sessions/{session}", f"/v1/upload/status/{session}"):
        async with http.get(path) as answer:
            assert answer.status == 404
    async with deployment.log() as log:
        left = await log.load(Key("jobsite", "session", UUID(session)))
        assert [each.event.name for each in left] == ["deleted"]
    assert on_disk(log_files, recording[44:]) == []
    assert on_disk(log_files, title.encode()) == []
    compared = await deployment.cli("rebuild", "all", "--dry-run")
    assert (compared.status, "DIFFERS" in compared.out) == (0, False), compared
    async with http.delete(f"/v1/sessions/{session}") as answer:
        assert answer.status == 202
    for path in (f"/v1/sessions/{uuid4()}", f"/v1/jobs/{uuid4()}"):
        async with http.delete(path) as answer:
            assert answer.status == 404
        async with http.get(f"{path}/deletion") as answer:
            assert answer.status == 404


async def test_the_same_recording_in_two_sessions_goes_with_the_second(http: aiohttp.ClientSession) -> None:
    recording = sound()
    first, second = [await completed(http, recording) for _ in range(2)]
    report = await deleted(http, f"/v1/sessions/{first['sessionId']}")
    assert report["erasure"]["shared"]["audio_uploaded"] == 1
    kept = await get(http, f"/v1/sessions/{second['sessionId']}")
    assert kept["transcript"]["text"]
    async with aiohttp.ClientSession() as player, player.get(kept["audioUrl"]) as answer:
        assert (answer.status, await answer.read()) == (200, recording)
    report = await deleted(http, f"/v1/sessions/{second['sessionId']}")
    assert report["erasure"]["blobs"]["audio_uploaded"] == 1
    async with aiohttp.ClientSession() as player, player.get(kept["audioUrl"]) as answer:
        assert answer.status == 404


async def test_deleted_while_it_is_transcribed_the_transcript_comes_too_late(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    await idle(deployment)
    deployment.whisper.gate = asyncio.Event()
    deployment.whisper.asked.clear()
    try:
        recording = sound()
        taken = await accepted(http, recording, key=(key := str(uuid4())))
        async with asyncio.timeout(60):
            await deployment.whisper.asked.wait()
        report = await deleted(http, f"/v1/sessions/{taken['sessionId']}")
        assert report["erasure"]["blobs"] == {"audio_uploaded": 1}
    finally:
        deployment.whisper.gate.set()
        deployment.whisper.gate = None
    await idle(deployment)
    async with deployment.log() as log:
        left = await log.load(Key("jobsite", "session", UUID(taken["sessionId"])))
        assert [each.event.name for each in left] == ["deleted"]
    assert (await gone(http, f"/v1/sessions/{taken['sessionId']}/deletion"))["left"] == 0
    letters = await get(http, "/v1/dead-letters?status=open")
    assert [each for each in letters["items"] if taken["sessionId"] in each["subject"]] == []
    stored = await stored_messages(deployment)
    status, again = await upload(http, recording, key=key)
    assert (status, again["code"]) == (409, "DELETED_SINCE")
    async with asyncio.timeout(60):
        while await stored_messages(deployment) != stored:  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.05)
    status, again = await upload(http, recording, key=str(uuid4()))
    assert (status, again["sessionId"] == taken["sessionId"]) == (202, False)


async def test_a_job_takes_its_sessions_with_it(http: aiohttp.ClientSession, deployment: Deployment) -> None:
    job = new_id()
    async with deployment.log() as log:
        await Commands(log, [JOBS]).execute(AddJob(job_id=job, title=f"Maple Street {job}"), intent())
    sessions = [(await completed(http, sound(), jobId=str(job)))["sessionId"] for _ in range(2)]
    other = (await completed(http, sound()))["sessionId"]
    report = await deleted(http, f"/v1/jobs/{job}")
    assert {"jobsite.sessions.job_id", "jobsite.jobs.id"} <= {each["place"] for each in report["places"]}
    assert {"what": "jobsite.session", "deleted": 2, "erased": 2} in report["parts"]
    for session in sessions:
        assert (await gone(http, f"/v1/sessions/{session}/deletion"))["left"] == 0
    assert (await get(http, f"/v1/sessions/{other}"))["status"] == "completed"
    status, refused = await upload(http, sound(), jobId=str(job))
    assert (status, refused["code"]) == (404, "JOB_NOT_FOUND")


async def test_a_recording_that_just_missed_the_deletion_of_its_job_stays_without_one(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    job, late, content = new_id(), new_id(), sound()
    await completed(http, content)
    upload = UploadAudio(
        session_id=late,
        upload_id=new_id(),
        blob=sha256(content).hexdigest(),
        size=len(content),
        media_type="audio/wav",
        job_id=job,
    )
    async with deployment.log() as log:
        commands = Commands(log, [JOBS, SESSIONS])
        for command in (AddJob(job_id=job, title=f"Elm Street {job}"), DeleteJob(job_id=job), upload):
            taken = await commands.execute(command, intent())

    async def jobless() -> bool:
        session = await get(http, f"/v1/sessions/{late}", **{"Headwater-After": taken.cursor})
        return session["jobId"] is None

    await until(jobless, within=30)
    await gone(http, f"/v1/jobs/{job}/deletion")
