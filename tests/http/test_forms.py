"""What has another form than is expected is refused in words, not in patterns."""

from typing import Annotated, Literal

import msgspec
import pytest

from app.http.bodies import invalid
from app.http.forms import CALLED, plainly


@pytest.mark.parametrize("pattern", CALLED)
def test_a_form_is_called_by_its_name(pattern: str) -> None:
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.convert("\n", Annotated[str, msgspec.Meta(pattern=pattern)])
    assert invalid("INVALID", wrong.value, str).detail == f"Expected {CALLED[pattern]}."


@pytest.mark.parametrize("reason", ["Expected `int`", "Expected `str` matching regex 'x'", "Expected '\\"])
def test_any_other_reason_stays(reason: str) -> None:
    assert plainly(reason) == reason


class Lamp(msgspec.Struct, tag="lamp", rename="camel"):
    light_of: Literal["red", "green"] | None = None


class Door(msgspec.Struct, rename="camel"):
    opens_to: str


class House(msgspec.Struct):
    doors: list[Door]


@pytest.mark.parametrize(
    ("given", "member"), [("{}", "doors"), ('{"doors":[{"opensTo":"in"},{}]}', "doors[1].opensTo")]
)
def test_what_is_missing_is_named(given: str, member: str) -> None:
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.json.decode(given, type=House)
    refusal = invalid("INVALID", wrong.value, House)
    assert (refusal.detail, refusal.field) == (f"`{member}` is missing.", member)


class Bell(msgspec.Struct, tag="bell"):
    rings: dict[str, Literal[1, 2]]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ('{"type":"lamp","lightOf":"blue"}', "Expected one of green, red at lightOf."),
        ('{"type":"bell","rings":{"a":3}}', "Expected one of 1, 2 at rings[...]."),
        ('{"type":"horn"}', "Expected one of lamp, bell at type."),
        ('[{"type":"lamp"},{"type":"lamp","lightOf":""}]', "Expected one of green, red at [1].lightOf."),
        ('{"type":"lamp","lightOf":4}', "Expected `str | null`, got `int` at lightOf."),
    ],
)
def test_where_a_few_words_are_known_they_are_named(given: str, said: str) -> None:
    shape = list[Lamp | Bell] if given.startswith("[") else Lamp | Bell
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.json.decode(given, type=shape)
    assert invalid("INVALID", wrong.value, shape).detail == said
