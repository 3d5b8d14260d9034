"""One child process: what it says when it fails, how it is stopped, and when it counts as gone."""

import subprocess
from pathlib import Path

import pytest

from infra.embedded import process
from infra.embedded.home import Secrets
from infra.embedded.nats import NatsServer, binary
from infra.embedded.process import Child, EmbeddedServerError
from tests import servers

STUBBORN = "trap '' INT; echo 'deaf to reason'; while :; do sleep 0.05; done"


def shell(folder: Path, script: str) -> Child:
    return process.spawn("sh", ["/bin/sh", "-c", script], environment={}, log=folder / "log")


async def never() -> bool:
    return False


async def test_a_child_that_ends_while_starting_is_quoted(tmp_path):
    (tmp_path / "log").write_text("words of an earlier run\n")
    child = shell(tmp_path, "echo no such luck; exit 3")
    with pytest.raises(EmbeddedServerError, match=r"(?s)exit 3.*no such luck") as failure:
        await process.until_ready(child, never, timeout=10)
    assert "earlier run" not in str(failure.value)


async def test_a_child_that_never_answers_is_given_up(tmp_path):
    child = shell(tmp_path, STUBBORN)
    with pytest.raises(EmbeddedServerError, match="did not answer within 0 s"):
        await process.until_ready(child, never, timeout=0.2)
    await process.stop(child, patience=0)


async def test_a_child_that_does_not_listen_is_killed(tmp_path):
    child = shell(tmp_path, STUBBORN)

    async def spoke() -> bool:
        return "deaf" in child.last_words()

    await process.until_ready(child, spoke, timeout=10)
    await process.stop(child, patience=0.1)
    assert child.process.returncode == -9


async def test_a_program_that_is_not_there_is_named(tmp_path):
    with pytest.raises(EmbeddedServerError, match="no-such-program"):
        process.spawn("it", [tmp_path / "no-such-program"], environment={}, log=tmp_path / "log")


async def test_a_killed_jetstream_comes_back_on_its_port():
    with servers.temporary_home() as home:
        async with servers.nats_server(home) as server:
            url = server.url
            server.kill()
            await server.exited()
            await server.start()
            assert server.url == url


async def test_a_jetstream_that_cannot_use_its_store_is_quoted(tmp_path):
    (tmp_path / "nats").mkdir()
    (tmp_path / "nats" / "jetstream").write_text("in the way")
    with pytest.raises(EmbeddedServerError, match=r"(?s)stopped while starting.*JetStream"):
        await NatsServer(tmp_path, secrets=Secrets(tmp_path / "secrets")).start()


def start_stray(pid_file: Path) -> subprocess.Popen[bytes]:
    argv = [binary(), "-p", "-1", "-P", pid_file]
    return subprocess.Popen(argv, env={process.PARENT: "1"}, stderr=subprocess.DEVNULL)


async def test_an_orphan_that_nobody_collects_holds_nothing_up(tmp_path):
    (tmp_path / "nats").mkdir()
    orphan = start_stray(tmp_path / "nats" / "nats.pid")  # our child: a zombie until we ask for it
    async with servers.nats_server(tmp_path):
        assert orphan.wait() is not None
