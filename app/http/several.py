"""Multipart uploads of several files: each is whole or not there at all, and none waits for those behind it."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from app.http.bodies import chunks
from app.http.multipart import FIELDS_ROOM, Multipart, Upload, boundary_of, limited, text_of
from app.http.parts import parts
from app.http.problems import Malformed
from app.http.queries import convert
from handlers.refusals import TooLarge

Kept = TypeVar("Kept")


async def read_files(
    request: web.Request,
    shape: Multipart,
    take: Callable[[Upload], Awaitable[Kept]],
    settle: Callable[[Any, Kept], Awaitable[None]],
    *,
    idle: float,
) -> None:
    """Reads a body front to back: `take` consumes a file as it arrives, `settle` decides on it with the fields.

    A file is settled when the next one begins, or the body ends: so one file may come before its fields, and several
    come after them. One file at a time is held. What was settled stays so, whatever comes after it.
    """
    limit = shape.whole or shape.limit + FIELDS_ROOM
    kinds = {each.encode_name: each.type for each in msgspec.structs.fields(shape.fields)}
    values: dict[str, str] = {}
    held: list[Kept] = []
    fields: Any = None
    count = 0
    async for part in parts(chunks(request, limit=limit, idle=idle), boundary_of(request)):
        if part.name == shape.file:
            count += 1
            if held:
                fields = fields or _fields(values, shape)
                await settle(fields, held.pop())
            if count > shape.files:
                raise TooLarge("TOO_MANY_FILES", f"At most {shape.files} files are taken at once.")
            held.append(await take(Upload(part.filename, part.media_type, limited(part, shape))))
        elif fields is not None:
            raise Malformed(
                "FIELD_TOO_LATE", f"{part.name} comes after the second file; send fields before files."
            )
        elif part.name in values:
            raise Malformed("DUPLICATE_FIELD", f"{part.name} is given twice.", field=part.name)
        else:
            values[part.name] = await text_of(part, kinds, shape)
    if not held:
        raise Malformed(
            "FILE_MISSING", f"There is no part called {shape.file} that is the file.", field=shape.file
        )
    await settle(fields or _fields(values, shape), held.pop())


def _fields(values: dict[str, str], shape: Multipart) -> Any:
    return convert({name: value for name, value in values.items() if value}, shape.fields)
