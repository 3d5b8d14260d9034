"""Ollama's wire as it is, with its faults."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx
import numpy as np
import pytest
from aiohttp import web

from infra.embedding import EmbeddingUnavailable
from infra.embedding.remote import Ollama, UnsuitableModel, connect, space

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


def embeddings(rows: object, status: int = 200) -> web.Response:
    return web.json_response(
        {"model": "m", "embeddings": rows, "total_duration": 1, "load_duration": 1, "prompt_eval_count": 3},
        status=status,
    )


async def lengths(request: web.Request) -> web.Response:
    """A vector that tells how long its text was."""
    body = await request.json()
    assert body["truncate"] is True
    return embeddings([[3.0 * len(text), 4.0 * len(text)] for text in body["input"]])


@asynccontextmanager
async def ollama(answer: Answer, *, path: str = "/api/embed") -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_post(path, answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(answer: Answer) -> AsyncIterator[Ollama]:
    """An embedder that got a good first answer and `answer` from then on."""
    first = True

    async def then(request: web.Request) -> web.StreamResponse:
        nonlocal first
        if first:
            first = False
            return await lengths(request)
        return await answer(request)

    async with ollama(then) as url:
        embedder = await connect(url, "m", timeout=httpx.Timeout(0.3))
        try:
            yield embedder
        finally:
            await embedder.close()


async def test_vectors_come_at_unit_length_in_the_order_of_the_texts_over_several_requests() -> None:
    requests: list[int] = []

    async def answer(request: web.Request) -> web.Response:
        requests.append(len((await request.json())["input"]))
        return embeddings([[float(text), 1.0] for text in (await request.json())["input"]])

    async with connected(answer) as embedder:
        vectors = await embedder.embed([str(n) for n in range(70)])
    assert requests == [32, 32, 6]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(70), abs=1e-6)
    assert (vectors[:, 0] / vectors[:, 1]) == pytest.approx(np.arange(70), abs=1e-4)


async def test_dimensions_and_name_are_found_out_at_start() -> None:
    async with ollama(lengths) as url:
        embedder = await connect(url, "nomic-embed-text:latest")
        assert (embedder.dimensions, embedder.name) == (2, "nomic_embed_text_2")
        assert (await embedder.embed([])).shape == (0, 2)
        await embedder.close()


async def test_a_model_that_is_not_there_is_named_with_the_remedy() -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"error": 'model "m" not found, try pulling it first'}, status=404)

    async with ollama(answer) as url:
        with pytest.raises(EmbeddingUnavailable, match="ollama pull m"):
            await connect(url, "m")


async def test_a_model_whose_vectors_cannot_be_indexed_is_unsuitable() -> None:
    async def answer(_: web.Request) -> web.Response:
        return embeddings([[1.0] * 4096])

    async with ollama(answer) as url:
        with pytest.raises(UnsuitableModel, match="4096"):
            await connect(url, "m")


async def test_a_server_that_is_down_is_unavailable() -> None:
    with pytest.raises(EmbeddingUnavailable, match="did not answer"):
        await connect("http://127.0.0.1:1", "m")


async def fails(_: web.Request) -> web.Response:
    return web.json_response({"error": "out of memory"}, status=500)


async def drops(request: web.Request) -> web.Response:
    assert request.transport
    request.transport.abort()
    return web.Response()


async def breaks_off(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"content-length": "1000"})
    await response.prepare(request)
    await response.write(b'{"embeddings": [[')
    assert request.transport
    request.transport.close()
    return response


async def sleeps(_: web.Request) -> web.Response:
    await asyncio.sleep(5)
    return web.Response()


async def says_html(_: web.Request) -> web.Response:
    return web.Response(text="<html>hello</html>", content_type="text/html")


def says(body: object) -> Answer:
    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body)

    return answer


def gives(*rows: list[float]) -> Answer:
    return says({"model": "m", "embeddings": rows})


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(fails, id="500"),
        pytest.param(drops, id="dropped"),
        pytest.param(breaks_off, id="broken off"),
        pytest.param(sleeps, id="too slow"),
        pytest.param(says_html, id="html"),
        pytest.param(says([]), id="a list"),
        pytest.param(says({"ok": True}), id="another object"),
        pytest.param(gives(), id="no vector"),
        pytest.param(gives([0.6, 0.8], [0.6, 0.8]), id="too many vectors"),
        pytest.param(gives([]), id="an empty vector"),
        pytest.param(gives([0.0, 0.0]), id="no direction"),
        pytest.param(gives([float("nan"), 1.0]), id="not a number"),
        pytest.param(gives([0.6, 0.8, 0.0]), id="other dimensions"),
        pytest.param(says({"embeddings": [["a", "b"]]}), id="words for numbers"),
    ],
)
async def test_every_fault_is_worth_another_attempt(answer: Answer) -> None:
    async with connected(answer) as embedder:
        with pytest.raises(EmbeddingUnavailable):
            await embedder.embed(["a text"])


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("nomic-embed-text:v1.5", "nomic_embed_text_v1_5_768"),
        ("hf.co/Org/Model-GGUF:Q8_0", "hf_co_org_model_gguf_q8_0_768"),
        ("all-minilm:latest", "all_minilm_768"),
        ("x'; DROP TABLE y; --", "x_drop_table_y_768"),
    ],
)
def test_a_space_is_named_so_that_sql_can_take_it(model: str, name: str) -> None:
    assert space(model, 768) == name


def test_long_names_stay_short_and_distinct() -> None:
    names = {space(f"hf.co/an-organisation/a-very-long-name-of-a-model:{q}", 768) for q in ("q4", "q8")}
    assert len(names) == 2
    assert all(len(name) <= 36 for name in names)
