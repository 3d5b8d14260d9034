"""Conversations: what we add to a model's time, delivery at 200 replies at once, and sending in a long project."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import replace

import aiohttp
import psutil

from app import contexts
from events.catalogue import Catalogue
from events.ids import new_id
from handlers.chat.project.commands import CreateProject, EndReply, SendMessage
from handlers.chat.project.decide import PROJECTS
from handlers.commands import Commands
from infra import jetstream
from infra.log import Log
from tests.bench.ground import DURABILITY, Ground
from tests.bench.measures import Measure, percentile
from tests.bench.site import Site
from tests.bench.tasks import intent
from tests.generation.ollama_server import MODEL, OllamaServer, Say, ollama_server

REPLIES = 200
SENDS = 100
LONG = 5_000
SHORT = 10


class Stamps(Sequence[str]):
    """Pieces that tell when they were said."""

    def __len__(self) -> int:
        return 20

    def __getitem__(self, n: int) -> str:  # type: ignore[override]
        if n >= len(self):
            raise IndexError(n)
        return f"{time.monotonic()} "


async def measure(ground: Ground) -> list[Measure]:
    site = await ground.site()
    relaxed = DURABILITY["relaxed"]
    async with ollama_server() as model:
        settings = {"OLLAMA_URL": model.url, "OLLAMA_MODEL": MODEL}
        site = replace(site, environment={**site.environment, **settings})
        async with site.running("serve", "project", "work") as parts, site.client() as client:
            first = await _first(client, ground.size(SENDS) or 3)
            delivered = await _delivered(client, model, ground.size(REPLIES))
            memory = psutil.Process(parts[0].pid).memory_info().rss / (1 << 20)
    short = await _sending(site, ground.size(SHORT) or SHORT, ground.size(SENDS) or 3)
    long = await _sending(site, ground.size(LONG), ground.size(SENDS) or 3)
    several = ground.size(REPLIES)
    return [
        Measure("chat_message → first message_chunk, p95", "ms", relaxed, None, (1000 * first,)),
        Measure(f"chunk said → received, {several} replies, p99", "ms", relaxed, None, (1000 * delivered,)),
        Measure(f"memory of serve with {several} replies", "MB", relaxed, None, (memory,)),
        Measure(f"sending in a project of {SHORT} messages, p50", "ms", relaxed, None, (1000 * short[0],)),
        Measure(f"sending in a project of {LONG:,} messages, p50", "ms", relaxed, None, (1000 * long[0],)),
        Measure(f"first send of a process, {SHORT} messages", "ms", relaxed, None, (1000 * short[1],)),
        Measure(f"first send of a process, {LONG:,} messages", "ms", relaxed, None, (1000 * long[1],)),
    ]


async def _sending(site: Site, messages: int, sends: int) -> tuple[float, float]:
    """The median of a send in a project of so many messages, and a send by a process that never saw it."""
    nc = await jetstream.connect(site.nats, name="headwater bench")
    log, project = Log(nc, Catalogue(contexts.EVENTS, contexts.UPCASTS)), new_id()
    try:
        commands = Commands(log, [PROJECTS])
        await commands.execute(CreateProject(project_id=project, title="Long"), intent(), fresh=True)

        async def send(by: Commands) -> float:
            message, reply, began = new_id(), new_id(), time.monotonic()
            asked = SendMessage(project_id=project, message_id=message, reply_id=reply, content="word " * 20)
            await by.execute(asked, intent())
            took = time.monotonic() - began
            ended = EndReply(project_id=project, reply_id=reply, outcome="completed", content="word " * 100)
            await by.execute(ended, intent())
            return took

        for _ in range(messages // 2):
            await send(commands)
        times = [await send(commands) for _ in range(sends)]
        cold = [await send(Commands(log, [PROJECTS])) for _ in range(9)]
        return percentile(times, 0.5), percentile(cold, 0.5)
    finally:
        await nc.close()


async def _first(client: aiohttp.ClientSession, sends: int) -> float:
    project, times = await _project(client), list[float]()
    async with client.ws_connect("/ws/chat", params={"projectId": project}) as ws:
        for _ in range(sends):
            began = time.monotonic()
            await ws.send_json({"type": "chat_message", "content": "Hello?"})
            while (said := await ws.receive_json(timeout=30))["type"] != "message_complete":
                if said["type"] == "message_chunk" and began:
                    times.append(time.monotonic() - began)
                    began = 0.0
    return percentile(times, 0.95)


async def _delivered(client: aiohttp.ClientSession, model: OllamaServer, replies: int) -> float:
    late: list[float] = []

    async def one() -> None:
        project = await _project(client)
        async with client.ws_connect("/ws/chat", params={"projectId": project}) as ws:
            await ws.send_json({"type": "chat_message", "content": "stamps"})
            while (said := await ws.receive_json(timeout=60))["type"] != "message_complete":
                if said["type"] == "message_chunk":
                    late.extend(time.monotonic() - float(each) for each in said["content"].split())

    with model.says("stamps", Say(Stamps(), delay=0.2)):
        await asyncio.gather(*(one() for _ in range(replies)))
    return percentile(late, 0.99)


async def _project(client: aiohttp.ClientSession) -> str:
    async with client.post("/v1/projects", json={"title": "Bench"}) as answer:
        return str((await answer.json())["id"])
