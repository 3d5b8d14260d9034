"""What people set right survives whatever is made again: through HTTP, and in the retrying of single stages."""

import asyncio
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from events.envelope import Event, Intent, Recorded
from events.jobsite import (
    Reported,
    SessionMoved,
    StageFailed,
    StageRetried,
    Summarised,
    Understood,
)
from events.operations import Recorded as DeadLetter
from handlers.commands import Commands
from handlers.handler import Answer, Attempt, Handler
from handlers.jobsite.action_item.decide import ACTION_ITEMS, AddActionItem
from handlers.jobsite.notified import unnotified
from handlers.jobsite.retry import retrier
from handlers.jobsite.session.commands import FailStage
from tests.deployment import Deployment
from tests.jobsite.facts import (
    INDEX_FAILED,
    INDEXED,
    JOB,
    NOTIFIED,
    REPORTED,
    SESSION,
    SUMMARISED,
    TRANSCRIBED,
    UNDERSTOOD,
    UPLOADED,
    given,
    notify,
)
from tests.jobsite.test_domain import added, eventually, sent
from tests.jobsite.test_rows import recorded
from tests.jobsite.test_stages import post, until
from tests.jobsite.uploads import completed, get, over, sound


async def test_corrections_hold_for_another_transcript_and_only_what_is_below_them_is_made_again(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    first, _ = await added(http, "/v1/jobs", name=f"Mill {uuid4().hex}")
    second, _ = await added(http, "/v1/jobs", name=f"Barn {uuid4().hex}")
    taken = await completed(http, sound(5.0), jobId=first, title="Monday")
    path = f"/v1/sessions/{taken['sessionId']}"
    heard = len(deployment.whisper.calls)
    await sent(http, "PATCH", path, {"title": "Boiler room"})
    await sent(http, "PATCH", path, {"jobId": second})
    segment = {"text": "Order drywall screws.", "speaker": "Ann"}
    await sent(http, "PATCH", f"{path}/transcript/segments/1", segment)
    await sent(http, "PUT", f"{path}/speakers/Ann", {"name": "Ann Lee"})
    session = await eventually(
        http, path, lambda each: each["status"] == "completed" and each["corrections"] == 3
    )
    assert len(deployment.whisper.calls) == heard
    told = await eventually(
        http, f"/v1/notifications?jobId={second}", lambda each: "Monday" in str(each["items"])
    )
    assert {each["sessionId"] for each in told["items"]} == {taken["sessionId"]}
    assert (await get(http, f"/v1/notifications?jobId={first}"))["items"] == []
    deployment.whisper.says["better"] = "The boiler room wall is dry.\nOrder dry wall."
    try:
        tried = await post(http, f"{path}/transcribe", {"model": "better", "dryRun": True})
        found = await until(http, tried["url"], lambda each: each["state"] == "proposed")
        changed = [(each["was"], each["now"]) for each in found["differences"] if each["kind"] != "kept"]
        assert changed[0] == ("wet.", "dry.")
        assert "screws." not in str(changed)
        assert await get(http, path) | {"audioUrl": ""} == session | {"audioUrl": ""}
        again = await post(http, f"{path}/transcribe", {"model": "better"})
        await until(http, again["url"], lambda each: each["state"] == "accepted")
        await over(http, {"statusUrl": f"/v1/upload/status/{taken['sessionId']}", **again})
    finally:
        deployment.whisper.says.clear()
    now = await get(http, path)
    assert (now["title"], now["jobId"], now["corrections"]) == ("Boiler room", second, 3)
    assert (now["transcript"]["model"], now["status"]) == ("better", "completed")
    said = {each["text"]: each["speaker"] for each in now["transcript"]["segments"]}
    assert said["The boiler room wall is dry."] is None
    assert said["Order drywall screws."] == "Ann Lee"
    hits = (await get(http, f"/v1/search?q=drywall+screws&jobId={second}"))["hits"]
    assert [each["sessionId"] for each in hits] == [taken["sessionId"]]


async def test_a_correction_that_is_sent_again_is_the_same_and_others_may_correct_elsewhere_meanwhile(
    http: aiohttp.ClientSession,
) -> None:
    taken = await completed(http, sound(5.5))
    path = f"/v1/sessions/{taken['sessionId']}"
    await sent(http, "PATCH", f"{path}/transcript/segments/1", {"speaker": "Ann"})
    key = {"Idempotency-Key": uuid4().hex}
    answers = []
    for label in ("Ann", "Ann", "Zoe"):
        async with http.put(f"{path}/speakers/{label}", json={"name": "Ann Lee"}, headers=key) as answer:
            answers.append((answer.status, (await answer.json()).get("position")))
    assert answers[0] == answers[1] == (200, answers[0][1])
    assert answers[2] == (409, None)

    async def worded(n: int) -> int:
        async with http.patch(f"{path}/transcript/segments/{n}", json={"text": f"Number {n}."}) as answer:
            return answer.status

    assert await asyncio.gather(worded(0), worded(1)) == [200, 200]
    said = (await get(http, path))["transcript"]["segments"]
    assert [(each["text"], each["speaker"]) for each in said[:2]] == [
        ("Number 0.", None),
        ("Number 1.", "Ann Lee"),
    ]
    assert await asyncio.gather(worded(0), worded(0)) == [200, 200]
    async with http.patch(f"{path}/transcript/segments/\u0660", json={"text": "Nought."}) as answer:
        assert answer.status == 404


class Past:
    """What has happened to a recording."""

    def __init__(self, *events: Event) -> None:
        self._past = [recorded(each, n) for n, each in enumerate(events, start=1)]

    async def past(self, *_: Any) -> list[Recorded[Any]]:
        return self._past


def stage(name: str, on: type[Event], answer: Answer) -> Handler:
    async def effect(cause: Recorded[Any], _: Attempt) -> Answer:
        return answer

    return Handler(name=name, on=on, effect=effect)


async def retried(which: Any, past: Past, *stages: Handler) -> Answer:
    event = StageRetried(session_id=SESSION, stage=which, retry=1, audio="aa")
    reading: Any = past
    return await retrier(stages, reading=reading).effect(recorded(event, 99), Attempt(1, 1))


def made(by: str) -> FailStage:
    """An answer that tells which handler gave it."""
    return FailStage(session_id=SESSION, stage="index", code=by, detail="")


async def test_a_stage_is_tried_again_with_the_newest_event_that_leaves_something_to_be_done() -> None:
    moved = SessionMoved(session_id=SESSION, job_id=JOB, was=JOB)
    stages = (
        stage("index", Understood, made("index")),
        stage("index_unstood", StageFailed, None),
        stage("index_moved", SessionMoved, None),
        stage("summarise", Understood, made("summarise")),
    )
    past = Past(UPLOADED, UNDERSTOOD, moved, INDEX_FAILED)
    assert await retried("index", past, *stages) == made("index")
    assert await retried("summarise", past, *stages) == made("summarise")
    assert await retried("report", past, *stages) is None
    lost = StageFailed(session_id=SESSION, stage="understand", code="C", detail="d")
    unstood = stage("index_unstood", StageFailed, made("unstood"))
    assert await retried("index", Past(UPLOADED, lost, INDEX_FAILED), unstood) == made("unstood")
    assert await retried("report", Past(UPLOADED, SUMMARISED), stage("report", Summarised, made("report")))
    tell = stage("notify_of_report", Reported, made("notify"))
    assert await retried("notify", Past(UPLOADED, SUMMARISED, REPORTED), tell) == made("notify")


@pytest.mark.parametrize(
    ("handler", "subject", "fails"),
    [
        ("notify_of_report", f"jobsite.session.{SESSION}.reported", True),
        ("report", f"jobsite.session.{SESSION}.summarised", False),
        ("notify_of_report", f"jobsite.attachment.{SESSION}.moved", False),
    ],
)
async def test_nobody_could_be_told_of_a_report_is_the_end_of_its_stage(
    handler: str, subject: str, *, fails: bool
) -> None:
    letter = DeadLetter(
        dead_letter_id=JOB,
        stream="JOBSITE",
        position=7,
        subject=subject,
        handler=handler,
        error="E",
        attempts=6,
    )
    answer = await unnotified().effect(recorded(letter, 8), Attempt(1, 1))
    assert (isinstance(answer, FailStage) and (answer.session_id, answer.stage)) == (
        fails and (SESSION, "notify")
    )
    lost = StageFailed(session_id=SESSION, job_id=JOB, stage="notify", code="C", detail="d")
    past = (UPLOADED, TRANSCRIBED, UNDERSTOOD, INDEXED, SUMMARISED, REPORTED, lost)
    given(*past).when(notify).then(NOTIFIED)


async def test_action_items_follow_what_is_heard_now_and_what_was_overtaken_goes(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    taken = await completed(http, sound(5.0))
    session_id = UUID(taken["sessionId"])
    path, items = f"/v1/sessions/{session_id}", f"/v1/action-items?sessionId={session_id}"

    async def heard(text: str) -> None:
        await sent(http, "PATCH", f"{path}/transcript/segments/1", {"text": text})

    def asked(told: dict[str, Any]) -> list[tuple[str, str]]:
        return sorted((each["text"], each["owner"]) for each in told["items"])

    await heard("Action item, Mike to order drywall by Friday.")
    first = await eventually(http, items, lambda each: asked(each) == [("Order drywall", "Mike")])
    async with deployment.log() as log:
        overtaken = AddActionItem(
            action_item_id=uuid4(), text="Order glass", owner="Eve", session_id=session_id
        )
        made = Intent(command_id=uuid4(), actor="tests", at=datetime.now(UTC), correlation_id=uuid4())
        await Commands(log, [ACTION_ITEMS]).execute(overtaken, made)
    await eventually(http, items, lambda each: len(each["items"]) == 2)
    await heard("Action item, Anna to order drywall by Monday.")
    now = await eventually(http, items, lambda each: asked(each) == [("Order drywall", "Anna")])
    [before], [after] = first["items"], now["items"]
    assert before["id"] == after["id"]
    assert before["due"] != after["due"]
    assert "Anna" in after["quote"]
