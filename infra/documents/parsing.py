"""Any document to text, in a process that hostile files cannot make hang, swell or spread."""

import asyncio
import signal
from pathlib import Path

import msgspec

from infra import child
from infra.documents.parsed import Limits, Parsed, ParserUnavailable, UnusableDocument
from infra.scratch import scratch

COMPLAINTS = 64 << 10
"""Bytes of a process's last words that are listened to."""
DEFAULT = Limits()


async def parse(
    content: bytes | Path, *, name: str = "", declared: str = "", limits: Limits = DEFAULT
) -> Parsed:
    """The text of a document with its pages, and what it says of itself.

    `name` is its file name and `declared` the media type its sender gives it: hints for texts; the rest is known by
    content. A path is read by the process alone. Raises UnusableDocument, or ParserUnavailable if this machine is
    what failed. Cancelling it stops the work.
    """
    with scratch() as folder:
        source, target = Path(folder) / "document", Path(folder) / "answer"
        if isinstance(content, Path):
            source = content
        else:
            await asyncio.to_thread(source.write_bytes, content)
        size = (await asyncio.to_thread(source.stat)).st_size
        if size > limits.size:
            raise UnusableDocument(
                "DOCUMENT_TOO_LARGE", f"A document may have {limits.size:,} bytes at most."
            )
        exit_code, said = await _run(source, target, name, declared, limits)
        answer = await asyncio.to_thread(_written, target)
    return _outcome(exit_code, said, answer)


async def _run(source: Path, target: Path, name: str, declared: str, limits: Limits) -> tuple[int, bytes]:
    arguments = _arguments(source, target, name, declared, limits)
    parser = await child.start("infra.documents.parser", *arguments, complaints=True)
    try:
        async with asyncio.timeout(3 * limits.seconds + 10):
            said = await _last_words(parser.answers)
            return await parser.process.wait(), said
    except TimeoutError:
        raise ParserUnavailable(
            "Reading a document got too little processor time: this machine is overloaded."
        ) from None
    finally:
        await parser.end()


def _arguments(source: Path, target: Path, name: str, declared: str, limits: Limits) -> tuple[str, ...]:
    told = msgspec.json.encode(limits).decode()
    return str(source.absolute()), str(target), _plain(name), _plain(declared), told


def _plain(argument: str) -> str:
    return argument.replace("\0", "")[:512]


def _written(target: Path) -> bytes:
    return target.read_bytes() if target.exists() else b""


async def _last_words(stream: asyncio.StreamReader) -> bytes:
    said = b""
    while piece := await stream.read(COMPLAINTS):
        said = (said + piece)[-COMPLAINTS:]
    return said


def _outcome(exit_code: int, said: bytes, answer: bytes) -> Parsed:
    if exit_code == -signal.SIGXCPU:
        raise UnusableDocument("DOCUMENT_TIMEOUT", "Reading the document takes too long.")
    if exit_code == child.MEMORY_EXIT or (exit_code in child.CRASHES and b"memory allocation of" in said):
        raise UnusableDocument("DOCUMENT_MEMORY", "Reading the document takes too much memory.")
    if exit_code in child.CRASHES:
        raise UnusableDocument("DOCUMENT_DAMAGED", "The parser crashes on this file.")
    try:
        if exit_code == 0 and answer[:1] == b"=":
            return Parsed.decode(answer[1:])
        if exit_code == 0 and answer[:1] == b"!":
            code, detail = msgspec.msgpack.decode(answer[1:], type=tuple[str, str])
            raise UnusableDocument(code, detail)
    except msgspec.DecodeError:
        pass
    raise ParserUnavailable(f"The document parser ended without an answer (exit code {exit_code}).")
