"""What a request says of how texts are cut, and what it leaves to its collection."""

import pytest

from app.knowledge.cutting import Cut, chunking_of
from events.knowledge import Chunking
from handlers.refusals import Invalid

OWN = Chunking(strategy="sentences", size=1600, overlap=610)


@pytest.mark.parametrize(
    ("cut", "size", "overlap"),
    [
        (Cut(), 1600, 610),
        (Cut(overlap=0), 1600, 0),
        (Cut(size=600), 600, 100),
        (Cut(size=600, overlap=200), 600, 200),
        (Cut(strategy="recursive"), 1600, 610),
    ],
)
def test_what_is_left_out_is_the_collections(cut: Cut, size: int, overlap: int) -> None:
    made = chunking_of(cut, OWN)
    assert (made.size, made.overlap) == (size, overlap)


@pytest.mark.parametrize("cut", [Cut(size=0), Cut(size=-5), Cut(overlap=1600), Cut(strategy="lines")])
def test_what_cannot_be_cut_is_refused(cut: Cut) -> None:
    with pytest.raises(Invalid, match="INVALID_CHUNKING"):
        chunking_of(cut, OWN)
