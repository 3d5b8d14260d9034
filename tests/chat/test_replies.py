"""A reply put together from what is told of it, whenever somebody begins to listen."""

import random
from collections.abc import Sequence

import pytest

from handlers.chat.project.title import first_words
from infra.generation import Turn
from infra.generation.context import fitting
from infra.generation.tokens import estimate
from infra.replies import Draft, Missing, Pen, Told


def told(n: int, text: str = "", *, attempt: int = 1, run: str = "a") -> Told:
    return Told(run=run, attempt=attempt, n=n, text=text)


HELLO = [told(0), told(1, "Hel"), told(2, "lo "), told(3, "you")]
AGAIN = [
    told(0, attempt=2, run="b"),
    told(1, "Good ", attempt=2, run="b"),
    told(2, "day", attempt=2, run="b"),
]


def test_pieces_are_put_together_once_each() -> None:
    draft = Draft()
    assert [draft.take(each) for each in HELLO] == [True] * 4
    assert [draft.take(each) for each in HELLO] == [False] * 4
    assert draft.text == "Hello you"


@pytest.mark.parametrize("start", range(1, 4))
def test_whoever_comes_late_notices_that_something_is_missing(start: int) -> None:
    draft = Draft()
    with pytest.raises(Missing):
        draft.take(HELLO[start])
    draft.take_all([*HELLO[: start + 1], *HELLO[start - 1 :]])
    assert draft.text == "Hello you"


def test_a_piece_that_was_lost_on_the_way_is_noticed() -> None:
    draft = Draft()
    draft.take_all(HELLO[:2])
    with pytest.raises(Missing):
        draft.take(HELLO[3])
    assert draft.text == "Hel"


def test_what_a_lost_run_still_says_is_not_mixed_into_the_next() -> None:
    chance = random.Random(3)
    for _ in range(200):
        mixed: list[Told] = []
        old, new = list(HELLO), list(AGAIN)
        while old or new:
            source: list[Told] = chance.choice([each for each in (old, new) if each])
            mixed.append(source.pop(0))
        draft = Draft()
        draft.take_all(mixed)
        assert draft.text == "Good day"
        assert draft.begun == AGAIN[0]


async def test_a_pen_tells_everything_in_order_and_few_times() -> None:
    said: list[Told] = []

    async def say(each: Told) -> None:
        said.append(each)

    pen = Pen(say, run="a", attempt=1)
    await pen.begin()
    for _ in range(500):
        await pen.write("word ")
    await pen.write("```py\nx\n```\n\0")
    await pen.end()
    draft = Draft()
    assert all(draft.take(each) for each in said)
    assert draft.text == pen.text == "word " * 500 + "```py\nx\n```\n\ufffd"
    assert len(said) < 100


def turns(count: int, size: int) -> Sequence[Turn]:
    return [Turn("user" if n % 2 == 0 else "assistant", f"{n} ".ljust(size, "x")) for n in range(count)]


def test_the_oldest_turns_are_dropped_and_never_the_system_nor_the_newest() -> None:
    system = [Turn("system", "Be kind.")]
    many = turns(21, 300)
    assert fitting(system, many, None) == (*system, *many)
    assert fitting(system, many, 100_000) == (*system, *many)
    shown = fitting(system, many, 1000)
    assert shown[0] == system[0]
    assert shown[1:] == tuple(many[-len(shown) + 1 :])
    assert 1 < len(shown) < 10
    assert fitting(system, many, 10) == (*system, many[-1])


def test_an_estimate_counts_bytes() -> None:
    assert estimate("") == 0
    assert estimate("abc") >= 1
    assert estimate("é" * 300) > estimate("e" * 300)
    assert 115 <= estimate("x" * 300) <= 117


def test_first_words_make_a_title() -> None:
    assert first_words("How  do I\nsort a list?") == "How do I sort a list?"
    assert (
        first_words("one two three four five six seven eight nine")
        == "one two three four five six seven eight …"
    )
    assert len(first_words("x" * 500)) == 80
