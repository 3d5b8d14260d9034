"""What has another form than is expected is refused in words, not in patterns."""

from typing import Annotated

import msgspec
import pytest

from app.http.bodies import invalid
from app.http.forms import CALLED, plainly


@pytest.mark.parametrize("pattern", CALLED)
def test_a_form_is_called_by_its_name(pattern: str) -> None:
    with pytest.raises(msgspec.ValidationError) as wrong:
        msgspec.convert("\n", Annotated[str, msgspec.Meta(pattern=pattern)])
    assert invalid("INVALID", wrong.value).detail == f"Expected {CALLED[pattern]}."


@pytest.mark.parametrize("reason", ["Expected `int`", "Expected `str` matching regex 'x'", "Expected '\\"])
def test_any_other_reason_stays(reason: str) -> None:
    assert plainly(reason) == reason
