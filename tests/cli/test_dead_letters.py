"""Dead letters, on the command line and over REST: looked at, driven again in order, or let go."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from app import contexts
from app.operations.tidying import discard_moot
from events.envelope import Intent
from events.ids import new_id
from events.jobsite import AudioUploaded
from handlers.commands import Commands
from infra.read_models import ReadModels
from tests.deployment import Deployment
from tests.jobsite.uploads import accepted, get, over, sound


@pytest.fixture
async def http(deployment: Deployment) -> AsyncIterator[aiohttp.ClientSession]:
    async with deployment.client() as client:
        yield client


@pytest.fixture(autouse=True)
def speech_fails(deployment: Deployment) -> Iterator[None]:
    """The speech server answers 500 until a test mends it; handlers of `deployment` try once."""
    deployment.whisper.fault = "500"
    yield
    deployment.whisper.fault = None


async def listed(deployment: Deployment, *arguments: str) -> dict[str, dict[str, Any]]:
    """Dead letters by the id of their session."""
    told = await deployment.cli("dead-letters", "list", "--json", *arguments)
    assert told.status == 0, told.err
    letters = map(json.loads, told.out.splitlines())
    return {each["subject"].split(".")[2]: each for each in letters}


async def until(
    http: aiohttp.ClientSession, letter: str, so: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Wait until something is true of a dead letter."""
    async with asyncio.timeout(60):
        while True:
            found = await get(http, f"/v1/dead-letters/{letter}")
            if so(found):
                return found
            await asyncio.sleep(0.05)


def now(status: str) -> Callable[[dict[str, Any]], bool]:
    return lambda letter: bool(letter["status"] == status)


async def failed(http: aiohttp.ClientSession) -> dict[str, Any]:
    """An upload whose transcription failed for good."""
    taken = await accepted(http, sound())
    status = await over(http, taken)
    assert status["status"] == "failed"
    assert status["stages"][0]["error"]["code"] == "TRANSCRIPTION_FAILED"
    return taken


async def test_what_failed_can_be_looked_at_and_driven_again(
    deployment: Deployment, http: aiohttp.ClientSession
) -> None:
    taken = await failed(http)
    letter = (await listed(deployment))[taken["sessionId"]]
    assert (letter["handler"], letter["status"], letter["attempts"]) == ("transcribe", "open", 1)
    assert "answered 500" in letter["error"]
    shown = await deployment.cli("dead-letters", "show", letter["id"])
    assert (shown.status, taken["sessionId"] in shown.out, '"ce-type"' in shown.out) == (0, True, True)
    again = await deployment.cli("dead-letters", "redrive", letter["id"])
    assert (again.status, again.out) == (0, "redriven: 1\n")
    in_vain = await until(http, letter["id"], lambda letter: letter["attempts"] == 2)
    assert in_vain["status"] == "open"
    deployment.whisper.fault = None
    async with http.post(f"/v1/dead-letters/{letter['id']}/redrive") as answer:
        assert answer.status == 202
    await until(http, letter["id"], now("resolved"))
    assert await over(http, taken, until={"completed"})
    assert taken["sessionId"] not in await listed(deployment)
    async with http.post(f"/v1/dead-letters/{letter['id']}/redrive") as answer:
        assert (answer.status, (await answer.json())["code"]) == (409, "DEAD_LETTER_CLOSED")


async def test_what_nobody_needs_is_discarded_with_a_reason(
    deployment: Deployment, http: aiohttp.ClientSession
) -> None:
    one, two = await failed(http), await failed(http)
    letters = await listed(deployment)
    discarded = await deployment.cli(
        "dead-letters", "discard", letters[one["sessionId"]]["id"], "--reason", "a test recording"
    )
    assert discarded.status == 0, discarded.err
    path = f"/v1/dead-letters/{letters[two['sessionId']]['id']}"
    async with http.post(f"{path}/discard", json={"reason": "the same"}) as answer:
        assert answer.status == 204
    for each in (one, two):
        await until(http, letters[each["sessionId"]]["id"], now("discarded"))
    gone = await listed(deployment, "--status", "discarded")
    assert gone[one["sessionId"]]["reason"] == "a test recording"
    assert gone[two["sessionId"]]["reason"] == "the same"
    assert not {one["sessionId"], two["sessionId"]} & (await listed(deployment)).keys()


async def tidy(deployment: Deployment) -> None:
    """What a worker does every minute."""
    async with deployment.log() as log:
        models = ReadModels(deployment.environment["DATABASE_URL"], log, contexts.READ_MODELS)
        commands = Commands(log, contexts.DECIDERS)
        await discard_moot(
            models,
            commands,
            staged=contexts.STAGED,
            stages=["transcribe"],
            clock=lambda: datetime.now(UTC),
        )


async def test_what_was_deleted_leaves_no_letter_to_decide_about(
    deployment: Deployment, http: aiohttp.ClientSession
) -> None:
    taken = await failed(http)
    letter = (await listed(deployment))[taken["sessionId"]]
    async with http.delete(f"/v1/sessions/{taken['sessionId']}") as answer:
        after = answer.headers["Headwater-Position"]
    await get(http, "/v1/sessions", **{"Headwater-After": after})
    await tidy(deployment)
    told = await until(http, letter["id"], now("discarded"))
    assert told["reason"] == "What it was about has been deleted."


async def test_what_a_retry_has_done_since_leaves_no_letter_to_decide_about(
    deployment: Deployment, http: aiohttp.ClientSession
) -> None:
    taken, other = await failed(http), await failed(http)
    deployment.whisper.fault = None
    async with http.post(f"/v1/sessions/{taken['sessionId']}/retry", json={}) as answer:
        again = {**taken, "position": (await answer.json())["position"]}
    assert (await over(http, again))["status"] == "completed"
    letters = await listed(deployment)
    await tidy(deployment)
    told = await until(http, letters[taken["sessionId"]]["id"], now("discarded"))
    assert told["reason"] == "It has been done since."
    assert (await listed(deployment))[other["sessionId"]]["status"] == "open"


async def test_letters_of_one_recording_are_driven_in_the_order_of_their_events(
    deployment: Deployment, http: aiohttp.ClientSession
) -> None:
    content, session = sound(), uuid4()
    await over(http, await accepted(http, content))
    blob = hashlib.sha256(content).hexdigest()
    await _twice_uploaded(deployment, session, blob)
    first, second = await _letters(deployment, session)
    assert first["position"] < second["position"]
    deployment.whisper.fault = None
    async with http.post(f"/v1/dead-letters/{second['id']}/redrive") as answer:
        assert answer.status == 202
    found = await until(http, second["id"], lambda letter: "earlier" in letter["error"])
    assert found["status"] == "open"
    everything = await deployment.cli("dead-letters", "redrive", "--all", "--handler", "transcribe")
    assert everything.status == 0, everything.err
    told = [await until(http, each["id"], now("resolved")) for each in (first, second)]
    assert told[0]["updatedAt"] < told[1]["updatedAt"]


async def _twice_uploaded(deployment: Deployment, session: UUID, blob: str) -> None:
    """Two events of one recording, as another tool might write them."""
    past: list[int] = []
    async with deployment.log() as log:
        for _ in range(2):
            event = AudioUploaded(
                session_id=session, upload_id=new_id(), blob=blob, size=1, media_type="audio/wav"
            )
            command = new_id()
            why = Intent(command_id=command, actor="tests", at=datetime.now(UTC), correlation_id=command)
            [stored] = await log.append([event], why, past=past)
            past.append(stored.position)


async def _letters(deployment: Deployment, session: UUID) -> list[dict[str, Any]]:
    """The two open dead letters of a recording, in the order of their events."""
    async with deployment.client() as http, asyncio.timeout(60):
        while True:
            letters = (await get(http, "/v1/dead-letters?status=open&limit=200"))["items"]
            found = [each for each in letters if each["subject"].split(".")[2] == str(session)]
            if len(found) == 2:
                return found
            await asyncio.sleep(0.05)


async def test_mistakes_are_answered_with_a_sentence(deployment: Deployment) -> None:
    unknown = str(uuid4())
    for arguments, said in (
        (("redrive", unknown, "--all"), "Name one dead letter, or give --all."),
        (("show", "nonsense"), "'nonsense' is no id; the list shows them."),
        (("discard", unknown), f"There is no dead letter {unknown}."),
    ):
        mistaken = await deployment.cli("dead-letters", *arguments)
        assert (mistaken.status, mistaken.err) == (1, f"{said}\n")


async def test_a_database_that_is_not_there_is_named(deployment: Deployment) -> None:
    for elsewhere in ("postgresql://u:secret@127.0.0.1:1/x", "postgresql://u:secret@nowhere.invalid/x"):
        failed = await deployment.cli("dead-letters", "list", DATABASE_URL=elsewhere)
        assert (failed.status, failed.out) == (1, "")
        assert failed.err.startswith("the database does not answer: ")
        assert "secret" not in failed.err
