"""Where code is in a text."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.codeblocks import CodeBlock, Unfolding, code_blocks

TEXT = (
    "intro\n```python\nprint(1)\n```\n\n~~~js title=x\na\n```\nb\n~~~\n\n````md\n```py\nnested\n```\n````\n\n"
    "- item\n  ```sh\n  ls -l\n  ```\n> ```sql\n> select 1\n> ```\n\n    indented code\n    more\n\n"
    "inline ``` not fence ``` x\n```rust\nfn main() {\n  unterminated"
)
FOUND = [
    ("python", "print(1)", "```python\nprint(1)\n```", 2, 4),
    ("js", "a\n```\nb", "~~~js title=x\na\n```\nb\n~~~", 6, 10),
    ("md", "```py\nnested\n```", "````md\n```py\nnested\n```\n````", 12, 16),
    ("sh", "ls -l", "```sh\n  ls -l\n  ```", 19, 21),
    ("sql", "select 1", "```sql\n> select 1\n> ```", 22, 24),
    ("text", "indented code\nmore", "    indented code\n    more", 26, 27),
    ("rust", "fn main() {\n  unterminated", "```rust\nfn main() {\n  unterminated", 30, 32),
]


def told(text: str) -> list[tuple[str, str, str, int, int]]:
    return [
        (each.language, each.code, text[each.start_index : each.end_index], each.start_line, each.end_line)
        for each in code_blocks(text)
    ]


def streamed(pieces: list[str]) -> list[CodeBlock]:
    unfolding = Unfolding()
    return [*(block for piece in pieces for block in unfolding.feed(piece)), *unfolding.close()]


def test_fences_of_every_kind_are_found_with_exact_places() -> None:
    assert told(TEXT) == FOUND
    assert [each.closed for each in code_blocks(TEXT)] == [True] * 6 + [False]


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_other_line_ends_change_offsets_and_nothing_else(end: str) -> None:
    other = TEXT.replace("\n", end)
    assert [(a, b, d, e) for a, b, _, d, e in told(other)] == [(a, b, d, e) for a, b, _, d, e in FOUND]
    assert [c.replace(end, "\n") for _, _, c, _, _ in told(other)] == [c for _, _, c, _, _ in FOUND]


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("```\n```", True),
        ("```py\nx\n``", False),
        ("```", False),
        ("```py", False),
        ("```py\n\n", False),
        ("```py\n    ```", False),
        ("> ```py\n> x\n\nafter", False),
        ("```py\nx\n```\n\n\n", True),
        ("```py\nx\n```   ", True),
        ("~~~\n```\n~~~", True),
    ],
)
def test_a_fence_is_closed_by_its_own_mark_only(text: str, closed: bool) -> None:
    assert [each.closed for each in code_blocks(text)] == [closed]


def test_text_without_code_has_none() -> None:
    for text in ("", "\n", "word", "`inline`", "a\0b", "``` a ``` b"):
        assert code_blocks(text) == ()


@pytest.mark.parametrize("size", [1, 2, 7, 10_000])
def test_a_closed_block_is_told_once_while_the_text_comes(size: int) -> None:
    text = TEXT.replace("\n```rust", "\n\n```rust")
    came = streamed([text[n : n + size] for n in range(0, len(text), size)])
    assert came == [each for each in code_blocks(text) if each.closed and each.language != "text"]


MARKS = st.sampled_from(
    ["```", "~~~", "````", "```py", "\n", "\n", "\r\n", "> ", "- ", "  ", "    ", "x", " ", "\t", "1. ", "é"]
)


@settings(max_examples=80, deadline=None)
@given(st.lists(MARKS, max_size=40))
def test_whatever_comes_what_is_told_early_is_so_in_the_end(pieces: list[str]) -> None:
    text = "".join(pieces)
    final = code_blocks(text)
    for block in final:
        assert 0 <= block.start_index <= block.end_index <= len(text)
        assert 1 <= block.start_line <= block.end_line
    early = streamed(pieces)
    assert len({each.start_index for each in early}) == len(early)
    assert all(each in final for each in early)


def test_hostile_texts_take_no_more_time_than_others() -> None:
    hostile = [
        "- a\n" + "  ```\n  x\n  ```\n" * 1000,
        "```\n" * 3000,
        "> " * 1000 + "```\n",
        "- ```\n```\n" * 1000,
        "word " * 30_000,
    ]
    for text in hostile:
        began = time.process_time()
        streamed([text[n : n + 4] for n in range(0, len(text), 4)])
        code_blocks(text)
        assert time.process_time() - began < 20


@pytest.mark.parametrize("line", ["> # a\nx\n", "> ```\nx\n", "> > ```\n> x\n", "> - ```\nx\n"])
def test_quotes_without_end_hold_nobody_up(line: str) -> None:
    """The parser would look through all that follows for each of them: minutes for one message."""
    text = line * 10_000 + "\n```py\n1\n```\n"
    assert (code_blocks(text)[-1].language, code_blocks(text)[-1].code) == ("py", "1")


def test_code_in_a_long_quote_is_found() -> None:
    text = "> word\n" * 5_000 + "> ```py\n> 1\n> ```\n"
    assert [(each.language, each.code) for each in code_blocks(text)] == [("py", "1")]
