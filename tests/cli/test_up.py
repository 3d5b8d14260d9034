"""`headwater up`, as `make run` starts it: the first time, again, beside others, and after every way to end it."""

import asyncio
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import psutil

from app.cli.up import put_aside
from events.jobsite import PIPELINE
from infra.embedded.ports import free_ports
from tests import servers
from tests.deployment import ROOT, bare_environment, headwater

DONE = "Ctrl-C stops everything."
TOLD = {
    "transcript (23 s, pocketsphinx": "water behind the wall",
    "understood (grammar)": "job Maple Street, builder Hendrix",
    "summary (extractive": "the old pipe must be replaced",
    "action items": "- Order fifty sheets of drywall (Carter, due Friday",
    "discrepancy (extractive)": "50 sheets in the recording, 40 sheets in plan.pdf. - Site note, boiler room, at 0:12",
    "search: water behind the wall": "score 0.",
    "question: How many sheets of drywall are needed? (extractive)": "[1] Plan of the boiler room, page 2: “Drywall",
}
"""What the demo says under each heading."""


class Up:
    """A running `headwater up --demo`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.said = ""

    async def until(self, text: str) -> None:
        """Wait until it has printed this."""
        assert self._process.stdout
        async with asyncio.timeout(120):
            while text not in self.said:
                line = await self._process.stdout.readline()
                assert line, f"it ended: {self.said}"
                self.said += line.decode()

    def family(self) -> list[psutil.Process]:
        """It and every process that it has started."""
        own = psutil.Process(self._process.pid)
        return [own, *own.children(recursive=True)]

    def signal(self, which: signal.Signals) -> None:
        self._process.send_signal(which)

    async def ended(self) -> int:
        async with asyncio.timeout(15):
            rest = await self._process.stdout.read() if self._process.stdout else b""
            self.said += rest.decode()
            return await self._process.wait()


@asynccontextmanager
async def up(environment: Mapping[str, str]) -> AsyncIterator[Up]:
    """Start it, and see to it that it ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "up", "--demo", env=environment, cwd=ROOT, start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Up(process)
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def gone(processes: list[psutil.Process], within: float = 12) -> None:
    """Wait until none of them runs any more."""
    async with asyncio.timeout(within):
        while [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_up_starts_stops_and_starts_again_with_its_data_whatever_ended_it() -> None:
    with servers.temporary_home() as folder:
        home = folder / "data"
        environment = bare_environment(home, PORT=str(free_ports(1)[0]))
        told = await _first_start_shows_what_it_does(environment, home)
        session = await _second_start_tells_the_same_and_ends_in_a_crash(environment, told)
        await _after_a_crash_it_starts_again(environment, session)


def story(said: str) -> list[str]:
    """What the demo tells of the recording, without links, which are signed anew each time."""
    begin, end = said.index("\ntranscript ("), said.index("\nHeadwater serves on")
    return [line for line in said[begin:end].splitlines() if "http" not in line]


async def _first_start_shows_what_it_does(environment: Mapping[str, str], home: Path) -> list[str]:
    async with up(environment) as running:
        await running.until(DONE)
        assert set(re.findall(r"(\w+) +completed", running.said)) == {*PIPELINE, "extract"}
        for part, holds in TOLD.items():
            told = running.said.partition(f"\n\n{part}")[2].partition("\n\n")[0]
            assert holds in " ".join(told.split()), running.said
        assert f"http://127.0.0.1:{environment['PORT']}" in running.said
        assert (home / "api-key").stat().st_mode & 0o777 == 0o600
        await _a_second_one_is_told_what_is_in_its_way(environment, home)
        family = running.family()
        assert len(family) >= 6
        running.signal(signal.SIGINT)
        began = time.monotonic()
        assert await running.ended() == 0, running.said
        assert time.monotonic() - began < 10
        await gone(family)
        assert "Traceback" not in running.said
    return story(running.said)


async def _a_second_one_is_told_what_is_in_its_way(environment: Mapping[str, str], home: Path) -> None:
    port = environment["PORT"]
    elsewhere = {**environment, "HEADWATER_HOME": str(home.parent / "other")}
    same_home = {**environment, "PORT": str(free_ports(1)[0])}
    by_port, by_home, examined = await asyncio.gather(
        headwater("up", environment=elsewhere),
        headwater("up", environment=same_home),
        headwater("doctor", environment=environment),
    )
    assert (by_port.status, by_home.status) == (2, 2)
    assert f"Port {port} on 127.0.0.1 is in use" in by_port.err
    assert f"PORT={int(port) + 1} make run" in by_port.err
    assert f"uses {home}" in by_home.err
    assert "HEADWATER_HOME" in by_home.err
    assert (examined.status, "WRONG" in examined.out) == (0, False), examined.out


async def _second_start_tells_the_same_and_ends_in_a_crash(
    environment: Mapping[str, str], told: list[str]
) -> str:
    async with up(environment) as running:
        await running.until(DONE)
        session = re.findall(r"session ([0-9a-f-]{36})", running.said)[0]
        assert story(running.said) == told
        assert "JOBSITE@1\n" in running.said  # the session of the first start, not another
        await _a_part_that_dies_is_started_again(environment, running)
        family = running.family()
        names = {each.pid: each.name() for each in family}
        running.signal(signal.SIGKILL)
        parts = [each for each in family if not names[each.pid].startswith(("nats", "postgres"))]
        await gone(parts)
    return str(session)


async def _a_part_that_dies_is_started_again(environment: Mapping[str, str], running: Up) -> None:
    [serve] = [each for each in running.family() if each.cmdline()[-1:] == ["serve"]]
    serve.kill()
    url = f"http://127.0.0.1:{environment['PORT']}/health"
    async with aiohttp.ClientSession() as http, asyncio.timeout(30):
        await gone([serve])
        while not await _answers(http, url):  # noqa: ASYNC110 - it is another process's
            await asyncio.sleep(0.1)


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    try:
        async with http.get(url) as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def _after_a_crash_it_starts_again(environment: Mapping[str, str], session: str) -> None:
    async with up(environment) as running:
        await running.until(DONE)
        assert session in running.said
        family = running.family()
        running.signal(signal.SIGTERM)
        assert await running.ended() == 0, running.said
        await gone(family)
    with socket.socket() as free:
        free.bind(("127.0.0.1", int(environment["PORT"])))


def test_a_long_log_is_put_aside_while_its_writer_goes_on(tmp_path: Path) -> None:
    short, long = tmp_path / "serve.log", tmp_path / "work.log"
    short.write_text("a line\n")
    with long.open("ab", buffering=0) as writer:
        writer.write(b"old\n" * 100)
        put_aside(tmp_path, longest=300)
        writer.write(b"new\n")
    assert long.read_text() == "new\n"
    assert (tmp_path / "work.log.1").read_text() == "old\n" * 100
    assert [each.name for each in sorted(tmp_path.iterdir())] == ["serve.log", "work.log", "work.log.1"]
