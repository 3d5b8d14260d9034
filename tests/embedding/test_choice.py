"""Which embedder answers."""

import pytest

from infra.embedding import EmbeddingUnavailable, minilm_files
from infra.embedding.choice import choose
from tests.embedding.test_remote import lengths, ollama


async def test_a_configured_model_comes_first() -> None:
    async with ollama(lengths) as url:
        embedder = await choose(ollama_url=url, ollama_model="m")
        assert embedder.name == "m_2"
        await embedder.close()


async def test_a_configured_model_that_is_away_is_not_replaced_by_another() -> None:
    with pytest.raises(EmbeddingUnavailable):
        await choose(ollama_url="http://127.0.0.1:1", ollama_model="m")


@pytest.mark.parametrize(("url", "model"), [(None, None), ("http://127.0.0.1:1", None)])
async def test_without_one_the_wheel_answers(url: str | None, model: str | None) -> None:
    embedder = await choose(ollama_url=url, ollama_model=model)
    assert embedder.name == "minilm_l6_v2"
    await embedder.close()


async def test_without_the_wheel_words_are_hashed_and_the_name_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(minilm_files, "PACKAGE", "a_package_nobody_has")
    embedder = await choose(ollama_url=None, ollama_model=None)
    assert embedder.name == "lexical_hash"
