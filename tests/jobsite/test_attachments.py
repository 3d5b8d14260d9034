"""Files of recordings and jobs: sent, read, found, moved, refused, retried, deleted; on the real servers."""

import asyncio
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from infra import jetstream
from tests.deployment import Deployment
from tests.documents import files
from tests.jobsite.uploads import accepted, completed, get, sound

PLAN = "Plan of the boiler room.\n\nTwelve sheets of drywall.\n"


def form(content: bytes, name: str, **fields: str) -> aiohttp.FormData:
    made = aiohttp.FormData(fields, quote_fields=False)
    made.add_field("file", content, filename=name, content_type="application/octet-stream")
    return made


async def attach(
    http: aiohttp.ClientSession, content: bytes, name: str, *, key: str | None = None, **fields: str
) -> tuple[int, dict[str, Any]]:
    headers = {"Idempotency-Key": key} if key else {}
    data = form(content, name, **fields)
    async with http.post("/v1/upload/attachment", data=data, headers=headers) as answer:
        return answer.status, await answer.json()


async def attached(http: aiohttp.ClientSession, content: bytes, name: str, **fields: str) -> dict[str, Any]:
    status, body = await attach(http, content, name, **fields)
    assert status == 202, body
    return body


async def added_job(http: aiohttp.ClientSession) -> str:
    """The id of a new job."""
    async with http.post("/v1/jobs", json={"name": f"Maple Street {uuid4()}"}) as answer:
        assert answer.status in {201, 202}, await answer.text()
        made = await answer.json()
        return str(made.get("id") or made["jobId"])


async def over(http: aiohttp.ClientSession, taken: dict[str, Any], query: str = "") -> dict[str, Any]:
    """The attachment, once its stages are over."""
    after = {"Headwater-After": taken["position"]}
    async with asyncio.timeout(60):
        while True:
            found = await get(http, f"/v1/attachments/{taken['attachmentId']}{query}", **after)
            if found["status"] in {"completed", "failed"}:
                return found
            await asyncio.sleep(0.05)


async def until(http: aiohttp.ClientSession, path: str, **expected: Any) -> dict[str, Any]:
    """What is at the path, once these of its members are as expected."""
    async with asyncio.timeout(60):
        while True:
            async with http.get(path) as answer:
                found: dict[str, Any] = await answer.json()
            if found.items() >= expected.items():
                return found
            await asyncio.sleep(0.05)


async def index_rows(deployment: Deployment, attachment_id: str) -> list[Any]:
    """The rows of its passages in the index."""
    import asyncpg

    db = await asyncpg.connect(deployment.postgres.dsn)
    try:
        table = await db.fetchval(
            "select table_name from information_schema.tables "
            "where table_schema = 'jobsite' and table_name like 'chunks\\_%'"
        )
        return list(
            await db.fetch(f"select * from jobsite.{table} where source_id = $1 order by n", attachment_id)
        )
    finally:
        await db.close()


async def test_a_plan_of_a_recording_is_read_and_its_pages_can_be_found(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    session = (await accepted(http, sound()))["sessionId"]
    content = files.pdf()
    taken = await attached(http, content, "plan.pdf", sessionId=session)
    found = await over(http, taken, "?text=true")
    assert (found["status"], found["mediaType"], found["pages"]) == ("completed", "application/pdf", 3)
    assert (found["title"], found["sessionId"]) == ("Boiler plan", session)
    assert [(each["stage"], each["state"]) for each in found["stages"]] == [
        ("extract", "completed"),
        ("index", "completed"),
    ]
    text, page = found["text"]["text"], found["text"]["pages"][1]
    assert text[page["startChar"] : page["endChar"]] == "Second page: four valves."
    rows = await index_rows(deployment, taken["attachmentId"])
    assert [(row["kind"], row["page"], str(row["session_id"])) for row in rows] == [
        ("attachment", n, session) for n in (1, 2, 3)
    ]
    assert all(text[row["start_char"] : row["end_char"]] == row["text"] for row in rows)
    [hit, *_] = (await get(http, f"/v1/search?q=four+valves&sessionId={session}"))["hits"]
    assert (hit["kind"], hit["sourceId"], hit["page"]) == ("attachment", taken["attachmentId"], 2)
    assert (hit["title"], hit["url"].rpartition("#")[2]) == ("Boiler plan", "page=2")
    async with http.get(
        f"/v1/attachments/{taken['attachmentId']}/original", headers={"Range": "bytes=0-7"}
    ) as answer:
        assert (answer.status, await answer.read()) == (206, content[:8])
        assert "plan.pdf" in answer.headers["Content-Disposition"]


async def test_what_is_unchanged_is_not_sent_again(http: aiohttp.ClientSession) -> None:
    session = (await completed(http, sound()))["sessionId"]
    taken = await attached(http, PLAN.encode(), "plan.txt", sessionId=session, title="The plan")
    assert (await over(http, taken))["title"] == "The plan"
    path = f"/v1/attachments/{taken['attachmentId']}"
    async with http.get(path) as answer:
        etag = answer.headers["ETag"]
    async with http.get(path, headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304
    listed = await get(http, f"/v1/attachments?sessionId={session}&status=completed")
    assert [each["id"] for each in listed["items"]] == [taken["attachmentId"]]
    assert not (await get(http, f"/v1/attachments?sessionId={session}&status=failed"))["items"]


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({}, 422, "ONE_HOME_NEEDED"),
        ({"sessionId": str(uuid4()), "jobId": str(uuid4())}, 422, "ONE_HOME_NEEDED"),
        ({"sessionId": str(uuid4())}, 404, "SESSION_NOT_FOUND"),
        ({"jobId": str(uuid4())}, 404, "JOB_NOT_FOUND"),
        ({"sessionId": "monday"}, 400, "INVALID_PARAMETER"),
    ],
)
async def test_a_file_needs_a_home_that_is_there(
    http: aiohttp.ClientSession, fields: dict[str, str], status: int, code: str
) -> None:
    refused, problem = await attach(http, PLAN.encode(), "plan.txt", **fields)
    assert (refused, problem["code"]) == (status, code)


async def test_bad_files_fail_with_their_reason_and_harm_nothing(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    with deployment.without_complaint():
        session = (await completed(http, sound()))["sessionId"]
        bad = {
            "DOCUMENT_ENCRYPTED": (files.locked(), "locked.pdf"),
            "DOCUMENT_BOMB": (files.bomb(), "bomb.docx"),
            "DOCUMENT_DAMAGED": (files.half(files.pdf()), "half.pdf"),
            "DOCUMENT_MISLABELLED": (files.picture(), "picture.pdf"),
            "DOCUMENT_UNSUPPORTED": (files.junk(), "junk"),
        }
        taken = {
            code: await attached(http, content, name, sessionId=session)
            for code, (content, name) in bad.items()
        }
        for code, each in taken.items():
            found = await over(http, each)
            assert (found["status"], found["error"]["code"]) == ("failed", code)
            assert found["error"] == found["stages"][0]["error"]
        assert (await attach(http, b"", "empty.pdf", sessionId=session))[1]["code"] == "DOCUMENT_EMPTY"
        assert (await get(http, f"/v1/sessions/{session}"))["status"] == "completed"
        locked = f"/v1/attachments/{taken['DOCUMENT_ENCRYPTED']['attachmentId']}"
        async with http.post(f"{locked}/retry") as answer:
            again = await answer.json()
            assert answer.status == 202, again
        assert (await over(http, again))["error"]["code"] == "DOCUMENT_ENCRYPTED"
        good = await attached(http, PLAN.encode(), "plan.txt", sessionId=session)
        assert (await over(http, good))["status"] == "completed"
        async with http.post(f"/v1/attachments/{good['attachmentId']}/retry") as answer:
            assert (answer.status, (await answer.json())["code"]) == (409, "NOTHING_TO_RETRY")


async def test_it_follows_its_recording_and_its_passages_too(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    job = str(uuid4())
    session = (await accepted(http, sound(), jobId=job))["sessionId"]
    taken = await attached(http, PLAN.encode(), "plan.txt", sessionId=session)
    path = f"/v1/attachments/{taken['attachmentId']}"
    await over(http, taken)
    await until(http, path, jobId=job)
    rows = await index_rows(deployment, taken["attachmentId"])
    assert {str(row["job_id"]) for row in rows} == {job}
    other = await added_job(http)
    async with http.patch(f"/v1/sessions/{session}", json={"jobId": other}) as answer:
        assert answer.status in {200, 202}, await answer.text()
    await until(http, path, jobId=other, status="completed")
    rows = await index_rows(deployment, taken["attachmentId"])
    assert {str(row["job_id"]) for row in rows} == {other}
    listed = await get(http, f"/v1/attachments?jobId={other}")
    assert [each["id"] for each in listed["items"]] == [taken["attachmentId"]]
    hits = (await get(http, f"/v1/search?q=boiler&jobId={other}"))["hits"]
    assert [hit["title"] for hit in hits if hit["kind"] == "attachment"] == ["plan.txt"]


async def test_a_job_has_files_of_its_own_and_they_go_with_it(http: aiohttp.ClientSession) -> None:
    job = await added_job(http)
    taken = await attached(http, f"{PLAN} {uuid4()}".encode(), "plan.txt", jobId=job)
    assert (await over(http, taken))["jobId"] == job
    [hit, *_] = (await get(http, f"/v1/search?q=drywall&jobId={job}"))["hits"]
    assert (hit["kind"], hit["sourceId"], hit["jobId"]) == ("attachment", taken["attachmentId"], job)
    async with http.delete(f"/v1/jobs/{job}") as answer:
        assert answer.status == 202
    await until(http, f"/v1/attachments/{taken['attachmentId']}/deletion", status="done", left=0)
    await until(http, f"/v1/jobs/{job}/deletion", status="done", left=0)
    status, problem = await attach(http, PLAN.encode(), "plan.txt", jobId=job)
    assert (status, problem["code"]) == (404, "JOB_NOT_FOUND")


async def test_the_same_key_and_file_are_one_attachment(http: aiohttp.ClientSession) -> None:
    session, key = (await completed(http, sound()))["sessionId"], str(uuid4())
    first, again = [
        await attach(http, PLAN.encode(), "plan.txt", key=key, sessionId=session) for _ in range(2)
    ]
    assert first == again
    status, problem = await attach(http, b"other", "plan.txt", key=key, sessionId=session)
    assert (status, problem["code"]) == (409, "IDEMPOTENCY_KEY_REUSED")


async def test_what_is_deleted_leaves_nothing(http: aiohttp.ClientSession, deployment: Deployment) -> None:
    session = (await completed(http, sound()))["sessionId"]
    alone, along = [
        await attached(http, f"{PLAN} {uuid4()}".encode(), "plan.txt", sessionId=session) for _ in range(2)
    ]
    for each in (alone, along):
        assert (await over(http, each))["status"] == "completed"
    async with http.delete(f"/v1/attachments/{alone['attachmentId']}") as answer:
        assert answer.status == 202, await answer.text()
    async with http.delete(f"/v1/sessions/{session}") as answer:
        assert answer.status == 202
    await until(http, f"/v1/sessions/{session}/deletion", status="done", left=0)
    for each in (alone, along):
        path = f"/v1/attachments/{each['attachmentId']}"
        await until(http, f"{path}/deletion", status="done", left=0)
        async with http.get(path) as answer:
            assert (answer.status, (await answer.json())["code"]) == (404, "ATTACHMENT_NOT_FOUND")
        assert not await index_rows(deployment, each["attachmentId"])
        nc = await jetstream.connect(deployment.nats[0].operator_url, name="tests")
        subjects = {"subjects_filter": f"jobsite.attachment.{each['attachmentId']}.>"}
        info = await jetstream.api(nc, "STREAM.INFO.JOBSITE", subjects)
        await nc.close()
        assert list(info["state"]["subjects"]) == [f"jobsite.attachment.{each['attachmentId']}.deleted"]
