"""Events as values: names, versions, bytes and headers."""

import json
import types
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalogue import Catalogue, Undecodable, Upcast
from events.envelope import Claim, Event, Intent, Key, Recorded, subject_of, timestamp, to_headers
from events.ids import new_id

GOLDEN = Path(__file__).parent / "golden"
ID = UUID("01991234-5678-7abc-8def-0123456789ab")


class Visit(Event, frozen=True, kw_only=True):
    context = "garden"
    aggregate = "visit"
    visit_id: UUID


class VoiceHeard(Visit, frozen=True, kw_only=True):
    words: str
    at_second: float = 0.0


class VoiceHeardV2(Visit, frozen=True, kw_only=True):
    said: tuple[str, ...]
    at_second: float | None = None
    speaker: str | None = None


class VoiceHeardV12(Visit, frozen=True, kw_only=True):
    said: tuple[str, ...]
    speaker: str
    loudness: dict[str, int] = msgspec.field(default_factory=dict)


class Deleted(Visit, frozen=True, kw_only=True):
    pass


def second(old: VoiceHeard) -> VoiceHeardV2:
    return VoiceHeardV2(visit_id=old.visit_id, said=tuple(old.words.split()), at_second=old.at_second)


def twelfth(old: VoiceHeardV2) -> VoiceHeardV12:
    return VoiceHeardV12(visit_id=old.visit_id, said=old.said, speaker=old.speaker or "somebody")


TYPES = (VoiceHeard, VoiceHeardV2, VoiceHeardV12, Deleted)
UPCASTS = (Upcast(VoiceHeard, VoiceHeardV2, second), Upcast(VoiceHeardV2, VoiceHeardV12, twelfth))
CATALOGUE = Catalogue(TYPES, UPCASTS)
quick = settings(max_examples=40, deadline=None)

INTENT = Intent(
    command_id=new_id(),
    actor="user:7",
    at=datetime(2026, 2, 3, 4, 5, 6, 789000, tzinfo=UTC),
    correlation_id=new_id(),
)


def read(headers: dict[str, str], payload: bytes) -> Recorded[Event]:
    return CATALOGUE.read(headers=headers, payload=payload, stream="GARDEN", position=1)


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


def test_the_payload_is_the_camel_case_event_alone():
    event = VoiceHeardV2(visit_id=ID, said=("grüß", "🜁"), at_second=1.5)
    assert json.loads(CATALOGUE.encode(event)) == {
        "visitId": str(ID),
        "said": ["grüß", "🜁"],
        "atSecond": 1.5,
        "speaker": None,
    }


text = st.text(st.characters(exclude_categories=["Cs"]))
finite = st.floats(allow_nan=False, allow_infinity=False)


@quick
@given(
    said=st.lists(text).map(tuple),
    speaker=text,
    loudness=st.dictionaries(text, st.integers(-(2**63), 2**63 - 1)),
)
def test_what_is_written_is_what_is_read(said, speaker, loudness):
    event = VoiceHeardV12(visit_id=ID, said=said, speaker=speaker, loudness=loudness)
    assert CATALOGUE.decode(event.type(), CATALOGUE.encode(event)) == event


@quick
@given(words=text, at_second=finite)
def test_an_old_event_is_lifted_to_its_newest_version(words, at_second):
    event = VoiceHeard(visit_id=ID, words=words, at_second=at_second)
    lifted = VoiceHeardV12(visit_id=ID, said=tuple(words.split()), speaker="somebody")
    assert CATALOGUE.decode(event.type(), CATALOGUE.encode(event)) == lifted


@pytest.mark.parametrize("stored", sorted(GOLDEN.glob("*.json")), ids=lambda path: path.stem)
def test_bytes_stored_long_ago_are_still_understood(stored):
    golden = json.loads(stored.read_bytes())
    event = read(golden["headers"], json.dumps(golden["payload"]).encode()).event
    assert (type(event).__name__, json.loads(CATALOGUE.encode(event))) == (golden["type"], golden["reads"])


def test_unknown_members_are_ignored_and_missing_ones_have_defaults():
    payload = json.dumps({"visitId": str(ID), "words": "hi", "colour": {"deep": [1]}}).encode()
    assert CATALOGUE.decode("garden.visit.voice_heard", payload).said == ("hi",)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b'{"words":"no id"}',
        b'{"visitId":"x","words":""}',
        b'{"visitId":"%s","words":7}' % str(ID).encode(),
        b'{"visitId":"%s","words":"\xff"}' % str(ID).encode(),
        b'{"visitId":"%s","words":"","deep":%s}' % (str(ID).encode(), b"[" * 100_000),
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_a_broken_payload_is_undecodable(payload):
    with pytest.raises(Undecodable):
        CATALOGUE.decode("garden.visit.voice_heard", payload)


def test_an_unknown_type_is_undecodable():
    with pytest.raises(Undecodable, match=r"no event is called 'garden\.visit\.wept'"):
        CATALOGUE.decode("garden.visit.wept", b"{}")


@pytest.mark.parametrize("fault", [KeyError("gone"), ZeroDivisionError(), TypeError("no")])
def test_an_upcast_that_fails_makes_its_event_undecodable(fault):
    def lift(_: VoiceHeard) -> VoiceHeardV2:
        raise fault

    catalogue = Catalogue(TYPES, [Upcast(VoiceHeard, VoiceHeardV2, lift)])
    with pytest.raises(Undecodable):
        catalogue.decode("garden.visit.voice_heard", CATALOGUE.encode(VoiceHeard(visit_id=ID, words="")))


@pytest.mark.parametrize(
    "missing", ["ce-id", "ce-type", "ce-time", "ce-actor", "ce-commandid", "ce-correlationid"]
)
def test_a_message_without_its_envelope_is_undecodable(missing):
    event = Deleted(visit_id=ID)
    headers = to_headers(event, new_id(), INTENT)
    read(headers, CATALOGUE.encode(event))
    del headers[missing]
    with pytest.raises(Undecodable, match=f"GARDEN@1 lacks the headers {missing}"):
        read(headers, CATALOGUE.encode(event))
    with pytest.raises(Undecodable):
        CATALOGUE.read(headers=None, payload=b"{}", stream="GARDEN", position=1)


@pytest.mark.parametrize("at_second", [float("nan"), float("inf"), "soon"])
def test_what_could_not_be_read_again_is_never_written(at_second):
    with pytest.raises(ValueError):  # noqa: PT011 - msgspec's own words
        CATALOGUE.encode(VoiceHeard(visit_id=ID, words="", at_second=at_second))


def test_a_stranger_is_not_written():
    class Stranger(Visit, frozen=True, kw_only=True):
        pass

    with pytest.raises(ValueError, match="Stranger is not in the catalogue"):
        CATALOGUE.encode(Stranger(visit_id=ID))


def test_two_events_of_one_name_are_refused():
    class VoiceHeard(Visit, frozen=True, kw_only=True):
        pass

    with pytest.raises(ValueError, match=r"two events are called garden\.visit\.voice_heard"):
        Catalogue([*TYPES, VoiceHeard])
    assert Catalogue([*TYPES, *TYPES]).types == CATALOGUE.types


@pytest.mark.parametrize(
    ("types", "upcasts"),
    [
        (TYPES, [*UPCASTS, Upcast(VoiceHeard, VoiceHeardV12, second)]),
        (TYPES, [Upcast(VoiceHeardV2, VoiceHeard, second)]),
        (TYPES, [Upcast(VoiceHeard, VoiceHeard, second)]),
        (TYPES, [Upcast(VoiceHeard, Deleted, second)]),
        (TYPES[1:], [UPCASTS[0]]),
        (TYPES[:1], [UPCASTS[0]]),
    ],
    ids=["two from one", "backwards", "to itself", "to another event", "old unknown", "new unknown"],
)
def test_upcasts_that_lead_astray_are_refused(types, upcasts):
    with pytest.raises(ValueError):  # noqa: PT011
        Catalogue(types, upcasts)


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
