"""Names that were misheard: suggested, never taken for others, and settled by people with one call."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import aiohttp

from tests.deployment import Deployment
from tests.jobsite.test_attachments import attached
from tests.jobsite.test_attachments import over as read
from tests.jobsite.test_domain import a_name, added, eventually, refused, sent
from tests.jobsite.uploads import completed, get, idle, sound
from tests.speech.whisper_server import MODEL


@contextmanager
def said(deployment: Deployment, text: str) -> Iterator[None]:
    deployment.whisper.says[MODEL] = text
    try:
        yield
    finally:
        deployment.whisper.says.clear()


async def listed(http: aiohttp.ClientSession, path: str, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await get(http, f"{path}?q={name.replace(' ', '%20')}"))["items"]
    return found


async def test_a_job_that_was_misheard_is_suggested_and_settled_with_one_call(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = a_name()
    meant, _ = await added(http, "/v1/jobs", name=f"{name} Street")
    with said(deployment, f"Job {name} Streat, builder {name} Larkin.\nAction item: order drywall."):
        taken = await completed(http, sound())
    path = f"/v1/sessions/{taken['sessionId']}"
    await read(http, await attached(http, b"Drywall: 40 sheets", "plan.txt", sessionId=taken["sessionId"]))
    session = await get(http, path)
    [suggestion] = session["suggestions"]
    assert (suggestion["kind"], suggestion["id"], suggestion["name"]) == ("job", meant, f"{name} Street")
    assert (suggestion["said"], suggestion["similarity"] > 0.5) == (f"{name} Streat", True)
    assert session["jobId"] != meant
    [stray] = await listed(http, "/v1/jobs", f"{name} Streat")
    key = {"Idempotency-Key": str(uuid4())}
    accept = f"{path}/suggestions/{meant}/accept"
    settled = await sent(http, "POST", accept, **key)
    assert await sent(http, "POST", accept, **key) == settled
    session = await eventually(
        http, path, lambda each: each["status"] == "completed" and each["jobId"] == meant
    )
    assert session["suggestions"] == []
    await eventually(http, f"/v1/jobs?q={name}", lambda each: len(each["items"]) == 1)
    await idle(deployment)
    overview = await get(http, f"/v1/jobs/{meant}")
    counts = {name: overview["counts"][name] for name in ("sessions", "attachments", "openItems")}
    assert counts == {"sessions": 1, "attachments": 1, "openItems": 1}
    assert await refused(http, "GET", f"/v1/jobs/{stray['id']}") == (404, "JOB_NOT_FOUND")
    assert (
        len(await listed(http, "/v1/builders", f"{name} Larkin")) == 1
    )  # nobody said that another was meant
    assert (await refused(http, "POST", f"{path}/suggestions/{uuid4()}/accept"))[1] == "SUGGESTION_NOT_FOUND"


async def test_a_builder_that_was_misheard_leaves_the_job_to_the_one_that_was_meant(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = a_name()
    builder, _ = await added(http, "/v1/builders", name=f"{name} Hendricks")
    with said(deployment, f"Job {name}. Builder {name} Hendrix."):
        taken = await completed(http, sound())
        other = await completed(http, sound())
    path = f"/v1/sessions/{taken['sessionId']}"
    session = await get(http, path)
    assert [(each["kind"], each["id"]) for each in session["suggestions"]] == [("builder", builder)]
    settled = await sent(http, "POST", f"{path}/suggestions/{builder}/accept")
    after = {"Headwater-After": settled["position"]}
    job = await get(http, f"/v1/jobs/{session['jobId']}", **after)
    assert (job["builderId"], job["counts"]["sessions"]) == (builder, 2)
    await eventually(http, f"/v1/builders?q={name}", lambda each: len(each["items"]) == 1)
    assert (await get(http, f"/v1/sessions/{other['sessionId']}"))["jobId"] == job["id"]


async def test_a_name_that_is_corrected_in_the_transcript_leaves_no_empty_job_or_builder_behind(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    name = a_name()
    with said(deployment, f"Job {name} Mapel.\nBuilder {name} Larkin.\nAction item: order drywall."):
        taken = await completed(http, sound())
        with_others = await completed(http, sound(), title="stays")
    path = f"/v1/sessions/{taken['sessionId']}"
    shared = (await get(http, path))["jobId"]

    async def corrected(n: int, text: str) -> str:
        await sent(http, "PATCH", f"{path}/transcript/segments/{n}", {"text": text})
        done = await eventually(http, path, lambda each: each["status"] == "completed")
        await idle(deployment)
        job: str = done["jobId"]
        return job

    alone = await corrected(0, f"Job {name} Walnut.")
    assert (await get(http, f"/v1/jobs/{shared}"))["counts"]["sessions"] == 1
    other = await corrected(0, f"Job {name} Chestnut.")
    assert await refused(http, "GET", f"/v1/jobs/{alone}") == (404, "JOB_NOT_FOUND")
    assert (await get(http, f"/v1/jobs/{other}"))["counts"]["openItems"] == 1
    assert len(await listed(http, "/v1/builders", f"{name} Larkin")) == 1
    await sent(http, "DELETE", f"/v1/sessions/{with_others['sessionId']}", status=202)
    await sent(http, "DELETE", f"/v1/jobs/{shared}", status=202)
    await idle(deployment)
    last = await corrected(1, f"Builder {name} Larkins.")
    assert (await get(http, f"/v1/jobs/{last}"))["builder"] == f"{name} Larkins"
    assert [each["name"] for each in await listed(http, "/v1/builders", name)] == [f"{name} Larkins"]


async def test_what_belongs_to_a_recording_outlives_the_job_that_it_has_just_left(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    first, _ = await added(http, "/v1/jobs", name=f"Mill {uuid4().hex}")
    second, _ = await added(http, "/v1/jobs", name=f"Mill {uuid4().hex}")
    with said(deployment, "Good morning.\nAction item: order drywall."):
        taken = await completed(http, sound(), jobId=first)
    path = f"/v1/sessions/{taken['sessionId']}"
    await read(http, await attached(http, b"Drywall: 40 sheets", "plan.txt", sessionId=taken["sessionId"]))
    await sent(http, "PATCH", path, {"jobId": second})
    await sent(http, "DELETE", f"/v1/jobs/{first}", status=202)
    await eventually(http, path, lambda each: each["status"] == "completed" and each["jobId"] == second)
    await idle(deployment)
    counts = (await get(http, f"/v1/jobs/{second}"))["counts"]
    assert (counts["sessions"], counts["attachments"], counts["openItems"]) == (1, 1, 1)
