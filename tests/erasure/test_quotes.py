"""Words of what is deleted, or corrected, in what other recordings were found to contradict."""

import asyncio
from random import choices
from string import ascii_lowercase
from typing import Any
from uuid import uuid4

import aiohttp

from tests.deployment import Deployment
from tests.erasure.test_sessions import deleted, on_disk
from tests.jobsite.test_attachments import added_job, attached
from tests.jobsite.test_attachments import over as read
from tests.jobsite.uploads import completed, get, sound


def thing() -> str:
    """An item that nobody else speaks of."""
    return "x" + "".join(choices(ascii_lowercase, k=12))


async def saying(http: aiohttp.ClientSession, text: str, **fields: str) -> str:
    """A recording in which this is said, with all its stages done."""
    session: str = (await completed(http, sound(), **fields))["sessionId"]
    await now_says(http, session, text)
    return session


async def now_says(http: aiohttp.ClientSession, session: str, text: str) -> None:
    segments = (await get(http, f"/v1/sessions/{session}"))["transcript"]["segments"]
    for each in reversed(segments):  # one without words is none any more
        path = f"/v1/sessions/{session}/transcript/segments/{each['n']}"
        async with http.patch(path, json={"text": text if each["n"] == 0 else ""}) as answer:
            assert answer.status == 200, await answer.text()
            position = (await answer.json())["position"]
    await settled(http, session, position)


async def settled(http: aiohttp.ClientSession, session: str, position: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found = await get(http, f"/v1/sessions/{session}", **{"Headwater-After": position})
            if found["status"] == "completed":
                return found
            await asyncio.sleep(0.05)


async def contradictions(http: aiohttp.ClientSession, job: str, count: int) -> list[dict[str, Any]]:
    """What contradicts the job's recordings, once that is so much and all of them have been through."""
    async with asyncio.timeout(60):
        while True:
            found = (await get(http, f"/v1/discrepancies?jobId={job}"))["items"]
            sessions = (await get(http, f"/v1/sessions?jobId={job}"))["items"]
            if len(found) == count and {each["status"] for each in sessions} == {"completed"}:
                return list(found)
            await asyncio.sleep(0.05)


async def test_a_contradiction_goes_when_the_earlier_recording_is_corrected(
    http: aiohttp.ClientSession,
) -> None:
    job, what = str(uuid4()), thing()
    earlier = await saying(http, f"We hung nine {what} today.", jobId=job)
    await saying(http, f"We hung seven {what} today.", jobId=job)
    [found] = await contradictions(http, job, 1)
    assert (found["against"]["sourceId"], found["against"]["text"]) == (
        earlier,
        f"We hung nine {what} today.",
    )
    assert found["against"]["title"].startswith("the recording of 20")
    await now_says(http, earlier, f"We hung seven {what} today.")
    await contradictions(http, job, 0)


async def test_words_of_what_is_deleted_go_from_what_they_contradict_too(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    job, spoken, written = await added_job(http), thing(), thing()
    earlier = await saying(http, f"We hung two {spoken} today.", jobId=job)
    plan = await attached(http, f"Plan\n\n{written}: 6 boxes\n".encode(), "plan.txt", jobId=job)
    await read(http, plan)
    mail = f"{thing()}@example.com"
    said = f"We hung four {spoken} and five boxes of {written} today."
    later = await saying(http, said, jobId=job, notifyEmail=mail)
    await contradictions(http, job, 2)
    assert f"two {spoken}" in await report(http, later)
    log_files = deployment.home / "nats"
    assert on_disk(log_files, f"two {spoken}".encode())

    proof = await deleted(http, f"/v1/sessions/{earlier}")
    places = {each["place"]: each["left"] for each in proof["places"]}
    assert places["jobsite.discrepancies.source_id"] == 0
    [still] = await contradictions(http, job, 1)
    assert still["against"]["sourceId"] == plan["attachmentId"]
    told = await report(http, later)
    assert (f"two {spoken}" in told, f"four {spoken}" in told, f"{written}: 6" in told) == (False, True, True)

    await deleted(http, f"/v1/attachments/{plan['attachmentId']}")
    await contradictions(http, job, 0)
    assert f"{written}: 6" not in await report(http, later)
    async with asyncio.timeout(60):
        while any(on_disk(log_files, words.encode()) for words in (f"two {spoken}", f"{written}: 6")):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    compared = await deployment.cli("rebuild", "jobsite", "--dry-run")
    assert (compared.status, "DIFFERS" in compared.out) == (0, False), compared
    text = await last_mail(http, later)
    assert (f"four {spoken}" in text, f"two {spoken}" in text, f"{written}: 6" in text) == (
        True,
        False,
        False,
    )


async def test_words_of_what_is_deleted_go_from_summaries_that_no_longer_hold_too(
    http: aiohttp.ClientSession, deployment: Deployment
) -> None:
    job, written = await added_job(http), thing()
    plan = await attached(http, f"Plan\n\n{written}: 6 boxes\n".encode(), "plan.txt", jobId=job)
    await read(http, plan)
    session = await saying(http, f"We hung five boxes of {written} today.", jobId=job)
    await contradictions(http, job, 1)
    secret, log_files = f"{written}: 6", deployment.home / "nats"
    assert secret in await report(http, session)
    await now_says(http, session, f"We hung six boxes of {written} today.")
    await contradictions(http, job, 0)
    assert secret not in await report(http, session)
    assert on_disk(log_files, secret.encode()), "the first summary is still there for the past"

    proof = await deleted(http, f"/v1/attachments/{plan['attachmentId']}")
    places = {each["place"]: each["left"] for each in proof["places"]}
    assert places["jobsite.quotes.source_id"] == 0
    async with asyncio.timeout(60):
        while on_disk(log_files, secret.encode()):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
    compared = await deployment.cli("rebuild", "jobsite", "--dry-run")
    assert (compared.status, "DIFFERS" in compared.out) == (0, False), compared


async def last_mail(http: aiohttp.ClientSession, session: str) -> str:
    """The text of the mail that is left, once the others are gone."""
    async with asyncio.timeout(60):
        while True:
            mails = (await get(http, f"/v1/outbox?sessionId={session}"))["items"]
            sent = [each for each in mails if each["channel"] == "mail" and each["status"] == "sent"]
            if len(sent) == 1 and len(mails) > 1:
                text: str = (await get(http, f"/v1/outbox/{sent[0]['id']}"))["text"]
                return " ".join(text.split())
            await asyncio.sleep(0.05)


async def report(http: aiohttp.ClientSession, session: str) -> str:
    async with asyncio.timeout(60):
        while True:
            async with http.get(f"/v1/sessions/{session}/report", headers={"Accept": "text/plain"}) as answer:
                if answer.status == 200:
                    return await answer.text()
            await asyncio.sleep(0.05)
