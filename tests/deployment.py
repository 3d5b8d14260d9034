"""Headwater's parts as processes of their own on real servers, each of which a test may kill and start again."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import aiohttp

from app import contexts
from events.catalogue import Catalogue
from infra import jetstream
from infra.embedded.nats import NatsServer, Sync
from infra.embedded.postgres import PostgresServer
from infra.log import Log
from tests import servers
from tests.notifications.mail_server import MailServer, mail_server
from tests.speech.whisper_server import MODEL, WhisperServer, whisper_server
from tests.warm import Headwater

ROOT = Path(__file__).parents[1]
KEY = "key-of-the-tests"
KEPT = ("PATH", "HOME", "TMPDIR", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
"""What processes get of our environment, beside what Python and coverage look for; no setting of Headwater."""
READY = {"serve": "listening", "work": "working", "project": "projecting"}
"""The log message of each part once it does its work."""


class Finished(NamedTuple):
    """A command that has ended."""

    status: int
    out: str
    err: str


class Part:
    """`headwater serve`, `work` or `project`."""

    def __init__(self, name: str, environment: Mapping[str, str], folder: Path) -> None:
        self.name = name
        self.log = folder / f"{name}.log"
        self._environment = environment
        self._process: Headwater | None = None
        self._began = 0

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.status is None

    async def start(self) -> None:
        """Start it and wait until it does its work."""
        self.log.touch()
        self._began = self.log.stat().st_size
        self._process = Headwater((self.name,), self._environment, Path(os.devnull), self.log)
        await self._process.start()
        async with asyncio.timeout(60):
            while not any(line.get("message") == READY[self.name] for line in self.lines()):
                assert self.running, self.said()
                await asyncio.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash would, at once."""
        if self._process:
            self._process.kill()

    async def ended(self) -> int:
        """Wait for its end; the exit status."""
        assert self._process
        async with asyncio.timeout(20):
            return await self._process.ended()

    async def restart(self) -> None:
        """Kill it, and start it again as its supervisor would."""
        self.kill()
        await self.ended()
        await self.start()

    async def stop(self) -> tuple[int, float]:
        """SIGTERM; its exit status and the seconds it took."""
        assert self._process
        began = time.monotonic()
        self._process.kill(signal.SIGTERM)
        return await self.ended(), time.monotonic() - began

    def said(self) -> str:
        """What it has written since it was started last."""
        return self.log.read_bytes()[self._began :].decode()

    def lines(self) -> Iterator[dict[str, Any]]:
        """What it has logged since it was started last."""
        with self.log.open("rb") as log:
            log.seek(self._began)
            for line in log:
                with suppress(ValueError):
                    yield json.loads(line)

    def complaints(self, since: int) -> list[str]:
        """Errors in its log behind so many bytes, and what is no log line at all, such as a traceback."""
        lines = self.log.read_bytes()[since:].decode().splitlines()
        harmless = ('"level":"info"', '"level":"warning"')
        return [line for line in lines if line and not any(each in line for each in harmless)]


@dataclass(frozen=True)
class Deployment:
    """A whole Headwater."""

    home: Path
    environment: Mapping[str, str]
    nats: tuple[NatsServer, ...]
    postgres: PostgresServer
    whisper: WhisperServer
    mail: MailServer
    serve: Part
    work: Part
    project: Part

    @contextmanager
    def without_complaint(self) -> Iterator[None]:
        """What is done within leaves no error in any log; what tests before it have provoked does not count."""
        began = [(part, part.log.stat().st_size) for part in self.parts]
        yield
        assert [part.complaints(since) for part, since in began] == [[]] * len(began)

    @property
    def parts(self) -> tuple[Part, ...]:
        return (self.serve, self.work, self.project)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.environment['PORT']}"

    def client(self, **options: Any) -> aiohttp.ClientSession:
        """An HTTP client with a key that may do everything, and with patience."""
        options = {"middlewares": (patient,), **options}
        return aiohttp.ClientSession(self.url, headers={"X-Api-Key": KEY}, **options)

    @asynccontextmanager
    async def log(self) -> AsyncIterator[Log]:
        """The log itself."""
        nc = await jetstream.connect(",".join(node.operator_url for node in self.nats), name="tests")
        try:
            yield Log(nc, Catalogue(contexts.EVENTS, contexts.UPCASTS))
        finally:
            await nc.close()

    async def cli(self, *arguments: str, **settings: str) -> Finished:
        """Run `headwater …` to its end."""
        with TemporaryDirectory() as folder:
            environment = {**self.environment, **settings}
            process = Headwater(arguments, environment, Path(folder, "out"), Path(folder, "err"))
            try:
                async with asyncio.timeout(90):
                    await process.start()
                    status = await process.ended()
            finally:
                process.kill()
            return Finished(status, *process.said())


async def patient(request: aiohttp.ClientRequest, ask: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Asks again when what was written cannot be read yet: on a busy machine that takes longer than requests wait."""
    for _ in range(20):
        answer = await ask(request)
        if answer.status != 503 or b"NOT_YET_READABLE" not in await answer.read():
            break
    return answer


async def headwater(*arguments: str, environment: Mapping[str, str], within: float = 90) -> Finished:
    """Run a command to its end, imports and all; it is killed when that takes too long."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", *arguments, env=environment, cwd=ROOT,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(within):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Finished(process.returncode or 0, out.decode(), err.decode())


def bare_environment(home: Path, **settings: str) -> dict[str, str]:
    """An environment with these settings and no others."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in KEPT or name.startswith(("PYTHON", "COV"))
    }
    return {**kept, "HEADWATER_HOME": str(home), **settings}


@asynccontextmanager
async def deployed(
    *, nodes: int = 1, start: bool = True, durable: bool = False, **settings: str
) -> AsyncIterator[Deployment]:
    """A Headwater with servers of its own and a speech server that answers at once; `start` starts its parts.

    `durable` servers wait for the disk, as users' do.
    """
    sync: Sync = "always" if durable else "relaxed"
    async with AsyncExitStack() as stack:
        home = stack.enter_context(servers.temporary_home())
        nats = (
            (await stack.enter_async_context(servers.nats_server(home, sync=sync)),)
            if nodes == 1
            else await stack.enter_async_context(servers.nats_cluster(home, sync=sync))
        )
        postgres = await stack.enter_async_context(servers.postgres_server(home, durable=durable))
        whisper = await stack.enter_async_context(whisper_server())
        mail = await stack.enter_async_context(mail_server())
        port = stack.enter_context(servers.claimed_port())
        made = _deployment(home, nats, postgres, whisper, mail, settings={"PORT": str(port), **settings})
        stack.push_async_callback(_end, made)
        migrated = await made.cli("migrate")
        assert migrated.status == 0, migrated.err
        if start:
            await asyncio.gather(*(part.start() for part in made.parts))
        yield made


def _deployment(
    home: Path,
    nats: tuple[NatsServer, ...],
    postgres: PostgresServer,
    whisper: WhisperServer,
    mail: MailServer,
    *,
    settings: Mapping[str, str],
) -> Deployment:
    environment = bare_environment(
        home,
        API_KEY=KEY,
        NATS_URL=",".join(node.url for node in nats),
        NATS_ERASER_URL=",".join(node.eraser_url for node in nats),
        DATABASE_URL=postgres.dsn,
        STREAM_REPLICAS=str(len(nats)),
        WHISPER_URL=whisper.url,
        WHISPER_MODEL=MODEL,
        SMTP_HOST="127.0.0.1",
        SMTP_PORT=str(mail.port),
        SMTP_FROM="Headwater <reports@headwater.test>",
        DELIVERY_BACKOFF="1",
        WEBHOOK_ALLOW_PRIVATE="true",
        RATE_LIMIT_RPS="0",
        HANDLER_ACK_WAIT="2",
    )
    environment |= settings
    parts = [Part(name, environment, home) for name in ("serve", "work", "project")]
    return Deployment(home, environment, nats, postgres, whisper, mail, *parts)


async def _end(made: Deployment) -> None:
    await asyncio.gather(*(part.stop() for part in made.parts if part.running))
