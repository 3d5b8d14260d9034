"""Jobs and what belongs to them through HTTP: said, found, set right, moved, decided, and seen as they were."""

import asyncio
from typing import Any
from uuid import UUID, uuid4

import aiohttp

from tests.deployment import Deployment
from tests.jobsite.uploads import accepted, completed, get, over, sound
from tests.speech.whisper_server import MODEL

WITHIN = 60.0


async def sent(
    http: aiohttp.ClientSession, method: str, path: str, body: Any = None, status: int = 200, **headers: str
) -> dict[str, Any]:
    """The answer to a change, which must have this status."""
    async with http.request(method, path, json=body, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json() if answer.status != 204 else {}  # type: ignore[no-any-return]


async def refused(
    http: aiohttp.ClientSession, method: str, path: str, body: Any = None, **headers: str
) -> tuple[int, str]:
    async with http.request(method, path, json=body, headers=headers) as answer:
        return answer.status, (await answer.json())["code"]


def a_name() -> str:
    """A word that nobody has said yet, of letters only: where digits come between, it is read as many words.

    It is so long that one letter makes no difference to whether names are alike.
    """
    return "".join("abcdefghijklmnop"[int(digit, 16)] for digit in uuid4().hex[:12]).title()


async def eventually(http: aiohttp.ClientSession, path: str, right: Any) -> dict[str, Any]:
    """What is read once it is as it should be."""
    async with asyncio.timeout(WITHIN):
        while not right(read := await get(http, path)):  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.05)
    return read


async def added(http: aiohttp.ClientSession, path: str, **body: Any) -> tuple[str, dict[str, str]]:
    """The id of what was added, and the header that reads behind it."""
    answer = await sent(http, "POST", path, body, 201)
    return answer["id"], {"Headwater-After": answer["position"]}


async def test_what_is_said_makes_jobs_and_action_items_and_corrections_make_them_right(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    street, firm = f"Maple {a_name()}", f"Hendricks {a_name()}"
    taken = await completed(http, sound(5.0), recordedAt="2026-11-16T07:30:00Z", title="Boiler room")
    path = f"/v1/sessions/{taken['sessionId']}"
    before = await get(http, path)
    assert (before["jobId"], before["actionItems"], before["understoodBy"]) == (None, [], "grammar")
    said = f"Job {street}. Builder {firm}. Action item: Mike to order drywall by Friday."
    answer = await sent(http, "PATCH", f"{path}/transcript/segments/1", {"text": said, "speaker": "Ann"})
    session = await eventually(http, path, lambda each: each["jobId"] and each["status"] == "completed")
    segment = session["transcript"]["segments"][1]
    assert (segment["text"], segment["speaker"], segment["start"], session["corrections"]) == (
        said,
        "Ann",
        2.5,
        2,
    )
    [item] = session["actionItems"]
    assert (item["text"], item["owner"], item["due"]) == ("Order drywall", "Mike", "2026-11-20")
    text = session["transcript"]["text"]
    assert text[item["place"]["startChar"] : item["place"]["endChar"]] == item["quote"]
    job = await get(http, f"/v1/jobs/{session['jobId']}")
    assert (job["name"], job["builder"], job["sessionId"]) == (street, firm, session["id"])
    assert (job["counts"]["sessions"], job["counts"]["openItems"]) == (1, 1)
    assert [each["id"] for each in job["items"]] == [item["id"]]
    found = await get(http, f"/v1/search?q=order+drywall&jobId={job['id']}")
    assert [hit["sessionId"] for hit in found["hits"]] == [session["id"]]
    then = await get(http, f"{path}?asOf={taken['position']}")
    assert (then["status"], then["transcript"], then["jobId"], then["asOf"]) == (
        "accepted", None, None, taken["position"],
    )  # fmt: skip
    assert (await get(http, f"{path}?asOf={answer['position']}"))["transcript"]["segments"][1]["text"] == said
    fixed = await sent(
        http, "PATCH", f"{path}/transcript/segments/1", {"text": f"Job {street}. Order drywall."}
    )
    gone = await eventually(
        http, path, lambda each: each["status"] == "completed" and not each["actionItems"]
    )
    assert gone["jobId"] == session["jobId"]
    old = await get(http, f"/v1/jobs/{job['id']}?asOf={job['lastActivityAt']}")
    assert [each["text"] for each in old["items"]] == ["Order drywall"]
    await sent(http, "PATCH", f"{path}/transcript/segments/1", {"text": said})
    back = await eventually(http, path, lambda each: each["status"] == "completed" and each["actionItems"])
    assert [each["id"] for each in back["actionItems"]] == [item["id"]]
    named = await sent(http, "PUT", f"{path}/speakers/Ann", {"name": "Ann Lee"})
    assert int(named["position"].partition("@")[2]) > int(fixed["position"].partition("@")[2])
    session = await eventually(
        http, path, lambda each: each["transcript"]["segments"][1]["speaker"] == "Ann Lee"
    )
    assert await refused(http, "PUT", f"{path}/speakers/Nobody", {"name": "x"}) == (404, "SPEAKER_NOT_FOUND")
    assert await refused(http, "PATCH", f"{path}/transcript/segments/99", {"text": "x"}) == (
        404,
        "SEGMENT_NOT_FOUND",
    )


async def test_recordings_that_name_a_new_job_and_a_new_builder_at_once_come_to_one(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    job, firm = f"Larch {a_name()}", f"Novak {a_name()}"
    deployment.whisper.says[MODEL] = f"Job {job}. Builder {firm}. We poured the slab."
    try:
        taken = await asyncio.gather(*(accepted(http, sound()) for _ in range(4)))
        ends = [await over(http, each) for each in taken]
    finally:
        deployment.whisper.says.clear()
    assert {each["status"] for each in ends} == {"completed"}
    jobs = (await get(http, f"/v1/jobs?q={job.replace(' ', '%20')}"))["items"]
    assert [(each["name"], each["builder"]) for each in jobs] == [(job, firm)]
    found = (await get(http, f"/v1/sessions?jobId={jobs[0]['id']}"))["items"]
    assert {each["id"] for each in found} == {each["sessionId"] for each in taken}
    builders = (await get(http, f"/v1/builders?q={firm.replace(' ', '%20')}"))["items"]
    assert [(each["name"], each["jobs"]) for each in builders] == [(firm, 1)]


async def test_a_session_is_renamed_and_moved_with_its_vectors_and_followers_of_both_jobs_hear_of_it(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    (first, _), (second, after) = [
        await added(http, "/v1/jobs", name=f"Mill {uuid4().hex}") for _ in range(2)
    ]
    taken = await completed(http, sound(5.0), jobId=first)
    path = f"/v1/sessions/{taken['sessionId']}"
    transcribed = len(deployment.whisper.calls)
    async with http.ws_connect(f"/v1/ws?topics=jobs:{first},jobs:{second}") as ws:
        assert (await ws.receive_json())["type"] == "subscribed"
        key = {"Idempotency-Key": str(uuid4())}
        change = {"title": "Cellar", "jobId": second}
        moved = await sent(http, "PATCH", path, change, **key)
        assert await sent(http, "PATCH", path, change, **key) == moved
        heard = []
        async with asyncio.timeout(WITHIN):
            while len([each for each in heard if each.get("event") == "jobsite.session.moved"]) < 2:
                heard.append(await ws.receive_json())
    assert {each["topic"] for each in heard if each.get("event") == "jobsite.session.moved"} == {
        f"jobs:{first}",
        f"jobs:{second}",
    }
    session = await eventually(http, path, lambda each: each["status"] == "completed")
    assert (session["title"], session["jobId"]) == ("Cellar", second)
    found = await get(http, f"/v1/search?q=order+drywall&jobId={second}", **after)
    assert [hit["sessionId"] for hit in found["hits"]] == [session["id"]]
    assert (await get(http, f"/v1/search?q=order+drywall&jobId={first}"))["hits"] == []
    assert len(deployment.whisper.calls) == transcribed
    assert (await get(http, f"{path}?asOf={taken['position']}"))["jobId"] == first
    told = await get(http, f"/v1/jobs/{second}/timeline?limit=200")
    events = [each["event"] for each in told["items"]]
    assert {"jobsite.job.added", "jobsite.session.moved", "jobsite.session.transcribed"} <= set(events)
    positions = [int(each["position"].partition("@")[2]) for each in told["items"]]
    assert positions == sorted(positions, reverse=True)
    assert {each["about"] for each in told["items"] if "session" in each["event"]} == {"Cellar"}
    page = await get(http, f"/v1/jobs/{second}/timeline?limit=3")
    rest = await get(http, f"/v1/jobs/{second}/timeline?limit=200&cursor={page['nextCursor']}")
    assert page["items"] + rest["items"] == told["items"]


async def test_builders_and_jobs_have_unique_names_and_are_listed_changed_and_deleted(
    http: aiohttp.ClientSession,
) -> None:
    name = f"Hendricks {uuid4().hex}"
    builder, after = await added(http, "/v1/builders", name=name)
    assert await refused(http, "POST", "/v1/builders", {"name": name.upper()}) == (409, "NAME_TAKEN")
    job, after = await added(http, "/v1/jobs", name="Maple Street", builderId=builder)
    same = {"name": "maple  street.", "builderId": builder}
    assert await refused(http, "POST", "/v1/jobs", same) == (409, "NAME_TAKEN")
    strange = {"name": "x", "builderId": str(uuid4())}
    assert await refused(http, "POST", "/v1/jobs", strange) == (404, "BUILDER_NOT_FOUND")
    assert await refused(http, "POST", "/v1/jobs", {"name": " . "}) == (422, "INVALID_BODY")
    listed = await get(http, f"/v1/jobs?builderId={builder}&q=MAPLE&closed=false", **after)
    assert [(each["id"], each["builder"]) for each in listed["items"]] == [(job, name)]
    assert (await get(http, f"/v1/builders?q={name[-8:]}", **after))["items"][0]["jobs"] == 1
    assert await refused(http, "DELETE", f"/v1/builders/{builder}", **after) == (409, "BUILDER_HAS_JOBS")
    path = f"/v1/jobs/{job}"
    changed = await sent(http, "PATCH", path, {"name": "Mill Lane", "builderId": None, "closed": True})
    view = await get(http, path, **{"Headwater-After": changed["position"]})
    assert (view["name"], view["builder"], view["closed"]) == ("Mill Lane", None, True)
    await sent(http, "PUT", f"{path}/subscribers/Office@example.com")
    last = await sent(http, "PUT", f"{path}/subscribers/office%40EXAMPLE.com")
    view = await get(http, path, **{"Headwater-After": last["position"]})
    assert view["subscribers"] == ["Office@example.com"]
    assert await refused(http, "PUT", f"{path}/subscribers/nobody") == (400, "INVALID_EMAIL")
    async with http.get(path) as answer:
        version = answer.headers["ETag"]
    async with http.get(path, headers={"If-None-Match": version}) as answer:
        assert answer.status == 304
    await sent(http, "DELETE", f"{path}/subscribers/office@example.com")
    await sent(http, "PATCH", f"/v1/builders/{builder}", {"name": f"{name} & Sons"})
    await added(http, "/v1/builders", name=name)
    own = str(uuid4())
    put = await sent(http, "PUT", f"/v1/jobs/{own}", {"name": "Own"}, 201)
    assert (put["id"], (await sent(http, "PUT", f"/v1/jobs/{own}", {"name": "Mine"}))["id"]) == (own, own)
    gone = await sent(http, "DELETE", f"/v1/jobs/{own}", status=202)
    after = {"Headwater-After": gone["position"]}
    assert await refused(http, "GET", f"/v1/jobs/{own}", **after) == (404, "JOB_NOT_FOUND")
    data = aiohttp.FormData({"jobId": own})
    data.add_field("file", sound(), filename="note.wav")
    async with http.post("/v1/upload/audio", data=data) as answer:
        assert (answer.status, (await answer.json())["code"]) == (404, "JOB_NOT_FOUND")
    async with http.delete(f"/v1/builders/{builder}") as answer:
        assert answer.status == 204


async def test_action_items_are_written_by_hand_edited_assigned_done_and_reopened(
    http: aiohttp.ClientSession,
) -> None:
    job, _ = await added(http, "/v1/jobs", name=f"Mill {uuid4().hex}")
    item, after = await added(http, "/v1/action-items", text="Order drywall", jobId=job, due="2020-01-02")
    path = f"/v1/action-items/{item}"
    assert (await get(http, path, **after))["method"] == "hand"
    assert (await get(http, f"/v1/jobs/{job}", **after))["counts"]["overdueItems"] == 1
    first = await sent(http, "PATCH", path, {"owner": "Mike", "due": None, "done": True})
    view = await get(http, path, **{"Headwater-After": first["position"]})
    assert (view["owner"], view["due"], view["done"], view["text"]) == ("Mike", None, True, "Order drywall")
    done = await get(http, f"/v1/action-items?jobId={job}&done=true&owner=mike")
    assert [each["id"] for each in done["items"]] == [item]
    again = await sent(http, "POST", f"{path}/reopen")
    assert not (await get(http, path, **{"Headwater-After": again["position"]}))["done"]
    before = await get(http, f"/v1/jobs/{job}?asOf={first['position']}")
    assert (before["counts"]["doneItems"], before["counts"]["openItems"]) == (1, 0)
    deleted = await sent(http, "DELETE", path)
    after = {"Headwater-After": deleted["position"]}
    assert await refused(http, "GET", path, **after) == (404, "ACTION_ITEM_NOT_FOUND")
    assert await refused(http, "POST", f"{path}/done") == (404, "ACTION_ITEM_NOT_FOUND")
    assert await refused(http, "GET", f"/v1/jobs/{uuid4()}/timeline") == (404, "JOB_NOT_FOUND")
    assert await refused(http, "GET", f"/v1/sessions/{uuid4()}/transcriptions") == (404, "SESSION_NOT_FOUND")


async def test_a_time_or_place_that_makes_no_sense_is_refused(http: aiohttp.ClientSession) -> None:
    job, after = await added(http, "/v1/jobs", name=f"Mill {uuid4().hex}")
    path = f"/v1/jobs/{job}"
    assert (await get(http, f"{path}?asOf=2999-01-01T00:00:00%2B01:00", **after))["name"]
    wrongs = {"yesterday": "INVALID_AS_OF", "IDENTITY@1": "WRONG_STREAM", "JOBSITE@x": "INVALID_POSITION"}
    for wrong, code in wrongs.items():
        assert (await refused(http, "GET", f"{path}?asOf={wrong}"))[1] == code
    assert await refused(http, "GET", f"{path}?asOf=2001-01-01T00:00:00Z") == (404, "JOB_NOT_FOUND")
    decide = f"/v1/sessions/{uuid4()}/discrepancies/{uuid4()}/accept"
    assert await refused(http, "POST", decide, {}) == (404, "SESSION_NOT_FOUND")
    taken = await accepted(http, sound())
    await over(http, taken)
    decide = f"/v1/sessions/{taken['sessionId']}/discrepancies/{UUID(int=1)}/accept"
    assert await refused(http, "POST", decide, {}) == (404, "DISCREPANCY_NOT_FOUND")
    assert (await get(http, f"/v1/discrepancies?jobId={job}&state=open"))["items"] == []


async def test_what_has_not_changed_is_not_sent_twice(http: aiohttp.ClientSession) -> None:
    job, _ = await added(http, "/v1/jobs", name=f"Mill {uuid4().hex}")
    taken = await completed(http, sound(), jobId=job)
    session = f"/v1/sessions/{taken['sessionId']}"
    lists = ("builders", "jobs", "sessions", "attachments", "action-items", "discrepancies")
    whole = (f"/v1/jobs/{job}", f"/v1/jobs/{job}/timeline", session, f"{session}/transcriptions")
    past = (f"/v1/jobs/{job}?asOf={taken['position']}", f"{session}?asOf={taken['position']}")
    for path in (*(f"/v1/{each}?limit=2" for each in lists), *whole, *past):
        async with http.get(path) as answer:
            assert answer.status == 200, path
            version = answer.headers["ETag"]
        async with http.get(path, headers={"If-None-Match": version}) as answer:
            assert (answer.status, await answer.read()) == (304, b""), path


async def test_sessions_are_found_by_words_builder_and_date(http: aiohttp.ClientSession) -> None:
    builder, _ = await added(http, "/v1/builders", name=f"Hendricks {uuid4().hex}")
    job, _ = await added(http, "/v1/jobs", name="Mill", builderId=builder)
    title = f"100%_{uuid4().hex}"
    taken = await completed(http, sound(), jobId=job, title=title, recordedAt="2026-11-16T07:30:00Z")
    named = title[:12].replace("%", "%25")
    dated = f"jobId={job}&recordedAfter=2026-11-16T00:00:00Z"
    right = (f"q={named}", f"builderId={builder}&q=drywall", dated)
    for query in right:
        assert [each["id"] for each in (await get(http, f"/v1/sessions?{query}"))["items"]] == [
            taken["sessionId"]
        ]
    for query in (f"jobId={job}&q=zebra", f"jobId={job}&recordedBefore=2026-11-16T07:30:00Z"):
        assert (await get(http, f"/v1/sessions?{query}"))["items"] == []
