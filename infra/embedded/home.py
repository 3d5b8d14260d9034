"""The home folder of the embedded servers: its lock, its secrets, and where its servers can be reached."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import msgspec

from infra.embedded.process import EmbeddedServerError

_held: set[Path] = set()
"""The lock files this process holds."""


class Secrets:
    """Random passwords, made when first asked for and kept one a file in a folder only its owner can read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get(self, name: str) -> str:
        """The secret of that name, always the same."""
        path = self._folder / name
        if not path.exists():
            private_folder(self._folder)
            write_private(
                draft := path.with_name(f".{name}.{secrets.token_hex(8)}"), secrets.token_urlsafe(24)
            )
            with suppress(FileExistsError):  # another process was faster: its word counts
                os.link(draft, path)
            draft.unlink()
        return path.read_text().strip()


class Servers(msgspec.Struct, frozen=True, rename="camel"):
    """Where the embedded servers are reached. The URLs carry passwords: never log them."""

    nats_url: str
    eraser_url: str
    operator_url: str
    dsn: str

    def __repr__(self) -> str:
        return "Servers(…)"


def private_folder(path: Path) -> Path:
    """Make a folder only its owner can enter. Raises EmbeddedServerError when it cannot be used."""
    return usable(path, mode=0o700)


def usable(path: Path, mode: int = 0o777) -> Path:
    """Make a folder that we can write to. Raises EmbeddedServerError when it cannot be used."""
    path = path.absolute()
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(13, "no permission to write there")
    except OSError as error:
        raise EmbeddedServerError(
            f"{path} cannot be used: {error.strerror}. Name another folder with HEADWATER_HOME."
        ) from error
    return path


def write_private(path: Path, text: str) -> None:
    """Replace a file as one step, readable by its owner only."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


@contextmanager
def locked(home: Path) -> Iterator[None]:
    """Keep this home to one Headwater. Raises EmbeddedServerError that names the pid of the other."""
    path = (home / "lock").resolve()
    if path in _held:
        raise _in_use(home, str(os.getpid()))
    # A POSIX record lock, not flock: it dies with this process even if a worker forked from it lives on.
    # It also falls when this process closes the file anywhere else, hence `_held`.
    with path.open("a+") as lock:
        try:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.seek(0)
            raise _in_use(home, lock.read().strip()) from error
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        _held.add(path)
        try:
            yield
        finally:
            _held.remove(path)


def _in_use(home: Path, pid: str) -> EmbeddedServerError:
    return EmbeddedServerError(
        f"Another Headwater (process {pid}) uses {home}. "
        "Stop it, or give this one another folder with HEADWATER_HOME."
    )


def publish(home: Path, servers: Servers) -> None:
    """Leave word where the servers are, for commands that want to attach to them."""
    write_private(home / "servers.json", msgspec.json.encode(servers).decode())


def withdraw(home: Path) -> None:
    """The servers are about to stop."""
    (home / "servers.json").unlink(missing_ok=True)


def running(home: Path) -> Servers | None:
    """The servers that a Headwater runs in this home, or None when there is none.

    Raises EmbeddedServerError when the home cannot be looked into.
    """
    try:
        if not _is_locked(home / "lock"):
            return None  # servers.json, if there, was left by a Headwater that was killed
        return msgspec.json.decode((home / "servers.json").read_bytes(), type=Servers)
    except FileNotFoundError:
        return None  # it is starting or stopping
    except OSError as error:
        raise unusable(home, error) from None


def unusable(home: Path, error: OSError) -> EmbeddedServerError:
    """What to tell who may not look into a home, or named something else."""
    return EmbeddedServerError(
        f"{home} cannot be used: {error.strerror}. Be the user whose Headwater it is, or name another folder with "
        "HEADWATER_HOME."
    )


def _is_locked(path: Path) -> bool:
    if path.resolve() in _held:
        return True
    try:
        with path.open("r") as lock:
            fcntl.lockf(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return False
    except FileNotFoundError:
        return False
    except (BlockingIOError, PermissionError):  # what a lock held by another is called differs by system
        return True
