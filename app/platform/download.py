"""Downloads by signed link, whole or in ranges, straight from the blob store."""

from collections.abc import Callable
from datetime import datetime

import msgspec
from aiohttp import web

from app.http.endpoints import Call
from app.platform.ranges import has_already, span_of
from handlers.refusals import Forbidden, NotFound
from infra.blobs import BlobMissing, Blobs
from infra.blobs.disposition import content_disposition
from infra.blobs.signing import LinkExpired, LinkInvalid, verify


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed link carries."""

    name: str = ""
    type: str = ""
    expires: str = ""
    signature: str = ""


CACHED = "private, max-age=300"


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
    tag, asked = f'"{claim.key}"', call.request.headers
    if has_already(asked, tag):
        return web.Response(status=304, headers={"ETag": tag, "Cache-Control": CACHED})
    span = span_of(asked, tag, blob.size)
    response = web.StreamResponse(status=206 if span else 200)
    start, end = span or (0, blob.size)
    response.headers.update(
        {
            "Content-Type": claim.media_type,
            "Content-Disposition": content_disposition(claim.name, claim.media_type),
            "Accept-Ranges": "bytes",
            "ETag": tag,
            "Cache-Control": CACHED,
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
