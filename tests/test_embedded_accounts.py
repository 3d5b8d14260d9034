"""Whose the embedded Postgres is: as root somebody else's, who must reach programs and data; else our own."""

import os
import pwd
import shutil
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.embedded.account import reachable, reachable_copy
from infra.embedded.home import Secrets
from infra.embedded.initdb import INSTALLED, LIBRARIES, binaries_for
from infra.embedded.postgres import PostgresServer
from infra.embedded.process import Account
from tests import servers
from tests.embedded_host import PROJECT, host, server_processes, start

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="about what only root does")


@pytest.fixture
def home() -> Iterator[Path]:
    with servers.temporary_home() as folder:
        yield folder


@as_root
async def test_root_runs_postgres_as_somebody_else(home):
    async with servers.postgres_server(home):
        (process,) = server_processes(home)
        assert process.uids().effective != 0
        assert (home / "postgres" / "data").stat().st_uid == process.uids().effective


@as_root
async def test_behind_a_closed_folder_root_keeps_the_data_elsewhere(home):
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    mask = os.umask(0o077)
    for _ in range(2):
        server = PostgresServer(
            closed / ".headwater",
            durable=False,
            secrets=Secrets(home / "secrets"),
            elsewhere=home / "elsewhere",
        )
        await server.start()
        await server.stop()
    os.umask(mask)
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700
    assert (closed / ".headwater" / "postgres").resolve().parent == home / "elsewhere"
    assert len(list((home / "elsewhere").iterdir())) == 1


def test_programs_behind_a_closed_folder_are_copied_once(home):
    (home / "closed" / "bin").mkdir(parents=True)
    (home / "closed" / "bin" / "postgres").write_text("program")
    (home / "closed" / "bin").chmod(0o700)
    (home / "closed").chmod(0o700)
    stranger = Account("stranger", 54321, 54321)
    assert not reachable(home / "closed" / "bin", stranger)
    for _ in range(2):
        copy = reachable_copy(home / "closed", ["bin"], "postgres-1", stranger, home / "elsewhere")
        assert (copy / "bin" / "postgres").read_text() == "program"
        assert reachable(copy / "bin", stranger)


@as_root
def test_the_real_programs_run_from_their_copy(home):
    account = Account("nobody", pwd.getpwnam("nobody").pw_uid, pwd.getpwnam("nobody").pw_gid)
    installed = binaries_for(None, home)
    parts = [part for part in (INSTALLED, LIBRARIES) if (installed.parents[2] / part).exists()]
    for part in parts:
        shutil.copytree(installed.parents[2] / part, home / "closed" / part)
    (home / "closed").chmod(0o700)
    copy = reachable_copy(home / "closed", parts, "postgres-1", account, home / "elsewhere")
    initdb = start(
        [str(copy / INSTALLED / "bin" / "initdb"), "--version"], user=account.uid, group=account.gid
    )
    assert initdb.communicate()[0].startswith("initdb (PostgreSQL) 18")


@as_root
async def test_an_ordinary_user_runs_everything_itself(home):
    nobody = pwd.getpwnam("nobody")
    user = Account("nobody", nobody.pw_uid, nobody.pw_gid)
    python, environment = python_for(user)
    theirs = home / "theirs"
    theirs.mkdir()
    os.chown(theirs, user.uid, user.gid)
    async with host(theirs, python=python, env=environment, user=user.uid, group=user.gid, extra_groups=[]):
        found = server_processes(theirs)
        assert [process.uids().effective for process in found] == [user.uid, user.uid]
    assert not server_processes(theirs)


def python_for(user: Account) -> tuple[str, dict[str, str]]:
    """A Python with our packages that this user can run, and its environment."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    pythons = [path for path in (Path(sys.executable).resolve(), Path("/usr/bin") / name) if path.exists()]
    paths = [str(PROJECT), *(path for path in sys.path if path.endswith("site-packages"))]
    for python in pythons:
        if all(reachable(folder, user) for folder in [python.parent, *map(Path, paths)]):
            return str(python), {"PYTHONPATH": os.pathsep.join(paths), "PYTHONDONTWRITEBYTECODE": "1"}
    pytest.skip("an ordinary user can reach neither this Python nor another of its version")
