"""A model server that is away must not keep Headwater from starting, once it has been asked."""

from pathlib import Path

import pytest

from app import models
from app.settings import Settings
from infra.embedding import EmbeddingUnavailable

NOBODY = "http://127.0.0.1:1"


def settings(home: Path, url: str) -> Settings:
    return Settings.read({"HEADWATER_HOME": str(home), "OLLAMA_URL": url, "OLLAMA_EMBED_MODEL": "nomic"})


async def test_a_model_that_was_never_asked_must_answer_at_start(tmp_path: Path) -> None:
    with pytest.raises(EmbeddingUnavailable):
        await models.embedder(settings(tmp_path, NOBODY))


async def test_a_model_that_was_asked_once_may_be_away_at_the_next_start(tmp_path: Path) -> None:
    (tmp_path / "embedders.json").write_text('{"nomic": 768}')
    embedder = await models.embedder(settings(tmp_path, NOBODY))
    assert (embedder.name, embedder.dimensions) == ("nomic_768", 768)
    with pytest.raises(EmbeddingUnavailable):
        await embedder.embed(["a text"])
    await embedder.close()
