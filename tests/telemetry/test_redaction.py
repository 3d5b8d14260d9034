"""No secret leaves in a log line, wherever it stands, and what is no secret stays legible."""

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.http.keys import new_key
from events.ids import new_id
from infra.telemetry.redaction import mask, plain
from tests.telemetry.conftest import Journal

SECRET = st.text(string.ascii_letters + string.digits, min_size=20, max_size=43).map(
    lambda text: f"5ecre7{text}"
)
NAMES = st.sampled_from(
    [
        *(
            "password",
            "PASSWORD",
            "smtpPass",
            "SMTP_PASS",
            "passphrase",
            "secret",
            "s3_secret_key",
            "clientSecret",
        ),
        *(
            "authorization",
            "Proxy-Authorization",
            "api_key",
            "apiKey",
            "X-Api-Key",
            "access_token",
            "refreshToken",
        ),
        *("token", "tokens", "cookie", "credentials", "private_key", "X-Amz-Signature"),
    ]
)
AROUND = st.text(st.characters(exclude_characters="'\"@"), max_size=30)


def in_named_pair(name: str, secret: str, around: str) -> object:
    return {"settings": [{name: secret, "other": around}]}


def in_text_as_pair(name: str, secret: str, around: str) -> object:
    return f"{around} {name if name != 'tokens' else 'token'}={secret} {around}"


def in_quoted_pair(name: str, secret: str, around: str) -> object:
    return [f"{around} {{'{name if name != 'tokens' else 'token'}': '{secret} {secret}'}}"]


def in_api_key(name: str, secret: str, around: str) -> object:
    return {"note": f"{around}hw_12345678_{secret}\n{around}"}


def in_url(name: str, secret: str, around: str) -> object:
    return ConnectionError(f"{around}nats://headwater:{secret}@127.0.0.1:4222 refused{around}")


def in_bearer(name: str, secret: str, around: str) -> object:
    return (f"{around} Bearer {secret}",)


def in_bytes(name: str, secret: str, around: str) -> object:
    return secret.encode()


PLACES = st.sampled_from(
    [in_named_pair, in_text_as_pair, in_quoted_pair, in_api_key, in_url, in_bearer, in_bytes]
)


@settings(deadline=None)  # the machine may be busy
@given(place=PLACES, name=NAMES, secret=SECRET, around=AROUND)
def test_a_secret_is_masked_wherever_it_stands(place: Any, name: str, secret: str, around: str) -> None:
    journal = Journal()
    value = place(name, secret, around)
    journal.log.info("something happened", facts_given=value, nested={"deep": [value]})
    journal.inner.warning("said by a library: %s", value if isinstance(value, str) else "nothing")
    try:
        raise RuntimeError(str(value) if isinstance(value, BaseException | str) else "nothing")
    except RuntimeError as failure:
        journal.log.error("something failed", failure=failure, cause=failure)
    assert secret not in journal.text


def test_a_real_key_is_shown_by_its_prefix_only(journal: Journal) -> None:
    key = new_key(new_id())
    journal.log.info("key used", note=f"it was {key.secret}.", prefix=key.prefix)
    assert journal.last["note"] == f"it was {key.prefix}_***."
    assert journal.last["prefix"] == key.prefix


def test_a_text_that_hides_in_its_repr_is_not_shown() -> None:
    class Hidden(str):
        def __repr__(self) -> str:
            return "'***'"

    assert plain([Hidden("swordfish")]) == ["'***'"]


@pytest.mark.parametrize(
    "harmless",
    [
        "https://github.com/nats-io/nats-server",
        "password authentication failed for user headwater",
        "0199a0b1-0000-7000-8000-000000000000",
        "jobsite.session.0199.transcribed",
        "prompt tokens=412, took 3.2 s",
        "Unexpected tokenizer: minilm",
        "user@example.com asked http://127.0.0.1:8080/docs",
        "TimeoutError: no answer within 5 s: giving up",
    ],
)
def test_what_is_no_secret_stays(harmless: str) -> None:
    assert mask(harmless) == harmless


def test_names_that_only_sound_secret_stay() -> None:
    facts = {"tokens": 412, "max_tokens": 4096, "api_key_id": "0199", "token": None, "idempotencyKey": "abc"}
    assert plain(facts) == facts


def test_large_and_deep_values_are_cut() -> None:
    assert plain("x" * 100_000) == "x" * 2000 + "… (100000 characters)"
    assert plain(list(range(1000)))[-1] == "<1000 members>"  # type: ignore[index]
    assert len(plain({str(n): n for n in range(1000)})) == 51  # type: ignore[arg-type]
    assert plain([[[[[[1]]]]]]) == [[[["<1 members>"]]]]
    assert plain(b"payload") == "<7 bytes>"


@pytest.mark.parametrize(
    "junk", ["://" * 9000 + "@", "password" * 3000, "eyJ" * 9000, "hw_" * 9000, "bearer " * 4000]
)
def test_hostile_text_costs_little(junk: str) -> None:
    import time

    began = time.process_time()
    plain(junk)
    assert time.process_time() - began < 1
