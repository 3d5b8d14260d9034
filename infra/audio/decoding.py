"""Any recording to 16 kHz mono WAV, in a process that hostile files cannot make hang, swell or spread."""

import asyncio
import contextlib
import signal
from pathlib import Path

import msgspec

from infra import child
from infra.speech import SpeechUnavailable, UnusableAudio


class Answer(msgspec.Struct):
    """What the decoder process prints: the seconds, or what is wrong with the recording, or with this machine."""

    seconds: float = 0.0
    code: str = ""
    detail: str = ""
    trouble: str = ""


async def decode(
    source: Path,
    target: Path,
    *,
    max_seconds: float = 4 * 3600.0,
    timeout: float = 300.0,
    memory: int = 512 << 20,
) -> float:
    """Write the recording's sound to `target` as 16 kHz mono 16-bit WAV and return its seconds.

    `timeout` is seconds of processor time, `memory` bytes of address space. Gaps in the recording become silence,
    so times in the WAV are times in the recording. Raises UnusableAudio, or SpeechUnavailable if this machine is
    what failed; then, and when cancelled, no target file is left.
    """
    if (await asyncio.to_thread(source.stat)).st_size == 0:
        raise UnusableAudio("AUDIO_EMPTY", "The file is empty.")
    draft = target.with_name(f"{target.name}.part")
    decoder = await child.start(
        "infra.audio.decoder", *_arguments(source, draft, max_seconds, timeout, memory)
    )
    try:
        async with asyncio.timeout(3 * timeout + 10):
            said = await decoder.answers.read()
            seconds = _outcome(await decoder.process.wait(), said)
        await asyncio.to_thread(draft.replace, target)
    except TimeoutError:
        raise SpeechUnavailable(
            "Decoding got too little processor time: this machine is overloaded."
        ) from None
    finally:
        await decoder.end()
        with contextlib.suppress(OSError):
            draft.unlink(missing_ok=True)
    return seconds


def _arguments(source: Path, draft: Path, *limits: float) -> tuple[str, ...]:
    return str(source.absolute()), str(draft.absolute()), *map(str, limits)


def _outcome(exit_code: int, said: bytes) -> float:
    if exit_code == -signal.SIGXCPU:
        raise UnusableAudio("AUDIO_DECODE_TIMEOUT", "Decoding takes too long.")
    if exit_code == child.MEMORY_EXIT:
        raise UnusableAudio("AUDIO_DECODE_MEMORY", "Decoding takes too much memory.")
    if exit_code in child.CRASHES:
        raise UnusableAudio("AUDIO_UNDECODABLE", "The decoder crashes on this file.")
    try:
        answer = msgspec.json.decode(said, type=Answer)
    except msgspec.DecodeError:
        raise SpeechUnavailable(
            f"The audio decoder ended without an answer (exit code {exit_code})."
        ) from None
    if answer.trouble:
        raise SpeechUnavailable(f"The audio decoder failed: {answer.trouble}")
    if answer.code:
        raise UnusableAudio(answer.code, answer.detail)
    return answer.seconds
