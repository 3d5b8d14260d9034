"""A Headwater as users run it: its parts as processes of their own, on servers that run already."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import aiohttp

from app import contexts
from events.catalogue import Catalogue
from events.envelope import Intent
from events.ids import new_id
from handlers.commands import Commands
from handlers.jobsite.session.commands import UploadAudio
from handlers.jobsite.session.decide import SESSIONS
from infra import jetstream
from infra.embedded.nats import NatsServer
from infra.embedded.ports import free_ports
from infra.log import Log
from tests.bench.tasks import intent
from tests.deployment import KEY, Part, bare_environment, headwater


@dataclass(frozen=True)
class Site:
    """Where it is, and the settings of its parts."""

    home: Path
    nats: str
    database: str
    environment: Mapping[str, str]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def part(self, name: str) -> Part:
        return Part(name, self.environment, self.home)

    def client(self) -> aiohttp.ClientSession:
        """An HTTP client with a key that may do everything."""
        return aiohttp.ClientSession(self.url, headers={"X-Api-Key": KEY}, raise_for_status=True)

    @asynccontextmanager
    async def running(self, *names: str) -> AsyncIterator[list[Part]]:
        """These parts, at work."""
        parts = [self.part(name) for name in names]
        async with AsyncExitStack() as stack:
            for part in parts:
                stack.push_async_callback(_ended, part)
            await asyncio.gather(*(part.start() for part in parts))
            yield parts

    @asynccontextmanager
    async def commands(self) -> AsyncIterator[Commands]:
        """What executes commands, in this process."""
        nc = await jetstream.connect(self.nats, name="headwater bench")
        try:
            yield Commands(Log(nc, Catalogue(contexts.EVENTS, contexts.UPCASTS)), [SESSIONS])
        finally:
            await nc.close()


async def prepared(home: Path, nats: NatsServer, database: str) -> Site:
    """A site with its streams and read models, none of its parts running."""
    environment = bare_environment(
        home,
        PORT=str(free_ports(1)[0]),
        API_KEY=KEY,
        NATS_URL=nats.url,
        NATS_ERASER_URL=nats.eraser_url,
        DATABASE_URL=database,
        RATE_LIMIT_RPS="0",
    )
    migrated = await headwater("migrate", environment=environment)
    if migrated.status:
        raise RuntimeError(f"headwater migrate: {migrated.err}")
    return Site(home, nats.url, database, environment)


async def _ended(part: Part) -> None:
    """Stop it, if it runs."""
    if part.running:
        await part.stop()


def upload(job: UUID) -> tuple[UploadAudio, Intent]:
    """A recording of a job is accepted. No worker is there to miss its audio."""
    command = UploadAudio(
        session_id=new_id(), upload_id=new_id(), blob="0" * 64, size=1, media_type="audio/ogg", job_id=job
    )
    return command, intent()
