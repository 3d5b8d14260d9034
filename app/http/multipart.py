"""Multipart uploads, read front to back: the file is streamed on as it arrives, nothing is spooled."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any, Generic, TypeVar

import msgspec
from aiohttp import web

from app.http.bodies import chunks
from app.http.parts import Part, parts
from app.http.problems import Malformed
from app.http.queries import convert, printable
from handlers.refusals import TooLarge, Unsupported

FIELDS_ROOM = 1 << 20
"""Bytes that a body may have beyond its file."""

Fields = TypeVar("Fields")
Kept = TypeVar("Kept")


@dataclass(frozen=True, kw_only=True)
class Multipart:
    """What an upload consists of: one file, and text fields that fit a struct."""

    fields: type[msgspec.Struct]
    file: str = "file"
    """The name of the part that is the file."""
    limit: int
    """Bytes of a file at most."""
    files: int = 1
    """How many may come at once; more than one are read by `read_files`."""
    whole: int | None = None
    """Bytes of the whole body at most; room for one file unless set."""
    text_limit: int = 64 << 10
    description: str = ""


@dataclass(frozen=True)
class Upload:
    """A file on its way in. What its sender says of it is a hint at best."""

    name: str
    media_type: str
    chunks: AsyncIterator[bytes]


@dataclass(frozen=True)
class Form(Generic[Fields, Kept]):
    """A multipart body that has been read: its text fields, and what became of its file."""

    fields: Fields
    file: Kept


async def read_form(
    request: web.Request, shape: Multipart, keep: Callable[[Upload], Awaitable[Kept]], *, idle: float
) -> Form[Any, Kept]:
    """Reads the fields before and after the file, and hands the file to `keep`.

    Each text is checked as it arrives: one that stands before the file refuses the upload before any of it is kept.
    """
    if (request.content_length or 0) > shape.limit + FIELDS_ROOM:
        raise file_too_large(shape)
    body = chunks(request, limit=shape.limit + FIELDS_ROOM, idle=idle)
    kinds = {each.encode_name: each.type for each in msgspec.structs.fields(shape.fields)}
    values: dict[str, Any] = {}
    kept: list[Kept] = []
    async for part in parts(body, boundary_of(request)):
        if part.name == shape.file:
            if kept:
                raise Malformed("DUPLICATE_FIELD", f"There may be one {shape.file} only.", field=shape.file)
            kept.append(await keep(Upload(part.filename, part.media_type, limited(part, shape))))
        elif part.name in values:
            raise Malformed("DUPLICATE_FIELD", f"{part.name} is given twice.", field=part.name)
        else:
            values[part.name] = await text_of(part, kinds, shape)
    if not kept:
        raise Malformed(
            "FILE_MISSING", f"There is no part called {shape.file} that is the file.", field=shape.file
        )
    given = {name: value for name, value in values.items() if value}
    return Form(convert(given, shape.fields), kept[0])


def boundary_of(request: web.Request) -> bytes:
    """The boundary that the request's media type names."""
    header = Message()
    header["Content-Type"] = request.headers.get("Content-Type", "")
    if header.get_content_type() != "multipart/form-data":
        raise Unsupported("MULTIPART_EXPECTED", "Send the file as multipart/form-data.")
    boundary = header.get_boundary() or ""
    if not re.fullmatch(r"[\x20-\x7e]{0,69}[\x21-\x7e]", boundary):
        raise Malformed("MALFORMED_MULTIPART", "The Content-Type names no usable boundary.")
    return boundary.encode()


async def text_of(part: Part, kinds: Mapping[str, Any], shape: Multipart) -> str:
    if part.name not in kinds:
        known = ", ".join((shape.file, *kinds))
        raise Malformed(
            "UNKNOWN_FIELD",
            f"There is no field {printable(part.name)}; there are {known}.",
            field=printable(part.name),
        )
    raw = bytearray()
    async for piece in part.content:
        raw += piece
        if len(raw) > shape.text_limit:
            raise TooLarge(
                "FIELD_TOO_LARGE",
                f"{part.name} may have {shape.text_limit:,} bytes at most.",
                field=part.name,
            )
    try:
        text = raw.decode().strip()
    except UnicodeDecodeError:
        raise Malformed("INVALID_PARAMETER", f"{part.name} is not UTF-8.", field=part.name) from None
    if "\0" in text:
        raise Malformed("INVALID_PARAMETER", f"{part.name} holds the character U+0000.", field=part.name)
    if text:
        _check(part.name, text, kinds[part.name])
    return text


def _check(name: str, text: str, kind: Any) -> None:
    try:
        convert(text, kind)
    except Malformed as refusal:
        raise Malformed(refusal.code, f"{name}: {refusal.detail}", field=name) from None


async def limited(part: Part, shape: Multipart) -> AsyncIterator[bytes]:
    taken = 0
    async for piece in part.content:
        taken += len(piece)
        if taken > shape.limit:
            raise file_too_large(shape)
        yield piece


def file_too_large(shape: Multipart) -> TooLarge:
    return TooLarge("FILE_TOO_LARGE", f"A file may have {shape.limit:,} bytes at most.", field=shape.file)
