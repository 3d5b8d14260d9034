"""Conversations: what we add to a model's time, delivery at 200 replies at once, and sending in a long project."""

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import msgspec
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
from tests.bench.measures import Goal, Measure, percentile
from tests.bench.site import Site
from tests.bench.talkers import Told
from tests.bench.tasks import intent
from tests.deployment import KEY, ROOT
from tests.generation.ollama_server import MODEL

REPLIES = 200
RATE = 20.0
"""Pieces a second of each reply, about as fast as one reads: four thousand of all."""
SECONDS = 15.0
"""How long a reply takes."""
RAMP = 5.0
"""They begin within one such part of it: a model's pieces do not come in step."""
WITHIN = Goal(50, at_least=False)
SENDS = 100
LONG = 5_000
SHORT = 10


@asynccontextmanager
async def _model(pieces: int) -> AsyncIterator[tuple[str, int]]:
    """The URL of a model server in a process of its own, and its process id."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.model", str(pieces), str(1 / RATE),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        assert process.stdout
        yield (await process.stdout.readline()).decode().strip(), process.pid
    finally:
        process.kill()
        await process.wait()


async def measure(ground: Ground) -> list[Measure]:
    several, sends = ground.size(REPLIES), ground.size(SENDS) or 3
    seconds = ground.seconds(SECONDS)
    async with _model(round(RATE * seconds)) as (url, model), ground.site() as plain:
        settings = {"OLLAMA_URL": url, "OLLAMA_MODEL": MODEL}
        site = replace(plain, environment={**plain.environment, **settings})
        async with site.running("serve", "project", "work") as parts, site.client() as client:
            first = await _first(client, sends)
            busy = Busy({"the model": model, **{part.name: part.pid for part in parts}})
            told = await _delivered(site, several, seconds, busy, ground.home / "told.json")
            memory = psutil.Process(parts[0].pid).memory_info().rss / (1 << 20)
        short = await _sending(site, ground.size(SHORT) or SHORT, sends)
        long = await _sending(site, ground.size(LONG), sends)
    delivered = [1000 * (received - said) for said, received in told.times]
    at_once = f"{several} replies of {RATE:g} pieces/s"

    def line(name: str, unit: str, value: float, goal: Goal | None = None) -> Measure:
        return Measure(name, unit, DURABILITY["relaxed"], goal, (value,))

    return [
        line("chat_message → first message_chunk, p95", "ms", 1000 * percentile(first, 0.95), WITHIN),
        line(f"piece said → received, {at_once}, p50", "ms", percentile(delivered, 0.5)),
        line(f"piece said → received, {at_once}, p99", "ms", percentile(delivered, 0.99), WITHIN),
        line(f"of it, {at_once}: a core is waited for, p99", "ms", 1000 * percentile(told.late, 0.99)),
        *(line(f"of a core, {at_once}: {name}", "%", 100 * share) for name, share in busy.shares.items()),
        line(f"memory of serve with {several} replies", "MB", memory, Goal(256, at_least=False)),
        line(f"sending in a project of {SHORT} messages, p50", "ms", 1000 * short[0]),
        line(f"sending in a project of {LONG:,} messages, p50", "ms", 1000 * long[0]),
        line(f"first send of a process, {SHORT} messages", "ms", 1000 * short[1]),
        line(f"first send of a process, {LONG:,} messages", "ms", 1000 * long[1]),
    ]


@dataclass
class Busy:
    """How much of a core each process takes."""

    pids: Mapping[str, int]
    shares: dict[str, float] = field(default_factory=dict)

    async def watch(self, seconds: float) -> None:
        before, began = self._spent(), time.monotonic()
        await asyncio.sleep(seconds)
        took = time.monotonic() - began
        self.shares = {name: (spent - before[name]) / took for name, spent in self._spent().items()}

    def _spent(self) -> dict[str, float]:
        times = {name: psutil.Process(pid).cpu_times() for name, pid in self.pids.items()}
        return {name: each.user + each.system for name, each in times.items()}


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


async def _first(client: aiohttp.ClientSession, sends: int) -> list[float]:
    project, times = await _project(client), list[float]()
    async with client.ws_connect("/ws/chat", params={"projectId": project}) as ws:
        for _ in range(sends):
            began = time.monotonic()
            await ws.send_json({"type": "chat_message", "content": "Hello?"})
            while (said := await ws.receive_json(timeout=30))["type"] != "message_complete":
                if said["type"] == "message_chunk" and began:
                    times.append(time.monotonic() - began)
                    began = 0.0
    return times


async def _delivered(site: Site, replies: int, seconds: float, busy: Busy, file: Path) -> Told:
    """When pieces were said and received, from when all replies were being made until the first of them ended."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.talkers", site.url, str(replies), str(seconds / RAMP), str(file),
        cwd=ROOT, env={**site.environment, "TALKERS_KEY": KEY}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    busy.pids = {**busy.pids, "the clients": process.pid}
    assert process.stdout
    await process.stdout.readline()
    await asyncio.sleep(seconds / RAMP)
    await busy.watch(seconds / 2)
    if status := await process.wait():
        raise RuntimeError(f"the clients' process ended with status {status}")
    told = msgspec.json.decode(await asyncio.to_thread(file.read_bytes), type=Told)
    began = min(said for said, _ in told.times)
    at_once = [each for each in told.times if seconds / RAMP <= each[0] - began <= seconds]
    return Told(at_once or told.times, told.late)


async def _project(client: aiohttp.ClientSession) -> str:
    async with client.post("/v1/projects", json={"title": "Bench"}) as answer:
        return str((await answer.json())["id"])
