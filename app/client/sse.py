"""Server-Sent Events as they come."""

from collections.abc import AsyncGenerator
from typing import NamedTuple

import aiohttp


class Block(NamedTuple):
    """One event of a stream."""

    event: str
    data: str
    id: str | None


async def blocks(answer: aiohttp.ClientResponse) -> AsyncGenerator[Block]:
    """The events of an answer, to its end; comments and incomplete ones are left out."""
    event, id, data = "message", None, list[str]()
    async for line in _lines(answer):
        if not line:
            if data:
                yield Block(event, "\n".join(data), id)
            event, id, data = "message", None, []
            continue
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "event":
                event = value
            case "data":
                data.append(value)
            case "id":
                id = value


async def _lines(answer: aiohttp.ClientResponse) -> AsyncGenerator[str]:
    """Lines of any length: a message may be larger than what aiohttp takes for one."""
    rest = bytearray()
    async for piece in answer.content.iter_any():
        rest += piece
        *lines, last = rest.split(b"\n")
        rest = bytearray(last)
        for line in lines:
            yield line.decode(errors="replace").removesuffix("\r")
