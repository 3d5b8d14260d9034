"""Request bodies, read with a limit on their size and on the client's silence."""

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from app.http.choices import choices
from app.http.forms import plainly
from app.http.problems import Malformed, Stalled
from handlers.refusals import Invalid, TooLarge, Unsupported

Shape = TypeVar("Shape")

_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_MISSING = re.compile(r"Object missing required field `(.*)`")
_JSON = re.compile(r"application/(?:[a-z0-9.+-]+\+)?json")


@dataclass(frozen=True)
class Patience:
    """How much is taken from a client, and how long it may stay silent."""

    json_bytes: int = 1 << 20
    idle_seconds: float = 30.0


async def chunks(request: web.Request, *, limit: int, idle: float) -> AsyncIterator[bytes]:
    """The body as it arrives; refused past `limit` bytes, or when nothing comes for `idle` seconds."""
    if (request.content_length or 0) > limit:
        raise _too_large(limit)
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise Unsupported("COMPRESSED_BODY", "Send the body as it is, without Content-Encoding.")
    await _invite(request)
    taken = 0
    while chunk := await _next_chunk(request, idle):
        taken += len(chunk)
        if taken > limit:
            raise _too_large(limit)
        yield chunk


async def expect_later(request: web.Request) -> None:
    """Leaves `Expect: 100-continue` open until the body is wanted, so that a refused upload is never sent."""


async def read_json(request: web.Request, decoder: msgspec.json.Decoder[Shape], patience: Patience) -> Shape:
    """Decodes a JSON body; an empty one counts as `{}`, so that what it lacks is named."""
    if request.can_read_body:
        _check_media_type(request)
    body = bytearray()
    async for chunk in chunks(request, limit=patience.json_bytes, idle=patience.idle_seconds):
        body += chunk
    try:
        value = decoder.decode(body or b"{}")
    except msgspec.ValidationError as error:
        raise invalid("INVALID_BODY", error, decoder.type) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Malformed("MALFORMED_JSON", f"The body is not JSON in UTF-8: {_reason(error)}.") from None
    except RecursionError:
        raise Malformed("MALFORMED_JSON", "The body is nested too deeply.") from None
    if _NUL.search(body):
        raise Malformed("MALFORMED_JSON", "A text in the body holds the character U+0000.")
    return value


def invalid(code: str, error: msgspec.ValidationError, shape: Any) -> Invalid:
    """The refusal for a value that does not fit `shape`, with the path of the member at fault."""
    reason, _, path = str(error).partition(" - at `$")
    place = path.rstrip("`").lstrip(".")
    if missing := _MISSING.fullmatch(reason):
        member = f"{place}.{missing[1]}" if place else missing[1]
        return Invalid(code, f"`{member}` is missing.", field=member)
    said = plainly(reason)
    if said.startswith("Invalid") and (known := choices(shape, place)):
        said = f"Expected one of {', '.join(known)}"
    return Invalid(code, f"{said} at {place}." if place else f"{said}.", field=place or None)


def _check_media_type(request: web.Request) -> None:
    if not _JSON.fullmatch(request.content_type.lower()):
        raise Unsupported("JSON_EXPECTED", "Send JSON, with Content-Type: application/json.")
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise Malformed("UTF8_EXPECTED", "Send JSON in UTF-8; other charsets are not read.")


async def _invite(request: web.Request) -> None:
    if request.headers.get("Expect", "").lower() == "100-continue" and request.content.total_bytes == 0:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # nothing of the answer is out yet


async def _next_chunk(request: web.Request, idle: float) -> bytes:
    try:
        async with asyncio.timeout(idle):
            return await request.content.readany()
    except TimeoutError:
        raise Stalled("BODY_STALLED", f"No more of the body arrived for {idle:g} s.") from None
    except (web.RequestPayloadError, HttpProcessingError):
        raise Malformed(
            "MALFORMED_BODY", "The body ends before it is complete, or is badly framed."
        ) from None


def _too_large(limit: int) -> TooLarge:
    return TooLarge("BODY_TOO_LARGE", f"At most {limit:,} bytes are taken here.")


def _reason(error: Any) -> str:
    return (
        str(error).removeprefix("JSON is malformed: ")
        if isinstance(error, msgspec.DecodeError)
        else "bad UTF-8"
    )
