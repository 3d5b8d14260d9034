"""Signatures of webhooks, and the secrets that make them.

A secret is derived from the server's and the webhook's id and generation: it is never stored, and who reads the log
does not learn it.
"""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from uuid import UUID

HEADER = "Headwater-Signature"
TOLERANCE = 300
"""Seconds by which a receiver should let a timestamp differ from its clock."""


def secret_of(server: bytes, webhook: UUID, generation: int) -> str:
    """The secret that a webhook's owner is shown once."""
    mixed = hmac.digest(server, f"webhook\0{webhook}\0{generation}".encode(), "sha256")
    return "whsec_" + urlsafe_b64encode(mixed).decode().rstrip("=")


def signature(secret: str, body: bytes, at: int) -> str:
    """`t=<unix seconds>,v1=<hex HMAC-SHA256 of "<t>.<body>">`, keyed with the secret as it was shown."""
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return f"t={at},v1={mac.hexdigest()}"


def verified(secret: str, body: bytes, header: str, *, now: float, tolerance: float = TOLERANCE) -> bool:
    """Whether a receiver may believe a call: signed with its secret, and not long ago."""
    stated = dict(each.partition("=")[::2] for each in header.split(","))
    at = stated.get("t", "")
    if not at.isdecimal() or abs(now - int(at)) > tolerance:
        return False
    return hmac.compare_digest(signature(secret, body, int(at)).encode(), header.encode())
