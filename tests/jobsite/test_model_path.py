"""The stages that a model server answers, end to end: what it says well, badly, in part, or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.deployment import KEY, Deployment
from tests.generation.ollama_server import Answer, OllamaServer, Say
from tests.jobsite.test_stages import post, until
from tests.jobsite.uploads import accepted, completed, get, over, sound
from tests.speech.whisper_server import MODEL

SPOKEN = "Order forty sheets of drywall."
SUMMARY = {"summary": "The roof was looked at.", "actionItems": [], "discrepancies": []}


def client(modelled: Deployment) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(modelled.url, headers={"X-Api-Key": KEY})


@contextmanager
def spoken(modelled: Deployment, ollama: OllamaServer, job: str, *answers: Answer) -> Iterator[None]:
    """A recording that names a job like no other, and what the model makes of its commands."""

    def commands(body: dict[str, Any]) -> bool:
        return job in str(body["messages"]) and "kind" in str(body.get("format"))

    def summary(body: dict[str, Any]) -> bool:
        return job in str(body["messages"]) and "actionItems" in str(body.get("format"))

    modelled.whisper.says[MODEL] = f"Job {job}. We looked at the roof.\n{SPOKEN}"
    try:
        with ollama.says(commands, *answers), ollama.says(summary, SUMMARY):
            yield
    finally:
        modelled.whisper.says.clear()


def name() -> str:
    return f"Elm {uuid4().hex[:8]}".title()


def heard(job: str) -> dict[str, Any]:
    item = {"kind": "action_item", "text": "order drywall", "owner": "Mike", "due": None, "quote": SPOKEN}
    return {"commands": [{"kind": "job", "text": job, "quote": f"job {job}"}, item]}


async def test_what_a_model_hears_and_sums_up_after_one_repair_says_which_model_it_was(
    modelled: Deployment, ollama: OllamaServer
) -> None:
    job = name()
    with spoken(modelled, ollama, job, '{"commands": 7}', heard(job)):
        async with client(modelled) as http:
            taken = await completed(http, sound())
            session = await get(http, f"/v1/sessions/{taken['sessionId']}")
            named = await get(http, f"/v1/jobs/{session['jobId']}")
    [item] = session["actionItems"]
    assert (named["name"], item["text"], item["owner"]) == (job, "Order drywall", "Mike")
    assert (session["understoodBy"], item["method"]) == ("model:ollama:tiny", "model:ollama:tiny")
    assert (session["summary"]["text"], session["summary"]["method"]) == (
        SUMMARY["summary"],
        "model:ollama:tiny",
    )


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("no JSON at all", ("UNDERSTANDING_UNUSABLE", "nor does its second one", "no letter")),
        (Say(fault="refused"), ("UNDERSTANDING_UNUSABLE", "invalid options", "no letter")),
        (Say(fault="missing"), ("UNDERSTANDING_FAILED", "ollama pull tiny", "a letter")),
        (Say(['{"comm'], fault="dropped"), ("UNDERSTANDING_FAILED", "broke off", "a letter")),
        (Say(fault="error"), ("UNDERSTANDING_FAILED", "AI_UNAVAILABLE", "a letter")),
    ],
    ids=["junk twice", "refused", "no such model", "dropped", "out of order"],
)
async def test_a_recording_that_cannot_be_understood_is_found_all_the_same_and_understood_later(
    modelled: Deployment, ollama: OllamaServer, answer: Answer, expected: tuple[str, str, str]
) -> None:
    code, why, letter = expected
    job = name()
    async with client(modelled) as http:
        with spoken(modelled, ollama, job, answer):
            taken = await accepted(http, sound())
            status = await until(http, taken["statusUrl"], _indexed)
            stages = {each["stage"]: each for each in status["stages"]}
            found = await get(http, f"/v1/search?q=forty+sheets&sessionId={taken['sessionId']}")
        error = stages["understand"]["error"]
        assert (error["code"], status["status"]) == (code, "failed")
        assert why in error["detail"]
        states = {name: each["state"] for name, each in stages.items()}
        assert states == {
            "transcribe": "completed",
            "understand": "failed",
            "summarise": "pending",
            "index": "completed",
            "report": "pending",
            "notify": "pending",
        }
        assert [hit["sessionId"] for hit in found["hits"]] == [taken["sessionId"]]
        letters = (await get(http, "/v1/dead-letters?handler=understand&limit=200"))["items"]
        assert any(taken["sessionId"] in each["subject"] for each in letters) is (letter == "a letter")
        with spoken(modelled, ollama, job, heard(job)):
            again = await post(http, f"/v1/sessions/{taken['sessionId']}/retry", {})
            status = await over(http, {"statusUrl": again["statusUrl"], "position": again["position"]})
            session = await get(http, f"/v1/sessions/{taken['sessionId']}")
            found = await get(http, f"/v1/search?q=forty+sheets&jobId={session['jobId']}")
    assert status["status"] == "completed", status
    assert [hit["sessionId"] for hit in found["hits"]] == [taken["sessionId"]]


def _indexed(status: dict[str, Any]) -> bool:
    states = {each["stage"]: each["state"] for each in status["stages"]}
    return (states["understand"], states["index"]) == ("failed", "completed")
