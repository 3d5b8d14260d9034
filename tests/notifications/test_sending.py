"""What the handlers of deliveries do, without any server."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from events.envelope import Event
from events.jobsite import AudioUploaded, SessionRenamed
from handlers.handler import Attempt, NotYet
from handlers.jobsite.notified import notified
from handlers.jobsite.session.commands import RecordNotified
from handlers.notifications.about import title_in
from handlers.notifications.deliveries.commands import Begin, Keep
from handlers.notifications.deliveries.deliver import Posts, deliverers
from handlers.notifications.deliveries.schedule import Schedule
from infra.mail import NOBODY
from infra.webhooks.calling import Caller
from tests.notifications.facts import LATER, MAIL, MONDAY, NOTE, RAISED, REQUESTED, SESSION, rescheduled
from tests.notifications.test_rows import recorded


class NoServer:
    sender = NOBODY

    async def send(self, recipient: str, mail: bytes) -> str:
        raise AssertionError(recipient)


def announced(event: Event, *, mail: bool, at: Any = MONDAY) -> Any:
    posts = Posts(NoServer() if mail else None, Caller(allow_private=False), b"", Schedule())
    nothing: Any = None
    made = deliverers(log=nothing, blobs=nothing, posts=posts, webhooks=nothing, clock=lambda: at)
    [handler] = [each for each in made if isinstance(event, each.on)]
    assert handler.announce
    return handler.announce(recorded(event, 1))


def test_a_delivery_begins_at_its_turn() -> None:
    assert announced(REQUESTED, mail=True) == Begin(delivery_id=MAIL, turn=1)
    assert announced(rescheduled(2), mail=True, at=LATER) == Begin(delivery_id=MAIL, turn=2)


def test_one_that_is_not_due_yet_waits_for_exactly_as_long() -> None:
    with pytest.raises(NotYet) as early:
        announced(rescheduled(2), mail=True, at=LATER - timedelta(seconds=90))
    assert early.value.delay == 90


def test_without_a_mail_server_mail_is_kept() -> None:
    assert announced(REQUESTED, mail=False) == Keep(delivery_id=MAIL, turn=1)


def test_a_session_is_called_by_its_title_else_by_its_file() -> None:
    uploaded = AudioUploaded(
        session_id=SESSION, upload_id=MAIL, blob="b", size=1, media_type="audio/wav", file_name="note.m4a"
    )
    assert title_in([]) == "A recording"
    assert title_in([uploaded]) == "note.m4a"
    assert title_in([uploaded, SessionRenamed(session_id=SESSION, title="Roof")]) == "Roof"


async def test_the_stage_that_tells_ends_when_the_report_is_told_and_by_nothing_else() -> None:
    effect = notified().effect
    first = Attempt(1, 6)
    complete = structs.replace(RAISED, edition=2)
    told = recorded(complete, 1)
    assert await effect(told, first) == RecordNotified(
        session_id=SESSION, edition=2, notification_id=NOTE, started_at=told.at
    )
    for other in (RAISED, structs.replace(complete, kind="discrepancies")):
        assert await effect(recorded(other, 1), first) is None
