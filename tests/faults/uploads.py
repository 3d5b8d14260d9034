"""Clients that upload and do not give up, and what must be true of everything that they were promised."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp

from tests.deployment import Deployment
from tests.jobsite.uploads import form, get, lived, sound

AT_ONCE = 6
IMPATIENT = aiohttp.ClientTimeout(total=0.05)
"""Of a client that hangs up before it has its answer, and asks again."""
PATIENT = aiohttp.ClientTimeout(total=30)
AWAY = (aiohttp.ClientError, TimeoutError, ConnectionError)


class Uploads:
    """Uploads under way, each with a key of its own under which it is tried until it is accepted."""

    def __init__(self, deployment: Deployment, count: int) -> None:
        self._deployment = deployment
        self._waiting = [(str(uuid4()), sound(0.2)) for _ in range(count)]
        self._more = asyncio.Condition()
        self.accepted: dict[str, dict[str, Any]] = {}
        """Answers by key."""
        self.content = dict(self._waiting)
        self.refused = 0
        """Answers 503."""

    async def run(self) -> None:
        """Upload everything."""
        async with self._deployment.client() as http, asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._client(http))

    async def until(self, count: int) -> None:
        """Wait until so many are accepted."""
        async with asyncio.timeout(60), self._more:
            await self._more.wait_for(lambda: len(self.accepted) >= count)

    async def _client(self, http: aiohttp.ClientSession) -> None:
        while self._waiting:
            key, content = self._waiting.pop()
            impatient = len(self._waiting) % 4 == 0
            if impatient:
                await self.once(http, key, content, IMPATIENT)
            answer = await self._accepted(http, key, content)
            async with self._more:
                self.accepted[key] = answer
                self._more.notify_all()

    async def _accepted(self, http: aiohttp.ClientSession, key: str, content: bytes) -> dict[str, Any]:
        async with asyncio.timeout(60):
            while True:
                if answer := await self.once(http, key, content):
                    return answer
                await asyncio.sleep(0.2)

    async def once(
        self,
        http: aiohttp.ClientSession,
        key: str,
        content: bytes,
        timeout: aiohttp.ClientTimeout = PATIENT,
    ) -> dict[str, Any] | None:
        """One try; None when there is no answer, or only that the log cannot be reached."""
        headers = {"Idempotency-Key": key}
        try:
            async with http.post(
                "/v1/upload/audio", data=form(content), headers=headers, timeout=timeout
            ) as answer:
                body: dict[str, Any] = await answer.json()
                if answer.status == 202:
                    return body
                assert answer.status == 503, body
                assert int(answer.headers["Retry-After"]) >= 1
                self.refused += 1
        except AWAY:
            pass
        return None


@asynccontextmanager
async def uploading(deployment: Deployment, count: int = 16) -> AsyncIterator[Uploads]:
    """While the body runs, uploads arrive; afterwards all of them are accepted."""
    uploads = Uploads(deployment, count)
    async with asyncio.TaskGroup() as group:
        group.create_task(uploads.run())
        yield uploads
    assert len(uploads.accepted) == count


async def kept(deployment: Deployment, uploads: Uploads) -> None:
    """Every promise is kept: each upload completes once, the log holds it, and a rebuild gives the same rows."""
    assert [part.name for part in deployment.parts if not part.running] == []
    await _all_completed(deployment, uploads)
    await _each_once_in_the_log(deployment, uploads)
    await _the_same_answer_again(deployment, uploads)
    compared = await deployment.cli("rebuild", "all", "--dry-run")
    assert compared.status == 0, compared


async def _all_completed(deployment: Deployment, uploads: Uploads) -> None:
    async with deployment.client() as http, asyncio.timeout(60):
        for each in uploads.accepted.values():
            while await _status(http, each) != "completed":  # noqa: ASYNC110 - it is another process's
                await asyncio.sleep(0.1)


async def _status(http: aiohttp.ClientSession, upload: dict[str, Any]) -> str:
    try:
        status = str((await get(http, upload["statusUrl"]))["status"])
    except (AssertionError, *AWAY):
        return "not to be had"
    assert status != "failed"
    return status


async def _each_once_in_the_log(deployment: Deployment, uploads: Uploads) -> None:
    lives: dict[str, list[str]] = defaultdict(list)
    places: dict[str, str] = {}
    async with deployment.log() as log:
        async for each in log.scan("JOBSITE"):
            session = str(each.event.key.id)
            lives[session].append(each.event.name)
            places.setdefault(session, each.cursor)
        assert await log.last_position("OPERATIONS") == 0  # no dead letter, no alert
    for answer in uploads.accepted.values():
        assert lived(lives[answer["sessionId"]])
        assert places[answer["sessionId"]] == answer["position"]
    assert all(map(lived, lives.values()))  # nor is there anything that nobody was promised


async def _the_same_answer_again(deployment: Deployment, uploads: Uploads) -> None:
    async with deployment.client() as http:
        for key, answer in list(uploads.accepted.items())[:5]:
            assert await uploads.once(http, key, uploads.content[key]) == answer
