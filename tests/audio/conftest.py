"""The bundled site note in every form, encoded once for all tests here."""

from pathlib import Path

import pytest

from tests.audio.recordings import MEDIA_TYPES, record

FRAGMENTS = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "frag_duration": "1000000"}
LIVE = {"live": "1"}
"""Neither a length nor the sizes of its parts."""


@pytest.fixture(scope="session")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """By what is special about each."""
    folder = tmp_path_factory.mktemp("recordings")
    made = {suffix: record(folder / f"note.{suffix}") for suffix in MEDIA_TYPES}
    made["fast m4a"] = record(folder / "fast.m4a", options={"movflags": "faststart"})
    made["browser's mp4"] = record(folder / "fragments.m4a", options=FRAGMENTS)
    made["browser's webm"] = record(folder / "live.webm", options=LIVE)
    made["mp3 without a count"] = record(folder / "plain.mp3", options={"write_xing": "0"})
    return made
