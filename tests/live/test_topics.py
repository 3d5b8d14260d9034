"""Topics as data: which events belong to them, where their past is, and how they are described."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.contexts import EVENTS, TOPICS
from app.http.asyncapi import asyncapi
from app.live.description import channels
from app.live.topics import Address, addresses_of, find, narrowed
from events.catalogue import Catalogue, Upcast
from events.chat import ReplyDeleted
from events.envelope import Event, Recorded, subject_of, to_headers
from events.ids import new_id
from events.jobsite import AudioUploaded, Indexed, JobAdded, SessionMoved, StageFailed, Transcribed
from events.notifications import NotificationRaised
from events.operations import Cleared, Discarded, ErasureRecorded, Raised
from events.operations import Recorded as Buried
from handlers.refusals import Invalid
from tests.kernel.ledger import intent

SESSION, JOB, OTHER = (UUID(f"0199c0de-0000-7000-8000-00000000000{n}") for n in range(3))
BY_NAME = {each.name: each for each in TOPICS}


def uploaded(job_id: UUID | None) -> Event:
    return AudioUploaded(
        session_id=SESSION, upload_id=OTHER, blob="b", size=1, media_type="audio/wav", job_id=job_id
    )


def indexed(job_id: UUID | None) -> Event:
    return Indexed(
        session_id=SESSION, blob="b", size=1, transcript="t", index="i", dimensions=3, chunks=1, job_id=job_id
    )


def told_of(job_id: UUID | None) -> Event:
    return NotificationRaised(
        notification_id=OTHER, kind="error", source=SESSION, title="t", detail="d", job_id=job_id
    )


TRANSCRIBED = Transcribed(
    session_id=SESSION, blob="b", size=1, seconds=1.0, segments=1, words=1, language="en", model="m"
)
FAILED = StageFailed(session_id=SESSION, stage="index", code="C", detail="d")
RAISED = Raised(alert_id=OTHER, kind="k", subject="s", detail="d")
BURIED = Buried(dead_letter_id=OTHER, stream="S", position=1, subject="s", handler="h", error="e", attempts=1)
ERASED = ErasureRecorded(
    erasure_id=OTHER, what="a.b", id=OTHER, position="A@1", messages=1, erased={}, kept={}
)

BELONGS = [
    (uploaded(JOB), {f"sessions:{SESSION}", f"jobs:{JOB}"}),
    (uploaded(None), {f"sessions:{SESSION}"}),
    (indexed(JOB), {f"sessions:{SESSION}", f"jobs:{JOB}"}),
    (TRANSCRIBED, {f"sessions:{SESSION}"}),
    (
        SessionMoved(session_id=SESSION, job_id=JOB, was=OTHER),
        {f"sessions:{SESSION}", f"jobs:{JOB}", f"jobs:{OTHER}"},
    ),
    (JobAdded(job_id=JOB, title="Mill", builder_id=OTHER), {f"jobs:{JOB}", f"builders:{OTHER}"}),
    (FAILED, {f"sessions:{SESSION}"}),
    (RAISED, {"alerts"}),
    (Cleared(alert_id=OTHER), {"alerts"}),
    (BURIED, {"dead-letters"}),
    (ERASED, {"erasures"}),
    (Discarded(dead_letter_id=OTHER), {"dead-letters"}),
    (told_of(JOB), {"notifications"}),
    (ReplyDeleted(reply_id=OTHER, project_id=JOB), {f"projects:{JOB}"}),
]


def recorded(event: Event) -> Recorded[Any]:
    return Recorded(event, to_headers(event, new_id(), intent()), event.context.upper(), 1)


def matches(filter: str, subject: str) -> bool:
    """As NATS does: `*` is one token, `>` the rest."""
    wanted, given = filter.split("."), subject.split(".")
    if wanted[-1] == ">":
        wanted, given = wanted[:-1], given[: len(wanted) - 1] if len(given) >= len(wanted) else []
    return len(wanted) == len(given) and all(w in ("*", g) for w, g in zip(wanted, given, strict=True))


@pytest.mark.parametrize(("event", "addresses"), BELONGS, ids=lambda each: type(each).__name__)
def test_an_event_belongs_to_its_topics_and_their_past_holds_it(event: Event, addresses: set[str]):
    assert set(addresses_of(TOPICS, recorded(event))) == addresses
    for text in addresses:
        address = find(BY_NAME, text)
        assert address.topic.stream == event.context.upper()
        assert any(matches(filter, subject_of(event)) for filter in address.filters)


def test_no_topic_leaves_out_an_event_of_its_streams_that_the_others_have():
    """Every event of jobsite and operations can be followed somewhere."""
    followed = tuple(each for topic in TOPICS for each in topic.events)
    assert all(issubclass(each, followed) for each in EVENTS if each.context in {"jobsite", "operations"})


def test_names_and_streams_of_topics_make_sense():
    assert len(BY_NAME) == len(TOPICS)
    assert {each.stream for each in TOPICS} <= {each.context.upper() for each in EVENTS}
    assert "process" not in BY_NAME, "live.process.* are heartbeats"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("session", "UNKNOWN_TOPIC"),
        ("sessions", "INVALID_TOPIC"),
        ("sessions:", "INVALID_TOPIC"),
        ("sessions:1", "INVALID_TOPIC"),
        (f"sessions:{{{SESSION}}}", "INVALID_TOPIC"),
        (f"sessions:{SESSION}:", "INVALID_TOPIC"),
        ("alerts:", "INVALID_TOPIC"),
        ("x" * 10_000, "UNKNOWN_TOPIC"),
    ],
)
def test_what_is_no_topic_is_refused_by_name(text: str, code: str):
    with pytest.raises(Invalid) as refused:
        find(BY_NAME, text)
    assert refused.value.code == code
    assert len(refused.value.detail) < 300


def test_an_address_reads_as_it_is_written():
    for text in (f"sessions:{SESSION}", "alerts"):
        assert str(find(BY_NAME, text)) == text
    assert find(BY_NAME, f"jobs:{JOB}") == Address(BY_NAME["jobs"], str(JOB))


def test_a_topic_can_be_narrowed_to_some_ids():
    [whole] = [find(BY_NAME, "notifications")]
    [few] = narrowed([whole], {"jobIds": [str(JOB), str(OTHER)]})
    assert str(few) == "notifications"
    told = [recorded(told_of(each)) for each in (JOB, SESSION, None)]
    assert [whole.wants(each) for each in told] == [True, True, True]
    assert [few.wants(each) for each in told] == [True, False, False]


def test_a_filter_goes_to_the_topics_that_know_it():
    alerts, notifications = narrowed(
        [find(BY_NAME, "alerts"), find(BY_NAME, "notifications")], {"jobIds": [str(JOB).upper()]}
    )
    assert alerts.only == ()
    assert notifications.only == (("jobIds", frozenset([str(JOB)])),)


@pytest.mark.parametrize(
    ("topic", "filter", "code"),
    [
        ("alerts", {"jobIds": [str(JOB)]}, "UNKNOWN_FILTER"),
        ("notifications", {"kinds": ["error"]}, "UNKNOWN_FILTER"),
        ("notifications", {"jobIds": []}, "INVALID_FILTER"),
        ("notifications", {"jobIds": ["monday"]}, "INVALID_FILTER"),
        ("notifications", {"jobIds": [str(JOB)] * 101}, "INVALID_FILTER"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(topic: str, filter: dict[str, list[str]], code: str):
    with pytest.raises(Invalid) as refused:
        narrowed([find(BY_NAME, topic)], filter)
    assert refused.value.code == code


def test_every_message_is_described():
    document = asyncapi(channels(TOPICS, Catalogue(EVENTS)), title="t", version="1", description="d")
    assert {each["address"] for each in document["channels"].values()} == {
        "/v1/ws",
        *(f"{topic.name}:{{id}}" if topic.has_ids else topic.name for topic in TOPICS),
    }
    assert "gap" in document["channels"]["told"]["messages"]
    assert set(document["channels"]["jobs"]["messages"]) > {AudioUploaded.type(), Indexed.type()}
    messages = document["components"]["messages"]
    assert set(messages) >= {
        "subscribe",
        "unsubscribe",
        "ping",
        "subscribed",
        "gap",
        "signal",
        "pong",
        "error",
    }
    schema = document["components"]["schemas"]["Happened_Transcribed_"]
    assert schema["properties"]["data"] == {"$ref": "#/components/schemas/Transcribed"}
    assert schema["properties"]["type"] == {"enum": ["event"]}
    assert set(schema["required"]) == {"type", "topic", "cursor", "event", "id", "at", "data"}
    assert document["operations"]["receive_requests"]["action"] == "receive"
    assert msgspec.json.encode(document)


def test_events_are_described_in_their_newest_version():
    class ClearedV2(Cleared, frozen=True, kw_only=True):
        cleared_at: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    catalogue = Catalogue(
        [Raised, Cleared, ClearedV2],
        [Upcast(Cleared, ClearedV2, lambda old: ClearedV2(alert_id=old.alert_id))],
    )
    alerts = next(each for each in channels(TOPICS, catalogue) if each.name == "alerts")
    assert [each.name for each in alerts.messages] == [
        "operations.alert.cleared.v2",
        "operations.alert.raised",
    ]
