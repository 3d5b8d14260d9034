"""For root only, whom Postgres refuses: the user it runs as, and places that user can reach."""

import logging
import os
import pwd
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path

from infra.embedded.process import Account, EmbeddedServerError

ELSEWHERE = Path("/var/lib/headwater")
"""Where root puts what the user cannot reach because a parent folder is closed. We never open that folder."""

log = logging.getLogger(__name__)


def choose(data: Path) -> Account | None:
    """The owner of data that is there already; else `postgres` or, failing that, `nobody`. None: no need."""
    if os.geteuid() != 0:
        return None
    try:
        if data.exists() and (uid := data.stat().st_uid):
            return _account(pwd.getpwuid(uid))
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        return next(_account(known[name]) for name in ("postgres", "nobody") if name in known)
    except (KeyError, StopIteration):
        raise EmbeddedServerError(
            "Postgres does not run as root, and there is no user to run it as: add one named postgres, "
            "or start Headwater as an ordinary user."
        ) from None


def _account(entry: pwd.struct_passwd) -> Account:
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def reachable(path: Path, account: Account) -> bool:
    """Whether the user may pass through every folder on the way to this one, and enter it."""
    return all(_may_enter(folder, account) for folder in (path, *path.parents) if folder.exists())


def _may_enter(folder: Path, account: Account) -> bool:
    status = folder.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    return bool(status.st_mode & (0o010 if status.st_gid == account.gid else 0o001))


def _make_passable(folder: Path) -> None:
    if not folder.exists():
        folder.mkdir(parents=True)
        folder.chmod(0o711)  # whatever our umask is; only a folder we have just made


def place(folder: Path, account: Account, elsewhere: Path) -> Path:
    """Make the folder for the server's data, elsewhere behind a link of that name if it must be."""
    if not folder.is_symlink() and not folder.exists():
        if reachable(folder, account):
            _make_passable(folder)
        else:
            folder.symlink_to(elsewhere / f"{folder.parent.parent.name or 'home'}-{secrets.token_hex(6)}")
    target = folder.resolve()
    if not target.exists():
        _make_passable(elsewhere)
        _make_passable(target)
    if target != folder:
        log.warning("database is kept elsewhere", extra={"folder": str(target), "user": account.name})
    return target


def reachable_copy(root: Path, parts: Sequence[str], name: str, account: Account, elsewhere: Path) -> Path:
    """The root of these folders if the user can reach them there, else of a copy of them elsewhere."""
    if all(reachable(root / part, account) for part in parts):
        return root
    copy = elsewhere / name
    if not copy.exists():
        _make_passable(elsewhere)
        draft = copy.with_name(f".{name}.{secrets.token_hex(6)}")
        for part in parts:
            shutil.copytree(root / part, draft / part)
        for path in (draft, *draft.rglob("*")):  # installed with a strict umask they are root's only
            path.chmod(path.stat().st_mode | (0o555 if path.stat().st_mode & 0o100 else 0o444))
        try:
            draft.rename(copy)
        except OSError:  # another start was faster
            shutil.rmtree(draft)
        log.warning("database binaries are copied", extra={"folder": str(copy), "user": account.name})
    return copy
