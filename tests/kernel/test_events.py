"""Events as values: their names, where they are stored, their headers."""

import types
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.envelope import Claim, Intent, Key, subject_of, timestamp, to_headers
from events.ids import new_id
from tests.kernel.garden import (
    CATALOGUE,
    ID,
    INTENT,
    Deleted,
    Visit,
    VoiceHeard,
    VoiceHeardV2,
    VoiceHeardV12,
    quick,
    read,
    text,
)


def test_an_event_is_named_after_its_class():
    assert (VoiceHeard.name, VoiceHeard.version) == ("voice_heard", 1)
    assert (VoiceHeardV12.name, VoiceHeardV12.version) == ("voice_heard", 12)
    assert VoiceHeard.type() == "garden.visit.voice_heard"
    assert VoiceHeardV12.type() == "garden.visit.voice_heard.v12"


def test_the_name_of_an_event_does_not_repeat_that_of_its_aggregate():
    class VisitMoved(Visit, frozen=True, kw_only=True):
        pass

    class Visitors(Visit, frozen=True, kw_only=True):
        pass

    assert (VisitMoved.name, Visitors.name) == ("moved", "visitors")


def test_every_version_of_an_event_has_the_same_subject():
    key = Key("garden", "visit", ID)
    for event in (VoiceHeard(visit_id=ID, words=""), VoiceHeardV12(visit_id=ID, said=(), speaker="")):
        assert event.key == key
        assert subject_of(event) == f"garden.visit.{ID}.voice_heard"
    assert (key.filter, key.stream) == (f"garden.visit.{ID}.>", "GARDEN")


@pytest.mark.parametrize(
    "field", ["name", "version", "type", "key", "context", "aggregate", "claims", "releases", "blobs"]
)
def test_no_field_may_hide_what_every_event_has(field):
    with pytest.raises(TypeError, match=f"Titled has a field {field}"):
        types.new_class("Titled", (Visit,), {}, lambda body: body.update(__annotations__={field: str}))


def test_a_field_called_subject_says_nothing_about_where_the_event_is_stored():
    class Mailed(Visit, frozen=True, kw_only=True):
        subject: str

    assert subject_of(Mailed(visit_id=ID, subject="a b.>")) == f"garden.visit.{ID}.mailed"


def test_the_headers_are_those_of_cloudevents():
    cause = new_id()
    intent = Intent(
        command_id=INTENT.command_id,
        actor="user:7",
        at=INTENT.at,
        correlation_id=INTENT.correlation_id,
        causation_id=cause,
        trace="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        fingerprint="f00",
    )
    event, event_id = VoiceHeardV2(visit_id=ID, said=()), new_id()
    headers = to_headers(event, event_id, intent)
    assert headers == {
        "Nats-Msg-Id": str(event_id),
        "ce-specversion": "1.0",
        "ce-id": str(event_id),
        "ce-type": "garden.visit.voice_heard.v2",
        "ce-source": "headwater/garden",
        "ce-time": "2026-02-03T04:05:06.789000Z",
        "ce-actor": "user:7",
        "ce-commandid": str(intent.command_id),
        "ce-correlationid": str(intent.correlation_id),
        "ce-causationid": str(cause),
        "ce-fingerprint": "f00",
        "traceparent": intent.trace,
    }
    recorded = read(headers, CATALOGUE.encode(event))
    assert (recorded.id, recorded.at, recorded.actor) == (event_id, intent.at, "user:7")
    assert (recorded.command_id, recorded.correlation_id) == (intent.command_id, intent.correlation_id)
    assert (recorded.causation_id, recorded.trace, recorded.fingerprint) == (cause, intent.trace, "f00")
    assert recorded.cursor == "GARDEN@1"


@quick
@given(actor=text)
def test_whoever_acts_is_known_by_the_same_name_later_and_cannot_forge_a_header(actor):
    headers = to_headers(
        Deleted(visit_id=ID),
        new_id(),
        Intent(command_id=ID, actor=actor, at=INTENT.at, correlation_id=ID),
    )
    value = headers["ce-actor"]
    assert value.isascii()
    assert not value or value.isprintable()
    assert not {" ", '"'} & set(value)
    assert read(headers, CATALOGUE.encode(Deleted(visit_id=ID))).actor == actor


@quick
@given(
    at=st.datetimes(
        timezones=st.sampled_from([UTC, timezone(timedelta(hours=-9.5)), timezone(timedelta(hours=14))]),
        min_value=datetime(1000, 1, 1),
        max_value=datetime(9000, 1, 1),
    )
)
def test_a_time_is_written_in_utc_with_a_z_and_read_again(at):
    written = timestamp(at)
    assert written.endswith("Z")
    assert datetime.fromisoformat(written) == at


@pytest.mark.parametrize(
    "value", ["", "x", "Räume & Höfe", "a.b", "a.*.>", " ", "a b", "\r\n", "ü" * 500, "=x", "💥" * 500, "A"]
)
def test_any_value_makes_one_plain_token(value):
    subject = Claim("name", value).subject("garden")
    assert subject.count(".") == 3
    assert subject.isascii()
    assert not set(" \t\r\n*>") & set(subject)
    assert len(subject) < 4000


@quick
@given(st.lists(text, unique=True))
def test_different_values_never_share_a_subject(values):
    assert len({Claim("name", each).subject("garden") for each in values}) == len(values)
