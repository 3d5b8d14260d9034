"""Summaries, reports, retries and other transcripts, through HTTP on the real servers."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from events.envelope import Key
from tests.deployment import KEY, Deployment
from tests.generation.ollama_server import OllamaServer
from tests.jobsite.test_attachments import attached
from tests.jobsite.test_attachments import over as read
from tests.jobsite.uploads import accepted, completed, get, lived, over, sound
from tests.speech.whisper_server import MODEL

NOTE = "We looked at the boiler room this morning.\nAction item. Order fifty sheets of drywall."
PLAN = b"Materials for the boiler room\n\nDrywall: 40 sheets\n"


async def post(http: aiohttp.ClientSession, path: str, body: Any = None, status: int = 202) -> dict[str, Any]:
    async with http.post(path, json=body) as answer:
        told: dict[str, Any] = await answer.json()
        assert answer.status == status, told
        return told


async def until(
    http: aiohttp.ClientSession, path: str, good: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            with suppress(AssertionError):
                if good(found := await get(http, path)):
                    return found
            await asyncio.sleep(0.05)


async def report(http: aiohttp.ClientSession, session: str, accept: str = "text/plain") -> str:
    async with http.get(f"/v1/sessions/{session}/report", headers={"Accept": accept}) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.text()


async def test_a_note_is_reported_with_what_contradicts_the_plan_whenever_that_comes(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    deployment.whisper.says[MODEL] = f"Job Elm {uuid4().int % 10**9}.\nGood morning."
    try:
        first = (await completed(http, sound()))["sessionId"]
        job = (await get(http, f"/v1/sessions/{first}"))["jobId"]
        await read(http, await attached(http, PLAN, "plan.txt", jobId=job))
        deployment.whisper.says[MODEL] = NOTE
        taken = await completed(http, sound(), jobId=job, title="Monday", notifyEmail="ann@example.com")
    finally:
        deployment.whisper.says.clear()
    session = taken["sessionId"]
    found = await report(http, session)
    assert "drywall: 50 sheets in the recording, 40 sheets in plan.txt." in " ".join(found.split())
    assert "ACTION ITEMS\n  - Order fifty sheets of drywall" in found
    assert f"{deployment.url}/v1/sessions/{session}" in found
    page = await report(http, session, "text/html")
    assert page.startswith("<!doctype html>")
    assert "Drywall: 40 sheets" in page
    # A second plan, after the summary: found as well, and told in a report that somebody asks for.
    await read(http, await attached(http, b"Drywall: 30 sheets", "later.txt", sessionId=session))
    async with asyncio.timeout(60), deployment.log() as log:
        while "discrepancies_found" not in (names := await _events(log, session)):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert names.count("discrepancies_found") == 1
    asked = await post(http, f"/v1/sessions/{session}/report")
    await over(http, {"statusUrl": asked["statusUrl"], "position": asked["position"]})
    assert "30 sheets in later.txt" in " ".join((await report(http, session)).split())
    async with http.get(f"/v1/sessions/{session}/report", headers={"Accept": "text/plain"}) as answer:
        etag = answer.headers["ETag"]
    async with http.get(
        f"/v1/sessions/{session}/report", headers={"Accept": "text/plain", "If-None-Match": etag}
    ) as answer:
        assert answer.status == 304


async def test_a_report_that_is_asked_for_is_sent_to_everybody_again_and_once(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    office = f"office-{uuid4()}@example.com"
    session = (await completed(http, sound(), notifyEmail=office))["sessionId"]
    await _mailed(deployment, office, 1)
    headers = {"Idempotency-Key": str(uuid4())}
    for _ in range(2):
        async with http.post(f"/v1/sessions/{session}/report", headers=headers) as answer:
            assert answer.status == 202
            asked = await answer.json()
    await over(http, {"statusUrl": asked["statusUrl"], "position": asked["position"]})
    await _mailed(deployment, office, 2)
    ids = {each.message["Message-ID"] for each in deployment.mail.of(office)}
    assert len(ids) == 2
    async with http.patch(f"/v1/sessions/{session}", json={"title": "Another"}) as answer:
        assert answer.status == 200
    await post(http, f"/v1/sessions/{session}/report")
    await _mailed(deployment, office, 3)


async def test_a_hit_is_as_old_as_its_recording_however_often_that_is_corrected(
    http: aiohttp.ClientSession,
) -> None:
    job = str(uuid4())
    session = (await completed(http, sound(), jobId=job))["sessionId"]
    path = f"/v1/sessions/{session}/transcript/segments/0"
    async with http.patch(path, json={"text": "Order drywall for the attic."}) as answer:
        position = (await answer.json())["position"]
    await over(http, {"statusUrl": f"/v1/upload/status/{session}", "position": position})
    uploaded = (await get(http, f"/v1/sessions/{session}"))["uploadedAt"]
    [hit] = (await get(http, f"/v1/search?q=attic&jobId={job}"))["hits"]
    assert hit["recordedAt"] == uploaded


async def _mailed(deployment: Deployment, recipient: str, count: int) -> None:
    async with asyncio.timeout(60):
        while len(deployment.mail.of(recipient)) < count:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert len(deployment.mail.of(recipient)) == count


async def _events(log: Any, session: str) -> list[str]:
    return [each.event.name for each in await log.load(Key("jobsite", "session", UUID(session)))]


async def test_only_what_failed_can_be_tried_again(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    silent = await accepted(http, sound(0))
    assert (await over(http, silent))["status"] == "failed"
    path = f"/v1/sessions/{silent['sessionId']}/retry"
    assert (await post(http, path, {"stage": "report"}, 409))["code"] == "NOTHING_TO_RETRY"
    again = await post(http, path, {})
    status = await over(http, {"statusUrl": again["statusUrl"], "position": again["position"]})
    assert status["stages"][0]["error"]["code"] == "AUDIO_EMPTY"  # and not that nothing was tried
    async with deployment.log() as log:
        names = await _events(log, silent["sessionId"])
    assert names == ["audio_uploaded", "stage_failed", "stage_retried", "stage_failed"]
    good = (await completed(http, sound()))["sessionId"]
    assert (await post(http, f"/v1/sessions/{good}/retry", {}, 409))["code"] == "NOTHING_TO_RETRY"
    assert (await post(http, f"/v1/sessions/{uuid4()}/retry", {}, 404))["code"] == "SESSION_NOT_FOUND"


async def test_another_transcript_is_compared_before_it_replaces_anything(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    session = (await completed(http, sound(5.0)))["sessionId"]
    base = f"/v1/sessions/{session}"
    deployment.whisper.says["better"] = "The boiler room wall is dry.\nOrder drywall today."
    try:
        tried = await post(http, f"{base}/transcribe", {"model": "better", "dryRun": True})
        found = await until(http, tried["url"], lambda each: each["state"] == "proposed")
        unknown = await post(http, f"{base}/transcribe", {"model": "none"})
        failed = await until(http, unknown["url"], lambda each: each["state"] == "failed")
    finally:
        deployment.whisper.says.clear()
    assert failed["errorCode"] == "MODEL_UNKNOWN"
    assert (found["model"], found["kept"], found["replaced"], found["inserted"]) == ("better", 7, 1, 1)
    changed = [(each["was"], each["now"]) for each in found["differences"] if each["kind"] != "kept"]
    assert changed == [("wet.", "dry."), ("", "today.")]
    assert (await get(http, base))["transcript"]["model"] == MODEL
    listed = await get(http, f"{base}/transcriptions")
    assert [each["id"] for each in listed["items"]] == [unknown["transcriptionId"], tried["transcriptionId"]]
    taken = await post(http, f"{tried['url']}/accept")
    await over(http, {"statusUrl": taken["statusUrl"], "position": taken["position"]})
    now = await get(http, base)
    assert (now["transcript"]["model"], now["status"]) == ("better", "completed")
    assert "dry" in await report(http, session)
    assert (await get(http, tried["url"]))["state"] == "accepted"


async def test_a_model_that_writes_is_believed_what_its_sources_say(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    title = f"Note {uuid4()}"
    good = {
        "summary": "The wall of the boiler room is wet.",
        "actionItems": [
            {"text": "Order drywall", "owner": "Ann", "due": "2026-11-20", "quote": "Order drywall."}
        ],
        "discrepancies": [],
    }
    with ollama.says(_summary, {"summary": 7}, good):
        async with aiohttp.ClientSession(modelled.url, headers={"X-Api-Key": KEY}) as http:
            session = (await completed(http, sound(), title=title))["sessionId"]
            told = await report(http, session)
    assert "The wall of the boiler room is wet." in told
    assert "Made by model:" in told


async def test_an_answer_of_no_use_fails_its_stage_alone_which_can_be_tried_again(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    useless = [{"summary": 7}, {"summary": 8}]
    good = {"summary": "All is well now.", "actionItems": [], "discrepancies": []}
    with ollama.says(_summary, *useless, good):
        async with aiohttp.ClientSession(modelled.url, headers={"X-Api-Key": KEY}) as http:
            taken = await accepted(http, sound())
            stages = (await over(http, taken))["stages"]
            (failed,) = [each for each in stages if each["state"] == "failed"]
            within = {"sessionId": taken["sessionId"]}
            asked = {"query": "wet boiler room wall", "scope": within}
            hits = (await post(http, "/v1/search", asked, status=200))["hits"]
            again = await post(http, f"/v1/sessions/{taken['sessionId']}/retry", {})
            status = await over(http, {"statusUrl": again["statusUrl"], "position": again["position"]})
            told = await report(http, taken["sessionId"])
    assert (failed["stage"], failed["error"]["code"]) == ("summarise", "SUMMARY_UNUSABLE")
    assert hits
    assert status["status"] == "completed", status
    assert "All is well now." in told
    async with modelled.log() as log:
        names = await _events(log, taken["sessionId"])
    assert lived([name for name in names if name not in {"stage_failed", "stage_retried"}])


def _summary(body: dict[str, Any]) -> bool:
    """Whether a summary is asked for."""
    return "actionItems" in str(body.get("format")) and "discrepancies" in str(body.get("format"))
