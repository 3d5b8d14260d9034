"""Names of collections stand in addresses and headers as they are."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.knowledge.collections import CreateBody
from app.knowledge.finding import Finding
from events.envelope import Claim


@pytest.mark.parametrize("name", ["a", "a_b-9", "0", "x" * 63])
def test_a_plain_word_is_a_name(name: str) -> None:
    assert msgspec.convert({"name": name}, CreateBody).name == name


@pytest.mark.parametrize("name", ["", "A", "-x", "a b", "é", "a/b", "..", "a\n", "x" * 64, "0198c0de-1234-7"])
def test_anything_else_is_none(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"name": name}, CreateBody)


HELD, ID = UUID(int=1), "0198c0de-1234-7abc-8def-0123456789ab"


class Claims:
    """Whatever a name is, somebody has it."""

    async def holder(self, context: str, claim: Claim) -> UUID:
        return HELD


@pytest.mark.parametrize(
    ("name", "found"),
    [("papers", HELD), ("0123456789abcdef" * 2, HELD), (ID, UUID(ID)), (ID.upper(), UUID(ID))],
)
async def test_what_may_be_a_name_is_looked_up_and_what_may_not_is_an_id(name: str, found: UUID) -> None:
    nobody: Any = None
    claims: Any = Claims()
    assert await Finding(commands=claims, db=nobody, exists=nobody).held(name) == found
