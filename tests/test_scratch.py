"""Folders that killed processes have left are removed, and nothing else."""

import os
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest

from infra.scratch import PREFIX, scratch, sweep_scratch

DAY = timedelta(days=1)


def test_only_old_folders_of_ours_are_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with scratch() as folder:
        at_work = Path(folder)
        left, other, kept = (tmp_path / name for name in (f"{PREFIX}left", "headwater-home", "kept"))
        for each in (left, other, kept):
            each.mkdir()
            (each / "file").touch()
            os.utime(each, (time.time() - 90_000,) * 2)
        link = tmp_path / f"{PREFIX}link"
        link.symlink_to(kept)
        os.utime(link, (0, 0), follow_symlinks=False)
        assert sweep_scratch(DAY) == 1
        assert not left.exists()
        assert (at_work.exists(), (other / "file").exists(), (kept / "file").exists()) == (True, True, True)
    assert not at_work.exists()
