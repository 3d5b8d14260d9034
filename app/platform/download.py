"""Downloads by signed link, whole or in ranges, straight from the blob store."""

import re
from collections.abc import Callable
from datetime import datetime

import msgspec
from aiohttp import web

from app.http.endpoints import Call
from handlers.refusals import Forbidden, NotFound
from infra.blobs import Blob, BlobMissing, Blobs
from infra.blobs.disposition import content_disposition
from infra.blobs.signing import LinkExpired, LinkInvalid, verify


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed link carries."""

    name: str = ""
    type: str = ""
    expires: str = ""
    signature: str = ""


RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


async def download(
    call: Call[Link, None], blobs: Blobs, secret: bytes, clock: Callable[[], datetime]
) -> web.StreamResponse:
    """Send the blob that the link grants. Raises `Forbidden` for a link that is not ours, or no longer good."""
    try:
        claim = verify(
            secret, key=call.params["key"], query=msgspec.structs.asdict(call.query), now=clock().timestamp()
        )
    except (LinkInvalid, LinkExpired) as refused:
        raise Forbidden("LINK_REFUSED", str(refused)) from refused
    blob = await blobs.stat(claim.key)
    if blob is None:
        raise NotFound("BLOB_NOT_FOUND", "What this link led to has been erased.")
    span = _range(call.request.headers.get("Range"), blob)
    response = web.StreamResponse(status=206 if span else 200)
    start, end = span or (0, blob.size)
    response.headers.update(
        {
            "Content-Type": claim.media_type,
            "Content-Disposition": content_disposition(claim.name, claim.media_type),
            "Accept-Ranges": "bytes",
            "ETag": f'"{claim.key}"',
            "Cache-Control": "private, max-age=300",
        }
    )
    if span:
        response.headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
    response.content_length = end - start
    await response.prepare(call.request)
    if call.request.method != "HEAD":
        try:
            async for piece in blobs.read(claim.key, start, end):
                await response.write(piece)
        except BlobMissing as gone:
            raise NotFound("BLOB_NOT_FOUND", "What this link led to is being erased.") from gone
    await response.write_eof()
    return response


def _range(header: str | None, blob: Blob) -> tuple[int, int] | None:
    """The one range asked for, as start and end; several, or none that can be read, mean the whole (RFC 9110, 14.2)."""
    match = RANGE.fullmatch(header or "")
    if not match or not (match[1] or match[2]):
        return None
    if match[1] and match[2] and int(match[2]) < int(match[1]):
        return None
    if not match[1]:
        start, end = max(0, blob.size - int(match[2])), blob.size
    else:
        start, end = int(match[1]), min(int(match[2]) + 1 if match[2] else blob.size, blob.size)
    if start >= end:
        raise web.HTTPRequestRangeNotSatisfiable(headers={"Content-Range": f"bytes */{blob.size}"})
    return start, end
