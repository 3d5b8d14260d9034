"""How events are written, read again, and lifted from older versions; what is refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from events.catalogue import Catalogue, Undecodable, Upcast
from events.envelope import to_headers
from events.headers import Headers
from events.ids import new_id
from tests.kernel.garden import (
    CATALOGUE,
    ID,
    INTENT,
    TYPES,
    UPCASTS,
    Deleted,
    Visit,
    VoiceHeard,
    VoiceHeardV2,
    VoiceHeardV12,
    quick,
    read,
    second,
    text,
)

GOLDEN = Path(__file__).parent / "golden"


def test_the_payload_is_the_camel_case_event_alone():
    event = VoiceHeardV2(visit_id=ID, said=("grüß", "🜁"), at_second=1.5)
    assert json.loads(CATALOGUE.encode(event)) == {
        "visitId": str(ID),
        "said": ["grüß", "🜁"],
        "atSecond": 1.5,
        "speaker": None,
    }


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
    stored = "".join(f"\r\n{name}: {value}" for name, value in headers.items())
    for found in (headers, Headers(f"NATS/1.0{stored}\r\n\r\n".encode())):
        with pytest.raises(Undecodable, match=f"GARDEN@1 lacks the headers {missing}"):
            read(found, CATALOGUE.encode(event))
    with pytest.raises(Undecodable):
        CATALOGUE.read(headers=None, payload=b"{}", stream="GARDEN", position=1)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce-id", "not-a-uuid"),
        ("ce-time", "yesterday"),
        ("ce-time", "2026-02-30T04:05:06.000000Z"),
        ("ce-time", "2026-02-03T04:05:06"),
        ("ce-time", "0001-01-01T00:00:00+14:00"),
        ("ce-commandid", "7"),
        ("ce-correlationid", "-" * 36),
        ("ce-causationid", "somebody"),
    ],
)
def test_an_envelope_that_nobody_could_use_is_undecodable(name, value):
    event = Deleted(visit_id=ID)
    intent = structs.replace(INTENT, causation_id=new_id())
    headers = to_headers(event, new_id(), intent) | {"ce-previous": "3,2"}
    for spoilt in (headers | {name: value}, dict(sorted((headers | {name: value}).items()))):
        stored = "".join(f"\r\n{each}: {text}" for each, text in spoilt.items())
        for found in (spoilt, Headers(f"NATS/1.0{stored}\r\n\r\n".encode())):
            with pytest.raises(Undecodable, match=f"GARDEN@1 has a header {name} that is none"):
                read(found, CATALOGUE.encode(event))


def test_an_envelope_of_another_tool_is_read_whatever_its_order():
    event = Deleted(visit_id=ID)
    headers = to_headers(event, new_id(), INTENT) | {"ce-time": "2026-02-03T04:05:06+01:00"}
    stored = "".join(f"\r\n{each}: {headers[each].upper()}" for each in sorted(headers) if each != "ce-type")
    block = f"NATS/1.0\r\nce-type: {event.type()}{stored}\r\n\r\n"
    assert read(Headers(block.encode()), CATALOGUE.encode(event)).event == event


def test_an_event_that_is_stored_under_the_name_of_another_is_undecodable():
    event = Deleted(visit_id=ID)
    headers, payload = to_headers(event, new_id(), INTENT), CATALOGUE.encode(event)

    def stored(subject: str) -> None:
        CATALOGUE.read(headers=headers, payload=payload, stream="GARDEN", position=1, subject=subject)

    stored(f"garden.visit.{ID}.deleted")
    for subject in (f"garden.visit.{new_id()}.deleted", f"garden.visit.{ID}.named", "garden.deleted"):
        with pytest.raises(Undecodable, match=f"GARDEN@1 is stored as {subject}"):
            stored(subject)


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
