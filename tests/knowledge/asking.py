"""Using collections and documents as any client would."""

import asyncio
import itertools
from collections.abc import Collection, Mapping
from typing import Any

import aiohttp

OVER = {"completed", "failed", "cancelled"}
_numbers = itertools.count(1)


def fresh(prefix: str = "papers") -> str:
    """A name that no collection has."""
    return f"{prefix}-{next(_numbers)}"


async def ask(
    http: aiohttp.ClientSession, method: str, path: str, *, status: int = 200, **options: Any
) -> dict[str, Any]:
    """The body of an answer that must have this status."""
    async with http.request(method, path, **options) as answer:
        assert answer.status == status, await answer.text()
        body: dict[str, Any] = await answer.json()
        return body


async def collection(http: aiohttp.ClientSession, **body: Any) -> str:
    """The name of a new collection, once it can be read."""
    name = body.pop("name", None) or fresh()
    made = await ask(http, "POST", "/v1/collections", status=201, json={"name": name, **body})
    await ask(http, "GET", f"/v1/collections/{name}", headers={"Headwater-After": made["position"]})
    return name


def form(*files: tuple[str, bytes], **fields: str) -> aiohttp.FormData:
    """Documents with their fields before them."""
    made = aiohttp.FormData(fields, quote_fields=False)
    for name, content in files:
        made.add_field("file", content, filename=name, content_type="application/octet-stream")
    return made


async def upload(
    http: aiohttp.ClientSession,
    *files: tuple[str, bytes],
    status: int = 202,
    headers: Mapping[str, str] | None = None,
    **fields: str,
) -> dict[str, Any]:
    return await ask(
        http, "POST", "/v1/documents", status=status, data=form(*files, **fields), headers=headers
    )


async def over(
    http: aiohttp.ClientSession, ingestion: str, position: str, *, until: Collection[str] = OVER
) -> dict[str, Any]:
    """Wait until an ingestion has ended; as last told."""
    async with asyncio.timeout(60):
        while True:
            told = await ask(
                http, "GET", f"/v1/ingestions/{ingestion}", headers={"Headwater-After": position}
            )
            if told["status"] in until:
                return told
            await asyncio.sleep(0.05)


async def ingested(
    http: aiohttp.ClientSession, name: str, *files: tuple[str, bytes], **fields: str
) -> list[dict[str, Any]]:
    """The documents that files have become, each ingested to its end, which must be good."""
    taken = await upload(http, *files, collection=name, **fields)
    for each in taken["documents"]:
        told = await over(http, each["ingestionId"], taken["position"])
        assert told["status"] == "completed", told
    return [await ask(http, "GET", f"/v1/documents/{each['documentId']}") for each in taken["documents"]]
