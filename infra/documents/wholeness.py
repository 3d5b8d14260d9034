"""Whether a file ends where its kind ends; parsers that mend silently would pass half a plan for a whole one."""

import email
import email.policy
from email.errors import CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect

from infra.documents.kinds import JPEG, MAIL, PDF, PNG, WEBP, Kind

TAIL = 4096
"""Bytes in which a file's end is looked for: some programs write something after it."""


def is_cut(kind: Kind, content: bytes) -> bool:
    """Whether the end of the file is missing, as far as its kind tells."""
    tail = content[-TAIL:]
    if kind == PDF:
        return b"%%EOF" not in tail
    if kind == PNG:
        return b"IEND" not in tail
    if kind == JPEG:
        return b"\xff\xd9" not in tail
    if kind == WEBP:
        return len(content) < 8 + int.from_bytes(content[4:8], "little")
    return kind == MAIL and _mail_is_cut(content)


def _mail_is_cut(content: bytes) -> bool:
    message = email.message_from_bytes(content, policy=email.policy.compat32)
    cuts = (CloseBoundaryNotFoundDefect, StartBoundaryNotFoundDefect)
    return any(isinstance(defect, cuts) for part in message.walk() for defect in part.defects)
