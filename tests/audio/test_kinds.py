"""What kind of audio a file is, by its first bytes."""

import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.audio import media_type
from infra.samples import SITE_NOTE, WALKTHROUGH
from tests.audio.recordings import MEDIA_TYPES

EBML = b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01B\xf7\x81\x01B\xf2\x81\x04B\xf3\x81\x08B\x82\x84"


@pytest.mark.parametrize("suffix", MEDIA_TYPES)
def test_every_kind_we_take_is_known_by_its_content(suffix: str, recordings: dict[str, Path]) -> None:
    content = recordings[suffix].read_bytes()
    assert media_type(content[:4096]) == MEDIA_TYPES[suffix]
    assert media_type(content[:64]) == MEDIA_TYPES[suffix]


@pytest.mark.parametrize("sample", [SITE_NOTE, WALKTHROUGH])
def test_the_bundled_recordings_are_ogg(sample: Path) -> None:
    assert media_type(sample.read_bytes()[:4096]) == "audio/ogg"


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav"),
        (b"RIFX\x00\x00\x00\x24WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x18ftyp3gp4\x00\x00\x00\x00", "audio/mp4"),
        (b"\x00\x00\x00\x14ftypqt  \x00\x00\x02\x00", "audio/mp4"),
        (b"ID3\x04\x00\x00\x00\x00\x00\x23TSSE", "audio/mpeg"),
        (b"\xff\xfb\x90\x64", "audio/mpeg"),
        (b"\xff\xf3\x40\xc4" + bytes(100) + b"\xff\xf3\x40\xc4", "audio/mpeg"),  # MPEG-2
        (b"\xff\xe3\x18\xc4" + bytes(68) + b"\xff\xe3\x18\xc4", "audio/mpeg"),  # MPEG-2.5
        (b"\xff\xfd\x80\x04" + bytes(413) + b"\xff\xfd\x80\x04", "audio/mpeg"),  # layer II
        (EBML + b"webm", "audio/webm"),
        (EBML + b"matroska", "audio/webm"),
    ],
)
def test_rarer_forms_of_a_kind_are_known(head: bytes, expected: str) -> None:
    assert media_type(head) == expected


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR",
        b"%PDF-1.7\n",
        b"PK\x03\x04\x14\x00",
        b"\x7fELF\x02\x01\x01",
        b"RIFF\x00\x10\x00\x00WEBPVP8 ",
        b"RIFF\x00\x10\x00\x00AVI LIST",
        b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00",
        b"\x00\x00\x00\x20ftypavif\x00\x00\x00\x00",
        "Notes of the site meeting".encode("utf-16"),
        b"<html><body>404</body></html>",
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"\xff\xf1\x50\x80",  # AAC without a container
        b"\xff\xfb\x90\x64" + bytes(1000),  # no second frame where one should be
        EBML + b"other",
        b"\xff\xfb\xf0\x00",
        struct.pack(">I", 0xFFFFFFFF),
    ],
)
def test_what_is_no_audio_is_no_kind(head: bytes) -> None:
    assert media_type(head) is None


@given(st.binary(max_size=64) | st.binary(max_size=64).map(lambda tail: b"\xff\xfb" + tail))
def test_no_bytes_are_too_strange_to_ask_about(head: bytes) -> None:
    assert media_type(head) in {None, *MEDIA_TYPES.values()}
