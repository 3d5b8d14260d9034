"""A reply put together from what is told of it, whenever somebody begins to listen."""

import random
from collections.abc import Sequence
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handlers.chat.project.title import first_words
from infra import replies
from infra.generation import Turn
from infra.generation.context import fitting
from infra.generation.tokens import estimate
from infra.replies import Draft, Missing, Pen, Told


def told(n: int, text: str = "", index: int = 0, *, attempt: int = 1, run: str = "a") -> Told:
    return Told(run=run, attempt=attempt, n=n, text=text, index=index)


HELLO = [told(0), told(1, "Hel"), told(2, "lo ", 3), told(3, "you", 6)]
AGAIN = [
    told(0, attempt=2, run="b"),
    told(1, "Good ", attempt=2, run="b"),
    told(2, "day", 5, attempt=2, run="b"),
]


def test_pieces_are_put_together_once_each() -> None:
    draft = Draft()
    assert [draft.take(each) for each in HELLO] == [(each,) for each in HELLO]
    assert [draft.take(each) for each in HELLO] == [()] * 4
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

    async def say(each: Told) -> int:
        said.append(each)
        return 0

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


class Lossy:
    """A `LIVE` that somebody listens to: away for a while, it forgets, and comes back as another connection."""

    def __init__(self) -> None:
        self.connection: int | None = 0
        self.kept: list[Told] = []
        self.draft = Draft()
        self.new: list[Told] = []

    async def say(self, told: Told) -> int | None:
        if self.connection is None:
            return None
        self.kept.append(told)
        with suppress(Missing):
            self.new.extend(self.draft.take(told))
        return self.connection

    def fail(self) -> None:
        self.connection, self.kept = None, []

    def come_back(self, number: int) -> None:
        self.connection = number

    @property
    def late(self) -> Draft:
        """What somebody knows who comes now."""
        draft = Draft()
        draft.take_all(self.kept)
        return draft


@given(st.lists(st.sampled_from(["fail", "back", "wipe", "a\n", "```py\nx\n```\n"]), max_size=30))
async def test_what_may_be_lost_is_told_again_and_nobody_hears_it_twice(happens: list[str]) -> None:
    live, number = Lossy(), 0
    pen = Pen(live.say, run="a", attempt=1)
    await pen.begin()
    for each in [*happens, "back", "end\n", "```sh\ny\n```\n"]:
        if each == "fail":
            live.fail()
        elif each == "back" and live.connection is None:
            number += 1
            live.come_back(number)
        elif each == "wipe" and live.connection is not None:  # it dies and is back before anything is said
            live.kept, number = [], number + 1
            live.come_back(number)
        elif each not in {"back", "wipe"}:
            await pen.write(each)
            await pen.end()
    assert live.draft.text == live.late.text == pen.text
    assert "".join(each.text for each in live.new) == pen.text
    blocks = [each.block for each in live.new if each.block]
    assert len(blocks) == len(live.late.blocks) == pen.text.count("```") // 2
    assert len([each for each in live.new if not (each.text or each.block)]) <= 1, "it begins once"


async def test_a_long_reply_is_told_again_in_parts_and_before_live_forgets_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(replies, "AGAIN", 0.0)
    live = Lossy()
    pen = Pen(live.say, run="a", attempt=1)
    await pen.begin()
    text = "".join(f"{n} " for n in range(60_000))
    await pen.write(text)
    live.kept = live.kept[-5:]
    await pen.end()
    assert max(len(each.text) for each in live.kept[1:]) <= replies.LARGEST
    assert live.late.text == text


async def test_what_is_broken_off_is_handed_over_whole() -> None:
    live = Lossy()
    pen = Pen(live.say, run="a", attempt=1)
    await pen.begin()
    await pen.write("Hello ")
    live.fail()
    await pen.write("you")
    live.come_back(1)
    await pen.break_off()
    assert (live.late.text, live.late.last, live.draft.text, live.draft.last) == (pen.text, True) * 2
