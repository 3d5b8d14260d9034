"""What is answered of the past, against what was answered when it was the present."""

import asyncio
from typing import Any
from uuid import uuid4

import aiohttp

from tests.deployment import Deployment
from tests.jobsite.test_attachments import attached
from tests.jobsite.test_attachments import over as read
from tests.jobsite.test_domain import added, refused, sent
from tests.jobsite.uploads import completed, get, idle, sound
from tests.speech.whisper_server import MODEL

PLAN = b"Materials for the boiler room\n\nDrywall: 40 sheets\n"
NOTE = "We looked at the boiler room this morning.\nWe need fifty sheets of drywall."
SAID = "Action item: Mike to order fifty sheets of drywall by Friday."


class Story:
    """What was answered of a session and its jobs, at each position at which nothing was under way."""

    def __init__(self, http: aiohttp.ClientSession, deployment: Deployment, *paths: str) -> None:
        self._http = http
        self._deployment = deployment
        self.paths = paths
        self.told: list[tuple[str, dict[str, Any]]] = []

    async def look(self) -> dict[str, Any]:
        """Wait until nothing is under way; remember what is answered then. The first of it."""
        async with asyncio.timeout(60), self._deployment.log() as log:
            while True:
                await idle(self._deployment)
                position = f"JOBSITE@{await log.last_position('JOBSITE')}"
                after = {"Headwater-After": position}
                answers = {each: await get(self._http, each, **after) for each in self.paths}
                still = position == f"JOBSITE@{await log.last_position('JOBSITE')}"
                if still and answers[self.paths[0]].get("status") != "processing":
                    break
        self.told.append((position, answers))
        return answers[self.paths[0]]

    async def hold(self) -> None:
        """Every answer is the same now, asked as of its position."""
        for position, answers in self.told:
            for path, answer in answers.items():
                then = await get(self._http, f"{path}?asOf={position}")
                assert plain(then) == plain(answer), (position, path)


def plain(answer: dict[str, Any]) -> dict[str, Any]:
    """Without what says how it was asked, and links, which are signed anew each time."""
    return {name: value for name, value in answer.items() if name not in {"asOf", "audioUrl"}}


async def test_as_of_a_position_everything_is_answered_as_it_was_then(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    builder, _ = await added(http, "/v1/builders", name=f"Hendricks {uuid4().hex}")
    first, _ = await added(http, "/v1/jobs", name="Mill", builderId=builder)
    second, _ = await added(http, "/v1/jobs", name=f"Barn {uuid4().hex}")
    await read(http, await attached(http, PLAN, "plan.txt", jobId=first))
    deployment.whisper.says[MODEL] = NOTE
    try:
        taken = await completed(http, sound(5.0), jobId=first, title="Monday")
    finally:
        deployment.whisper.says.clear()
    path = f"/v1/sessions/{taken['sessionId']}"
    story = Story(http, deployment, path, f"/v1/jobs/{first}", f"/v1/jobs/{second}")
    [found] = (await story.look())["discrepancies"]
    await sent(http, "PATCH", path, {"title": "Boiler room"})
    await story.look()
    await sent(http, "PATCH", f"{path}/transcript/segments/1", {"text": SAID, "speaker": "Ann"})
    [item] = (await story.look())["actionItems"]
    await sent(http, "PATCH", f"{path}/transcript/segments/1", {"text": "Nothing is needed."})
    assert (await story.look())["actionItems"] == []
    await sent(http, "PATCH", f"{path}/transcript/segments/1", {"text": SAID})
    session = await story.look()
    assert [each["id"] for each in session["actionItems"]] == [item["id"]]
    [found] = session["discrepancies"]
    await sent(http, "POST", f"{path}/discrepancies/{found['id']}/accept", {"note": "Call them."})
    await sent(http, "POST", f"/v1/action-items/{item['id']}/done")
    await sent(http, "PUT", f"/v1/jobs/{second}/subscribers/office@example.com")
    await story.look()
    await sent(http, "PATCH", path, {"jobId": second})
    await sent(http, "PATCH", f"/v1/jobs/{first}", {"name": "Old mill", "builderId": None})
    assert (await story.look())["jobId"] == second
    await story.hold()
    gone = await sent(http, "DELETE", path, status=202)
    jobs = Story(http, deployment, *story.paths[1:])
    assert (await jobs.look())["counts"]["sessions"] == 0
    await sent(http, "PATCH", f"/v1/jobs/{second}", {"closed": True})
    await jobs.hold()
    after = {"Headwater-After": gone["position"]}
    for position, _ in story.told:  # what is erased is gone from the past, too
        assert (await refused(http, "GET", f"{path}?asOf={position}", **after))[0] == 404
