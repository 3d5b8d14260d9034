"""Which broken recordings are refused, with which code, and which are taken for what can still be heard."""

import random
import struct
from pathlib import Path

import av
import pytest
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from infra.audio.conversion import convert
from infra.speech import UnusableAudio
from tests.audio.recordings import MEDIA_TYPES, SECONDS, cut, one_hertz


def outcome(source: Path, tmp_path: Path, max_seconds: float = 3600.0) -> float | str:
    """The seconds, or the code of the refusal."""
    try:
        return convert(source, tmp_path / "out.wav", max_seconds)
    except UnusableAudio as error:
        return error.code


@pytest.mark.parametrize("form", ["fast m4a", "browser's mp4", "browser's webm", "mp3 without a count"])
def test_a_whole_recording_of_any_form_is_taken(
    form: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    assert outcome(recordings[form], tmp_path) == pytest.approx(SECONDS, abs=0.06)


@pytest.mark.parametrize("form", [*MEDIA_TYPES, "fast m4a"])
def test_a_file_that_lost_half_of_its_promised_length_is_truncated(
    form: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    assert outcome(cut(recordings[form], tmp_path, 0.5), tmp_path) == "AUDIO_TRUNCATED"


@pytest.mark.parametrize("form", ["wav", "mp3", "webm", "flac", "fast m4a"])
def test_a_file_that_lost_its_last_second_is_taken(
    form: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    assert outcome(cut(recordings[form], tmp_path, 0.95), tmp_path) == pytest.approx(0.95 * SECONDS, abs=0.5)


@pytest.mark.parametrize("form", ["browser's mp4", "browser's webm", "mp3 without a count"])
def test_a_file_that_promises_no_length_is_taken_as_far_as_it_goes(
    form: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    assert outcome(cut(recordings[form], tmp_path, 0.5), tmp_path) == pytest.approx(SECONDS / 2, abs=1)


@pytest.mark.parametrize("form", ["ogg", "m4a", "mp3", "flac", "webm"])
def test_a_file_of_which_only_the_beginning_is_left_is_refused(
    form: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    assert outcome(cut(recordings[form], tmp_path, 0.01), tmp_path) in (
        "AUDIO_TRUNCATED",
        "AUDIO_UNDECODABLE",
    )


@pytest.mark.parametrize("size", [0, 0x7FFFFFFF, 0xFFFFFFFF])
def test_a_recorder_that_never_filled_in_the_size_is_forgiven(
    size: int, recordings: dict[str, Path], tmp_path: Path
) -> None:
    content = bytearray(recordings["wav"].read_bytes())
    place = content.index(b"data") + 4
    content[place : place + 4] = struct.pack("<I", size)
    assert outcome(written(tmp_path / "crashed.wav", content), tmp_path) == pytest.approx(SECONDS, abs=0.01)


def test_a_header_without_sound_is_empty(recordings: dict[str, Path], tmp_path: Path) -> None:
    content = recordings["wav"].read_bytes()
    place = content.index(b"data") + 4
    header = written(tmp_path / "header.wav", content[:place] + bytes(4))
    assert outcome(header, tmp_path) == "AUDIO_EMPTY"


@pytest.mark.parametrize("form", ["m4a", "mp3", "ogg", "webm", "flac", "browser's mp4", "browser's webm"])
def test_a_file_that_turns_to_noise_is_refused(
    form: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    content = recordings[form].read_bytes()
    rubbish = random.Random(1).randbytes(len(content) - 700)
    broken = written(tmp_path / recordings[form].name, content[:700] + rubbish)
    assert outcome(broken, tmp_path) in ("AUDIO_TRUNCATED", "AUDIO_UNDECODABLE")


@pytest.mark.parametrize(
    "head",
    [b"OggS", b"fLaC", b"ID3\x04", b"\0\0\0\x20ftypM4A ", b"\x1a\x45\xdf\xa3webm", b"RIFF\0\0\0\0WAVEfmt "],
)
def test_a_false_beginning_deceives_nobody(head: bytes, tmp_path: Path) -> None:
    liar = written(tmp_path / "liar", head + random.Random(2).randbytes(100_000))
    assert outcome(liar, tmp_path) in ("AUDIO_TRUNCATED", "AUDIO_UNDECODABLE")


def test_scattered_damage_costs_only_what_it_hit(recordings: dict[str, Path], tmp_path: Path) -> None:
    content = bytearray(recordings["browser's webm"].read_bytes())
    for place in range(3000, len(content), 5000):
        content[place] ^= 0xFF
    assert outcome(written(tmp_path / "scratched.webm", content), tmp_path) == pytest.approx(SECONDS, abs=0.1)


def test_an_unknown_codec_in_a_known_container_is_not_decodable(
    recordings: dict[str, Path], tmp_path: Path
) -> None:
    content = bytearray(recordings["wav"].read_bytes())
    content[20:22] = b"\x34\x12"
    assert outcome(written(tmp_path / "odd.wav", content), tmp_path) == "AUDIO_UNDECODABLE"


def test_a_film_without_sound_has_no_stream(tmp_path: Path) -> None:
    film = tmp_path / "film.webm"
    with av.open(str(film), "w") as container:
        stream = container.add_stream("libvpx", rate=10)
        assert isinstance(stream, VideoStream)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.mux(stream.encode(VideoFrame(64, 64, "yuv420p")))
        container.mux(stream.encode(None))
    assert outcome(film, tmp_path) == "AUDIO_NO_STREAM"


def test_a_pause_in_the_timestamps_becomes_silence(recordings: dict[str, Path], tmp_path: Path) -> None:
    paused = tmp_path / "paused.webm"
    with av.open(str(recordings["webm"])) as whole, av.open(str(paused), "w") as container:
        stream = container.add_stream_from_template(whole.streams.audio[0])
        for packet in whole.demux(whole.streams.audio[0]):
            if packet.pts is None or 5 < packet.pts * packet.time_base < 8:
                continue
            packet.stream = stream
            container.mux(packet)
    assert outcome(paused, tmp_path) == pytest.approx(SECONDS, abs=0.06)


@pytest.mark.parametrize("form", ["ogg", "browser's webm"])
def test_a_recording_that_is_too_long_is_refused_whether_it_says_so_or_not(
    form: str, recordings: dict[str, Path], tmp_path: Path
) -> None:
    assert outcome(recordings[form], tmp_path, max_seconds=10.0) == "AUDIO_TOO_LONG"


def test_a_sample_rate_of_1_hz_is_no_way_around_the_limit(tmp_path: Path) -> None:
    assert outcome(one_hertz(tmp_path / "bomb.wav", seconds=10_000), tmp_path) == "AUDIO_TOO_LONG"


def written(path: Path, content: bytes | bytearray) -> Path:
    path.write_bytes(content)
    return path
