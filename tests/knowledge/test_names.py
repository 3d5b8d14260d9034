"""Names of collections stand in addresses and headers as they are."""

import msgspec
import pytest

from app.knowledge.collections import CreateBody


@pytest.mark.parametrize("name", ["a", "a_b-9", "0", "x" * 63])
def test_a_plain_word_is_a_name(name: str) -> None:
    assert msgspec.convert({"name": name}, CreateBody).name == name


@pytest.mark.parametrize("name", ["", "A", "-x", "a b", "é", "a/b", "..", "a\n", "x" * 64, "0198c0de-1234-7"])
def test_anything_else_is_none(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": name}, CreateBody)
