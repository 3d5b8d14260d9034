"""Word hashing: the same everywhere, and close where words are shared."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.embedding.lexical import DIMENSIONS, Lexical, vector


@settings(deadline=None)  # the machine may be busy
@given(st.text())
def test_every_text_has_a_vector_of_unit_length(text: str) -> None:
    assert np.linalg.norm(vector(text)) == pytest.approx(1.0, abs=1e-5)


def test_texts_that_share_words_are_closer_than_texts_that_share_none() -> None:
    leak, found, panel = map(
        vector, ("The boiler leaks.", "A leaking boiler was found.", "New panels were ordered.")
    )
    assert leak @ found > leak @ panel + 0.1


def test_case_and_punctuation_do_not_matter() -> None:
    assert np.allclose(vector("Panel 4B, basement!"), vector("panel 4b basement"))


def test_the_hash_never_changes_as_stored_vectors_depend_on_it() -> None:
    places = np.nonzero(vector("a"))[0]
    assert places.tolist() == [31, 195]


async def test_texts_become_rows() -> None:
    vectors = await Lexical().embed(["one", "two two", ""])
    assert vectors.shape == (3, DIMENSIONS)
    assert vectors.dtype == np.float32
    assert (await Lexical().embed([])).shape == (0, DIMENSIONS)
