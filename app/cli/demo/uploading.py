"""The bundled recording and its plan, uploaded once: a second `make run` finds what the first has sent."""

import hashlib
from collections.abc import Awaitable, Callable
from itertools import count
from typing import NamedTuple, TypeVar
from uuid import UUID

from app.client import Headwater, Refused
from infra.samples import PLAN, SITE_NOTE

T = TypeVar("T")

TITLE = "Site note, boiler room"


class Sent(NamedTuple):
    """What is shown."""

    session_id: UUID
    attachment_id: UUID


async def send(headwater: Headwater) -> Sent:
    """The plan goes with the recording: what job that is of is only known once it has been understood."""
    recording = await _once(
        lambda key: headwater.upload(SITE_NOTE, title=TITLE, key=key), SITE_NOTE.read_bytes()
    )
    session = recording.session_id
    print(f"\nuploaded {SITE_NOTE.name}: session {session}, {recording.position}")
    plan = await _once(
        lambda key: headwater.attach(PLAN, session_id=session, key=key), PLAN.read_bytes(), session.bytes
    )
    print(f"attached {PLAN.name}: {plan.attachment_id}, {plan.position}", flush=True)
    return Sent(session, plan.attachment_id)


async def _once(upload: Callable[[str], Awaitable[T]], *content: bytes) -> T:
    """Always under the same key; under another one when somebody has deleted what was uploaded with it."""
    digest = hashlib.sha256(b"".join(content)).hexdigest()[:16]
    for n in count():
        try:
            return await upload(f"demo-{digest}-{n}")
        except Refused as refused:
            if refused.code != "DELETED_SINCE":
                raise
    raise AssertionError
