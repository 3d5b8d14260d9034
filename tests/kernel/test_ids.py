"""Ids carry their time, or follow from what they are derived from."""

from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from events.ids import derived_id, new_id

ID = UUID("01991234-5678-7abc-8def-0123456789ab")


@given(milliseconds=st.integers(0, 2**48 - 2))
def test_a_new_id_is_a_uuid_7_that_carries_its_time(milliseconds):
    made = new_id(milliseconds)
    assert (made.version, made.variant) == (7, RFC_4122)
    assert made.int >> 80 == milliseconds
    lowest, highest = new_id(milliseconds, b"\x00" * 10), new_id(milliseconds, b"\xff" * 10)
    assert lowest <= made <= highest < new_id(milliseconds + 1, b"\x00" * 10)
    assert (lowest.int ^ highest.int).bit_count() == 74


def test_a_derived_id_is_the_same_each_time_and_another_for_other_names():
    assert derived_id(ID, "a", "b") == derived_id(ID, "a", "b")
    assert (
        len({derived_id(ID), derived_id(ID, "a", "b"), derived_id(ID, "ab"), derived_id(ID, "b", "a")}) == 4
    )
