"""Signed, expiring download paths: made when a link is given out, checked by the route that serves it."""

import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from urllib.parse import urlencode

import msgspec

from infra.blobs import KEY

PATH = "/v1/blobs/"
_SECONDS = re.compile(r"[1-9][0-9]{0,11}")


class LinkInvalid(PermissionError):
    """The link was not made by us, or was changed."""


class LinkExpired(PermissionError):
    """The link was ours, and its time has passed."""


class Claim(msgspec.Struct, frozen=True):
    """What a link allows: to download this blob, as a file of this name and type, until then."""

    key: str
    name: str
    media_type: str
    expires: int
    """Seconds since the epoch; the link is good before that moment."""


def sign(secret: bytes, claim: Claim) -> str:
    """The path and query of a link that grants the claim."""
    query = {
        "name": claim.name,
        "type": claim.media_type,
        "expires": str(claim.expires),
        "signature": _signature(secret, claim),
    }
    return f"{PATH}{claim.key}?{urlencode(query)}"


def verify(secret: bytes, *, key: str, query: Mapping[str, str], now: float) -> Claim:
    """What a requested link grants at that moment. Raises LinkInvalid, LinkExpired."""
    expires = query.get("expires", "")
    if not (KEY.fullmatch(key) and _SECONDS.fullmatch(expires)):
        raise LinkInvalid("This is not a download link. Ask for a new one.")
    claim = Claim(key, query.get("name", ""), query.get("type", ""), int(expires))
    given = query.get("signature", "").encode()
    if not hmac.compare_digest(given, _signature(secret, claim).encode()):
        raise LinkInvalid("The link's signature does not match. Ask for a new link.")
    if now >= claim.expires:
        raise LinkExpired("The link has expired. Ask for a new one.")
    return claim


def _signature(secret: bytes, claim: Claim) -> str:
    # JSON of a list keeps the members apart: no two claims have the same text.
    text = msgspec.json.encode(["blob", claim.key, claim.name, claim.media_type, claim.expires])
    return urlsafe_b64encode(hmac.digest(secret, text, "sha256")).decode().rstrip("=")
