"""Embeddings of a model that an Ollama server runs."""

import hashlib
import re
from collections.abc import Sequence

import httpx
import numpy as np
from numpy.typing import NDArray
from ollama import AsyncClient, ResponseError

from infra.embedding import EmbeddingUnavailable

BATCH = 32
TIMEOUT = httpx.Timeout(120.0, connect=5.0)  # the first call after a while loads the model
LONGEST_NAME = 32
MOST_DIMENSIONS = 4000
"""What pgvector can index as half-precision vectors."""


class UnsuitableModel(ValueError):
    """The model answers, but its vectors cannot be indexed. The text says why."""


class Ollama:
    """One model on one server. Made by `connect`, which finds out how long its vectors are."""

    def __init__(self, client: AsyncClient, model: str, dimensions: int) -> None:
        self._client = client
        self._model = model
        self.dimensions = dimensions
        self.name = space(model, dimensions)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for n in range(0, len(texts), BATCH):
            batch = texts[n : n + BATCH]
            answer = await ask(self._client, self._model, batch)
            if answer.shape[1] != self.dimensions:
                raise EmbeddingUnavailable(
                    f"{self._model} gave {self.dimensions} dimensions a vector at start and now gives "
                    f"{answer.shape[1]}: restart if the model was replaced."
                )
            vectors[n : n + len(batch)] = answer
        return vectors

    async def close(self) -> None:
        await self._client.close()  # type: ignore[no-untyped-call]


async def connect(url: str, model: str, *, timeout: httpx.Timeout = TIMEOUT) -> Ollama:
    """An embedder by that model. Raises EmbeddingUnavailable, or UnsuitableModel for more than 4,000 dimensions."""
    client = AsyncClient(host=url, timeout=timeout)
    try:
        dimensions = (await ask(client, model, ["How long is a vector?"])).shape[1]
        if dimensions > MOST_DIMENSIONS:
            raise UnsuitableModel(
                f"{model} gives vectors of {dimensions} dimensions and the index holds {MOST_DIMENSIONS} "
                "at most: set OLLAMA_EMBED_MODEL to another model."
            )
    except BaseException:
        await client.close()  # type: ignore[no-untyped-call]
        raise
    return Ollama(client, model, dimensions)


def assumed(url: str, model: str, dimensions: int, *, timeout: httpx.Timeout = TIMEOUT) -> Ollama:
    """The embedder of a model that cannot be asked now, but whose vectors were so long when it could."""
    return Ollama(AsyncClient(host=url, timeout=timeout), model, dimensions)


async def ask(client: AsyncClient, model: str, texts: Sequence[str]) -> NDArray[np.float32]:
    """One request; the vectors it brought at unit length. Raises EmbeddingUnavailable."""
    try:
        answer = await client.embed(model=model, input=texts, truncate=True)
    except ResponseError as refused:
        remedy = f": ollama pull {model}" if refused.status_code == 404 else ""
        raise EmbeddingUnavailable(
            f"Ollama answered {refused.status_code}{remedy}: {refused.error[:200]}"
        ) from None
    except (httpx.HTTPError, OSError) as failure:
        raise EmbeddingUnavailable(f"Ollama did not answer: {type(failure).__name__}") from failure
    except (ValueError, TypeError) as junk:
        raise EmbeddingUnavailable("what answered at OLLAMA_URL is not Ollama's /api/embed") from junk
    return unit_length(answer.embeddings, len(texts))


def unit_length(rows: Sequence[Sequence[float]], expected: int) -> NDArray[np.float32]:
    """The rows as vectors of unit length. Raises EmbeddingUnavailable unless there are as many and all usable."""
    widths = {len(row) for row in rows}
    if len(rows) != expected or len(widths) != 1 or widths == {0}:
        raise EmbeddingUnavailable(
            f"Ollama gave {len(rows)} vectors of {sorted(widths)} numbers for {expected} texts"
        )
    vectors = np.array(rows, np.float64)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    if not np.all(np.isfinite(lengths) & (lengths > 0)):
        raise EmbeddingUnavailable("Ollama gave a vector without a direction")
    unit: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
    return unit


def space(model: str, dimensions: int) -> str:
    """A name for the model's vector space: `nomic-embed-text:v1.5` → `nomic_embed_text_v1_5_768`."""
    model = model.lower().removesuffix(":latest")
    slug = re.sub(r"[^a-z0-9]+", "_", model).strip("_")
    if len(slug) > LONGEST_NAME:
        slug = f"{slug[: LONGEST_NAME - 9]}_{hashlib.sha256(model.encode()).hexdigest()[:8]}"
    return f"{slug}_{dimensions}"
