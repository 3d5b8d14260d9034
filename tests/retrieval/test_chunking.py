"""Chunks: nothing is lost, offsets and times are true, sizes are bounded, however odd the transcript."""

from itertools import pairwise

import msgspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from infra.chunking import Chunk, ChunkSet, chunks_of, full_text, segment_spans
from infra.chunking.spans import LONGEST, OVERLAP, SHORTEST, spans
from infra.speech import Segment, Word

GOLDEN = (
    b"\x86\xa7version\x01\xa8embedder\xaclexical_hash\xaadimensions\x03\xa8chunking\xa1c"
    b"\xa6chunks\x91\x86\xa1n\x00\xa4text\xa6text 0\xa9startChar\x00\xa7endChar\x06"
    b"\xa5start\xcb\x00\x00\x00\x00\x00\x00\x00\x00\xa3end\xcb?\xf0\x00\x00\x00\x00\x00\x00"
    b"\xa7vectors\xc4\x06\x00\x00\x000\x004"
)
"""Stored chunk sets must stay readable: never edit this."""
at_leisure = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # the machine may be busy
SENTENCE = "The crew on the north side poured the footing before noon and covered it."
texts = st.text(st.sampled_from("ab. \n\té混🧱\u00a0"), max_size=60) | st.builds(
    lambda piece, times: piece * times,
    st.sampled_from(["word ", "x", " ", "a longer sentence. ", "\n\n", "𝔘"]),
    st.integers(0, 900),
)
documents = st.lists(texts, max_size=12).map("".join)
seconds = st.floats(0, 4000, width=32)
segments = st.lists(
    st.builds(
        Segment,
        text=texts.map(str.strip),
        start=seconds,
        end=seconds,
        words=st.lists(
            st.builds(
                Word, text=st.sampled_from(["word", "a", "longer", "zebra"]), start=seconds, end=seconds
            ),
            max_size=5,
        ).map(tuple),
    ),
    max_size=12,
)


@at_leisure
@given(documents, st.data())
def test_spans_cover_every_character_in_order_with_bounded_size_and_overlap(
    text: str, data: st.DataObject
) -> None:
    breaks = sorted(data.draw(st.sets(st.integers(0, max(0, len(text))), max_size=30)))
    cut = list(spans(text, breaks))
    covered: set[int] = set()
    for first, last in cut:
        assert 0 < last - first <= LONGEST
        assert text[first:last] == text[first:last].strip()
        covered.update(range(first, last))
    assert all(text[n].isspace() for n in set(range(len(text))) - covered)
    for (first, last), (next_first, next_last) in pairwise(cut):
        assert first < next_first
        assert last < next_last
        assert last - next_first <= OVERLAP


@at_leisure
@given(segments)
def test_chunks_quote_the_full_text_and_their_times_never_run_backwards(said: list[Segment]) -> None:
    text = full_text(said)
    chunks = chunks_of(said)
    assert [chunk.n for chunk in chunks] == list(range(len(chunks)))
    for chunk in chunks:
        assert text[chunk.start_char : chunk.end_char] == chunk.text
        assert chunk.start <= chunk.end
    for one, other in pairwise(chunks):
        assert one.start <= other.start
        assert one.end <= other.end


@at_leisure
@given(segments)
def test_segments_stand_where_their_spans_say(said: list[Segment]) -> None:
    text = full_text(said)
    assert [text[first:last] for first, last in segment_spans(said)] == [segment.text for segment in said]


def test_a_short_transcript_is_one_chunk_with_all_its_time() -> None:
    said = [Segment(text="Good morning.", start=0.5, end=1.5), Segment(text="We begin.", start=2.0, end=3.0)]
    assert chunks_of(said) == (
        Chunk(n=0, text="Good morning.\nWe begin.", start_char=0, end_char=23, start=0.5, end=3.0),
    )


def test_chunks_begin_with_a_segment_and_repeat_the_last_one_of_the_chunk_before() -> None:
    said = [
        Segment(text=SENTENCE, start=float(n), end=n + 0.9) for n in range(40)
    ]  # 73 characters: 12 of them and their separators are 887
    first, second, *_ = chunks_of(said)
    assert first.start == 0.0
    assert first.end == pytest.approx(11.9)
    assert second.text.startswith("The crew")
    assert second.start == 10.0


def test_a_segment_that_is_too_long_is_cut_between_words_at_the_time_of_the_word() -> None:
    words = tuple(Word(text=f"word{n}", start=float(n), end=n + 0.5) for n in range(400))
    said = [Segment(text=" ".join(word.text for word in words), start=0.0, end=400.0, words=words)]
    chunks = chunks_of(said)
    assert len(chunks) > 3
    for chunk in chunks:
        spoken = chunk.text.split()
        assert chunk.start == float(spoken[0].removeprefix("word"))
        assert chunk.end == float(spoken[-1].removeprefix("word")) + 0.5
        assert len(chunk.text) <= LONGEST
    assert all(len(chunk.text) > SHORTEST for chunk in chunks[:-1])


def test_without_words_the_time_within_a_segment_is_estimated() -> None:
    said = [Segment(text="word " * 399 + "word", start=100.0, end=300.0)]
    chunks = chunks_of(said)
    assert chunks[0].start == 100.0
    assert chunks[0].end == pytest.approx(100 + 200 * 899 / 1999, abs=1)
    assert chunks[-1].end == pytest.approx(300.0)


def test_silence_has_no_chunks() -> None:
    assert chunks_of([]) == ()
    assert chunks_of([Segment(text="", start=0.0, end=9.0)]) == ()


def chunk_set(count: int) -> tuple[ChunkSet, NDArray[np.float32]]:
    chunks = tuple(Chunk(n, f"text {n}", n, n + 6, float(n), n + 1.0) for n in range(count))
    vectors = np.arange(count * 3, dtype=np.float32).reshape(count, 3) / np.float32(8)
    return ChunkSet.of(chunks, vectors, embedder="lexical_hash", dimensions=3, chunking="c"), vectors


@pytest.mark.parametrize("count", [0, 1, 5])
def test_a_chunk_set_survives_the_blob_store(count: int) -> None:
    stored, vectors = chunk_set(count)
    found = ChunkSet.decode(stored.encode())
    assert found == stored
    assert found.encode() == stored.encode()
    assert [half.to_list() for half in found.half_vectors()] == vectors.astype(np.float16).tolist()


def test_chunk_sets_of_an_unknown_version_or_with_missing_vectors_are_refused() -> None:
    stored, _ = chunk_set(2)
    fields = msgspec.msgpack.decode(stored.encode())
    for change in ({"version": 2}, {"vectors": b"123"}, {"chunks": None}):
        with pytest.raises(msgspec.DecodeError):
            ChunkSet.decode(msgspec.msgpack.encode({**fields, **change}))
    with pytest.raises(msgspec.DecodeError):
        ChunkSet.decode(b"junk")


def test_the_stored_form_of_version_1_is_still_read() -> None:
    assert ChunkSet.decode(GOLDEN) == chunk_set(1)[0]
