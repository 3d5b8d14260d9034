"""Folders for files that are worked on, and the removal of those whose process was killed."""

import os
import shutil
import stat
import tempfile
import time
from datetime import timedelta
from pathlib import Path

PREFIX = "headwater-scratch-"


def scratch() -> "tempfile.TemporaryDirectory[str]":
    """A folder that is gone when it is left."""
    return tempfile.TemporaryDirectory(prefix=PREFIX)


def sweep_scratch(older_than: timedelta) -> int:
    """Remove what processes of ours that were killed have left so long ago; how many folders that were."""
    before = time.time() - older_than.total_seconds()
    left = [each for each in Path(tempfile.gettempdir()).glob(f"{PREFIX}*") if _abandoned(each, before)]
    for folder in left:
        shutil.rmtree(folder, ignore_errors=True)
    return len(left)


def _abandoned(path: Path, before: float) -> bool:
    """Where everybody may write, a name says little: it must be a folder, and our own."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and found.st_mtime < before
