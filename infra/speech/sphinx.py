"""Transcription on this machine: pocketsphinx with the US English model of its wheel, in processes of its own."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import msgspec

from infra.child import Child, start
from infra.speech import Segment, SpeechUnavailable, Transcript, UnknownModel, UnusableAudio

STALL = 300.0
"""Seconds without a word from a process before it counts as stuck. A segment takes a few."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a process prints: how far it has listened (in seconds) and what it heard there, or why it cannot."""

    heard: float = 0.0
    total: float = 0.0
    segment: Segment | None = None
    done: bool = False
    fault: str = ""


class Sphinx:
    """A few pocketsphinx processes (it holds the GIL), started when first needed and kept for the next recording.

    A process that is killed or stuck costs the recording it was at a SpeechUnavailable; the next gets a new one.
    """

    model = "pocketsphinx-en-us"

    def __init__(self, *, processes: int | None = None) -> None:
        self._places = asyncio.Semaphore(processes or max(1, (os.cpu_count() or 2) - 1))
        self._idle: list[Child] = []
        self._all: set[Child] = set()
        self._closed = False

    async def transcribe(
        self, wav: Path, *, progress: Callable[[float], None], model: str | None = None
    ) -> Transcript:
        """See Speech.transcribe. Waits while every process is busy. There is one model."""
        if model not in {None, self.model}:
            raise UnknownModel(
                f"There is no model {model!r} here, only {self.model!r}; others need WHISPER_URL."
            )
        progress(0.0)
        async with self._places:
            process = await self._process()
            try:
                transcript = await self._listen(process, wav, progress)
            except BaseException:  # also when cancelled: what it is at is of no use any more
                await self._end(process)
                raise
            self._idle.append(process)
        progress(1.0)
        return transcript

    async def close(self) -> None:
        """End every process, at work or not."""
        self._closed = True
        await asyncio.gather(*(self._end(process) for process in tuple(self._all)))

    async def _process(self) -> Child:
        if self._closed:
            raise SpeechUnavailable("Transcription is shutting down.")
        while self._idle:
            if (process := self._idle.pop()).alive:
                return process
            self._all.discard(process)
        process = await start("infra.speech.sphinx_worker")
        self._all.add(process)
        return process

    async def _end(self, process: Child) -> None:
        await process.end()
        self._all.discard(process)

    async def _listen(self, process: Child, wav: Path, progress: Callable[[float], None]) -> Transcript:
        process.orders.write(_order(wav))
        segments: list[Segment] = []
        while line := await _next(process):
            if line.fault:
                raise UnusableAudio("AUDIO_UNDECODABLE", line.fault)
            if line.segment:
                segments.append(line.segment)
            if line.done:
                return Transcript(tuple(segments), "en", line.total, self.model)
            progress(min(1.0, line.heard / line.total))
        if self._closed:
            raise SpeechUnavailable("Transcription is shutting down.")
        raise SpeechUnavailable(
            f"The speech process ended in the middle of its work (exit code {await process.process.wait()}). "
            "If this repeats, the machine is short of memory."
        )


def _order(wav: Path) -> bytes:
    return msgspec.json.encode(str(wav.absolute())) + b"\n"


async def _next(process: Child) -> Line | None:
    """What the process prints next; None once it has ended."""
    try:
        async with asyncio.timeout(STALL):
            text = await process.answers.readline()
    except TimeoutError:
        raise SpeechUnavailable(f"The speech process said nothing for {STALL:.0f} seconds.") from None
    return msgspec.json.decode(text, type=Line) if text else None
