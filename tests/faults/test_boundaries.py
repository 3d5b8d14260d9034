"""A worker is killed at every boundary of every stage: just before its event, and just after it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import aiohttp
from nats.aio.client import Client
from nats.aio.msg import Msg

from infra import jetstream
from tests.deployment import Deployment
from tests.jobsite.uploads import LIFE, accepted, get, lived, sound
from tests.kernel.wiring import until
from tests.knowledge import asking
from tests.notifications.mail_server import STALL
from tests.notifications.test_slice import receiver

SESSION = (
    "live.sessions.*.progress.transcribe",
    "jobsite.session.*.transcribed",
    "live.sessions.*.progress.understand",
    "jobsite.session.*.understood",
    "live.sessions.*.progress.summarise",
    "jobsite.session.*.summarised",
    "live.sessions.*.progress.index",
    "jobsite.session.*.indexed",
    "live.sessions.*.progress.report",
    "jobsite.session.*.reported",
    "live.sessions.*.progress.notify_of_report",
    "notifications.source.*.told",
    "notifications.delivery.*.requested",
    "notifications.notification.*.raised",
    "live.notifications.*.progress.notified",
    "live.notifications.*.progress.post_webhooks",
    "jobsite.session.*.notified",
    "live.deliverys.*.progress.deliver",
    "notifications.delivery.*.attempted",
    "notifications.delivery.*.sent",
)
DOCUMENT = (
    "live.documents.*.progress.parse_document",
    "knowledge.document.*.parsed",
    "live.documents.*.progress.chunk_document",
    "knowledge.document.*.chunked",
    "live.documents.*.progress.embed_document",
    "knowledge.document.*.embedded",
    "live.documents.*.progress.settle_document",
)
"""What is said right before a stage begins its work, and at the moment in which its event is written."""
INGESTED = ("uploaded", "parsed", "chunked", "embedded")


@asynccontextmanager
async def said(nc: Client, subject: str) -> AsyncIterator[asyncio.Event]:
    """Set as soon as anything is said there."""
    heard = asyncio.Event()

    async def hear(_: Msg) -> None:
        heard.set()

    subscription = await nc.subscribe(subject, cb=hear)
    await nc.flush()
    try:
        yield heard
    finally:
        await subscription.unsubscribe()


@dataclass
class Work:
    """What is asked of the workers that are killed."""

    http: aiohttp.ClientSession
    collection: str
    sessions: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)

    async def session(self, recipient: str = "") -> None:
        email = recipient or f"{uuid4()}@example.com"
        self.sessions.append((await accepted(self.http, sound(0.2), notifyEmail=email))["sessionId"])

    async def document(self) -> None:
        text = f"# Boiler {uuid4()}\n\nIt stands in the cellar.\n".encode()
        taken = await asking.upload(self.http, ("boiler.md", text), collection=self.collection)
        self.documents += [each["documentId"] for each in taken["documents"]]

    async def completed(self) -> bool:
        paths = [f"/v1/sessions/{each}" for each in self.sessions]
        paths += [f"/v1/documents/{each}" for each in self.documents]
        for path in paths:
            status = (await get(self.http, path))["status"]
            assert status != "failed", path
            if status != "completed":
                return False
        return True

    async def sent(self) -> list[dict[str, Any]]:
        """Every delivery, once all that belong to the sessions have arrived: a mail and a call for each."""
        found = []
        for session in self.sessions:
            items = (await get(self.http, f"/v1/outbox?sessionId={session}"))["items"]
            if sorted((each["channel"], each["status"]) for each in items) != [
                ("mail", "sent"),
                ("webhook", "sent"),
            ]:
                return []
            found += items
        return found


async def test_a_worker_killed_at_every_boundary_of_every_stage_loses_and_repeats_nothing(
    victim: Deployment,
) -> None:
    nc = await jetstream.connect(victim.nats[0].operator_url, name="tests")
    stalled = f"{uuid4()}@example.com"
    async with victim.client() as http, receiver() as (url, calls):
        hook = await asking.ask(http, "POST", "/v1/webhooks", status=201, json={"url": url})
        work = Work(http, await asking.collection(http))
        try:
            for boundary in (*SESSION, *DOCUMENT):
                async with said(nc, boundary) as tripped:
                    await (work.session() if boundary in SESSION else work.document())
                    async with asyncio.timeout(60):
                        await tripped.wait()
                    victim.work.kill()
                await victim.work.ended()
                await victim.work.start()
            victim.mail.treats[stalled] = [STALL]
            victim.mail.stalled.clear()
            await work.session(stalled)
            async with asyncio.timeout(60):
                await victim.mail.stalled.wait()
            await victim.work.restart()
            await until(work.completed, within=90)
            await until(work.sent, within=90)
            await _each_stage_once(victim, work)
            await _each_told_once(work)
            _each_delivered_once(victim, await work.sent(), calls, stalled)
        finally:
            await http.patch(
                f"/v1/webhooks/{hook['id']}", json={"active": False}
            )  # its erasure would be an event
            await nc.close()
    compared = await victim.cli("rebuild", "all", "--dry-run")
    assert compared.status == 0, compared


async def _each_stage_once(deployment: Deployment, work: Work) -> None:
    lives: dict[str, list[str]] = defaultdict(list)
    async with deployment.log() as log:
        for stream in ("JOBSITE", "KNOWLEDGE"):
            async for each in log.scan(stream):
                lives[str(each.event.key.id)].append(each.event.name)
        assert await log.last_position("OPERATIONS") == 0  # no dead letter, no alert
    assert {each: lives[each] for each in work.sessions if not lived(lives[each])} == {}, LIFE
    assert {tuple(lives[each]) for each in work.documents} == {INGESTED}


async def _each_told_once(work: Work) -> None:
    told = await get(work.http, "/v1/notifications?limit=200")
    of = Counter(each["sessionId"] for each in told["items"] if each["kind"] == "session_complete")
    assert {each: of[each] for each in work.sessions if of[each] != 1} == {}


def _each_delivered_once(
    deployment: Deployment, sent: list[dict[str, Any]], calls: asyncio.Queue[Any], stalled: str
) -> None:
    """Again only where it was not known whether it had arrived, under the same id."""
    arrived = Counter(str(each.message["Message-ID"]) for each in deployment.mail.received)
    while not calls.empty():
        arrived[calls.get_nowait()[0]["Headwater-Delivery"]] += 1
    for each in sent:
        again = arrived[each["messageId"]] - 1
        assert 0 <= again <= (each["attempts"] - 1 if each["uncertain"] else 0), each
    doubted = next(each for each in sent if each["recipient"] == stalled)
    assert (doubted["uncertain"], arrived[doubted["messageId"]]) == (True, 2)
