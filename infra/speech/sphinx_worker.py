"""The process in which pocketsphinx listens, one recording after another: `python -m infra.speech.sphinx_worker`."""

import sys
import wave
from array import array
from collections.abc import Iterator
from statistics import fmean

import msgspec
from pocketsphinx import Decoder, Endpointer, set_loglevel

from infra.child import apart, orders
from infra.speech import Segment, Word
from infra.speech.sphinx import Line

RATE = 16_000
FRAME = 0.01
"""Seconds of one of pocketsphinx's frames."""
LONGEST = 30
"""Seconds of unbroken speech, or noise, that make one segment at most."""


def main() -> None:
    """Print what is heard in each WAV whose path comes in, a line of JSON at a time."""
    apart()
    set_loglevel("FATAL")
    decoder = Decoder(samprate=RATE)
    for order in orders():
        for line in listen(decoder, msgspec.json.decode(order, type=str)):
            sys.stdout.buffer.write(msgspec.json.encode(line) + b"\n")
            sys.stdout.buffer.flush()


def listen(decoder: Decoder, path: str) -> Iterator[Line]:
    """Transcribe one 16 kHz mono WAV, a line for each stretch of speech and one at the end."""
    decoder.reinit_feat()  # else what it learnt of the last recording's sound would change this one's text
    try:
        with wave.open(path) as wav:
            if wav.getparams()[:3] != (1, 2, RATE):
                yield Line(fault="The sound is not 16 kHz mono with 16 bits.")
                return
            total = wav.getnframes() / RATE
            for start, pcm in stretches(wav):
                end = min(total, start + len(pcm) / 2 / RATE)
                yield Line(heard=end, total=total, segment=recognise(decoder, start, end, pcm))
    except (OSError, EOFError, wave.Error) as error:
        yield Line(fault=f"The sound cannot be read: {error}.")
        return
    yield Line(heard=total, total=total, done=True)


def stretches(wav: wave.Wave_read) -> Iterator[tuple[float, bytes]]:
    """The parts in which a voice is active: their start in seconds, and their samples."""
    ear, start, heard = Endpointer(sample_rate=RATE), 0.0, bytearray()
    whole = True
    while whole:
        frame = wav.readframes(ear.frame_bytes // 2)
        whole = len(frame) == ear.frame_bytes
        speech = ear.process(frame) if whole else _last(ear, frame)
        if speech:
            start = start if heard else ear.speech_start
            heard += speech
        if heard and (not whole or not ear.in_speech):
            yield start, bytes(heard)
            heard.clear()
        elif len(heard) >= LONGEST * RATE * 2:
            part = quietest(heard)
            yield start, bytes(heard[:part])
            start += part / 2 / RATE
            del heard[:part]


def _last(ear: Endpointer, frame: bytes) -> bytes | None:
    speech: bytes | None = (
        ear.end_stream(frame or b"\0\0") if ear.in_speech else None
    )  # it takes no empty frame
    return speech


def quietest(pcm: bytearray, window: int = RATE // 10 * 2) -> int:
    """Where to cut speech that does not pause: amid the quietest tenth of a second of its last third, in bytes."""
    first = len(pcm) * 2 // 3 // window * window
    at = min(
        range(first, len(pcm) - window, window), key=lambda n: sum(map(abs, array("h", pcm[n : n + window])))
    )
    return at + window // 2


def recognise(decoder: Decoder, start: float, end: float, pcm: bytes) -> Segment | None:
    """What is said in a stretch of speech; None if it has no words."""
    decoder.start_utt()
    decoder.process_raw(pcm, full_utt=True)
    decoder.end_utt()
    words = tuple(
        Word(
            text=part.word.split("(")[0],  # "read(2)" is the second way to say "read"
            start=round(min(end, start + part.start_frame * FRAME), 2),
            end=round(min(end, start + (part.end_frame + 1) * FRAME), 2),
            confidence=round(min(1.0, part.prob), 4),
        )
        for part in decoder.seg() or ()
        if part.word[0] not in "<[+"  # silence and noises
    )
    if not words:
        return None
    return Segment(
        text=" ".join(word.text for word in words),
        start=words[0].start,
        end=words[-1].end,
        confidence=round(fmean(word.confidence or 0.0 for word in words), 4),
        words=words,
    )


if __name__ == "__main__":
    main()
