"""The stateless work over HTTP, and workers that have it done by servers: alike, and with the next server's help."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
import pytest

from app.compute.routes import AT_ONCE
from app.compute.server import _ring, served
from app.http.routing import Desk
from app.http.server import Listening, application, listen
from infra.chunking import BadChunking, chunks_of_text
from infra.compute import Compute, ComputeUnavailable
from infra.compute.local import LocalCompute
from infra.compute.remote import RemoteCompute
from infra.documents import Limits, UnusableDocument
from infra.embedded.ports import free_ports
from infra.embedding import EmbeddingUnavailable
from infra.embedding.lexical import Lexical
from tests.deployment import bare_environment, headwater
from tests.documents import files

KEY = "key-of-the-tests"
LOCAL = LocalCompute(Lexical(), limits=Limits(seconds=20, pages=50))


@asynccontextmanager
async def serving(compute: Compute) -> AsyncIterator[Listening]:
    app = application(endpoints=served(compute), desk=Desk(identify=_ring(KEY).identify))
    listening = await listen(app, host="127.0.0.1", port=0)
    try:
        yield listening
    finally:
        await listening.stop()


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[str]:
    async with serving(LOCAL) as listening:
        yield listening.url


@pytest.fixture
async def http(server: str) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server, headers={"X-Api-Key": KEY}) as client:
        yield client


@pytest.fixture
async def remote(server: str) -> AsyncIterator[RemoteCompute]:
    dead = f"http://127.0.0.1:{free_ports(1)[0]}"
    made = RemoteCompute([dead, server], key=KEY, name=LOCAL.name, dimensions=LOCAL.dimensions)
    yield made
    await made.close()


def form(content: bytes, name: str) -> aiohttp.FormData:
    made = aiohttp.FormData()
    made.add_field("file", content, filename=name)
    return made


async def post(http: aiohttp.ClientSession, path: str, **options: Any) -> tuple[int, Any]:
    async with http.post(path, **options) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize("prefix", ["/v1/compute", ""])
async def test_a_document_is_read_under_both_its_paths(http: aiohttp.ClientSession, prefix: str) -> None:
    status, parsed = await post(http, f"{prefix}/parse", data=form(files.pdf(), "plan.pdf"))
    assert status == 200, parsed
    second = parsed["pages"][1]
    assert parsed["text"][second["startChar"] : second["endChar"]] == "Second page: four valves."
    assert (second["number"], parsed["mediaType"]) == (2, "application/pdf")


@pytest.mark.parametrize(
    ("content", "name", "status", "code"),
    [
        (files.locked(), "plan.pdf", 422, "DOCUMENT_ENCRYPTED"),
        (files.junk(), "plan.bin", 415, "DOCUMENT_UNSUPPORTED"),
        (files.many_pages(51), "plan.pdf", 422, "DOCUMENT_TOO_LONG"),
        (b"", "plan.pdf", 422, "DOCUMENT_EMPTY"),
    ],
)
async def test_a_bad_document_is_refused_with_its_reason(
    http: aiohttp.ClientSession, content: bytes, name: str, status: int, code: str
) -> None:
    for path in ("/v1/compute/parse", "/extract-metadata"):
        refused, problem = await post(http, path, data=form(content, name))
        assert (refused, problem["code"], problem["field"]) == (status, code, "file")


async def test_a_document_is_described(http: aiohttp.ClientSession) -> None:
    text = ("The drywall in the boiler room must be ordered by Friday. " * 5).encode()
    _, plain = await post(http, "/extract-metadata", data=form(text, "note.txt"))
    assert (plain["language"], plain["pages"], plain["words"]) == ("en", 0, 55)
    assert {"drywall", "boiler", "ordered"} <= set(plain["keywords"])
    _, told = await post(http, "/extract-metadata", data=form(files.mail(), "note.eml"))
    assert (told["title"], told["author"], told["createdAt"]) == ("Boiler", "Ann", "2026-11-16T07:30:00Z")


async def test_a_text_is_cut_and_embedded(http: aiohttp.ClientSession) -> None:
    text = "The boiler is in the cellar. " * 40
    body = {
        "text": text,
        "size": 200,
        "overlap": 50,
        "pages": [{"number": 1, "startChar": 0, "endChar": 600}],
    }
    status, cut = await post(http, "/chunk", json=body)
    assert (status, cut["chunking"]) == (200, "sentences_200_50"), cut
    _, small = await post(http, "/chunk", json={"text": text, "size": 60})
    assert small["chunking"] == "sentences_60_10", small
    assert all(text[each["startChar"] : each["endChar"]] == each["text"] for each in cut["chunks"])
    assert {each.get("page") for each in cut["chunks"]} == {1, None}
    status, made = await post(http, "/embed", json={"texts": ["boiler", "cellar"]})
    assert (status, made["embedder"], len(made["vectors"][0])) == (200, LOCAL.name, made["dimensions"])
    large = {"text": "x " * (1 << 20), "strategy": "tokens", "size": 8000, "overlap": 0}
    assert (await post(http, "/chunk", json=large))[0] == 200


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/chunk", {"text": "x", "size": 5}, "INVALID_BODY"),
        ("/chunk", {"text": "x", "size": 100, "overlap": 90}, "INVALID_CHUNKING"),
        ("/chunk", {"text": "x", "pages": [{"number": 1, "startChar": 0, "endChar": 9}]}, "INVALID_PAGES"),
        ("/chunk", {"text": "a b c d e " * 40_001, "size": 20, "overlap": 0}, "TOO_MANY_CHUNKS"),
        ("/chunk", {"text": "x", "most": 20_001}, "INVALID_BODY"),
        ("/embed", {"texts": []}, "INVALID_BODY"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    http: aiohttp.ClientSession, path: str, body: dict[str, Any], code: str
) -> None:
    status, problem = await post(http, path, json=body)
    assert (status, problem["code"]) == (422, code)


async def test_health_tells_what_can_be_done_to_who_has_the_key(
    http: aiohttp.ClientSession, server: str
) -> None:
    for work in ("parse", "chunk", "embed", "extract-metadata"):
        for path in (f"/v1/compute/{work}/health", f"/{work}/health"):
            async with http.get(path) as answer:
                told = await answer.json()
                assert (answer.status, told["status"], told["work"]) == (200, "healthy", work)
    async with aiohttp.ClientSession(server) as stranger:
        for path, status in (("/health", 200), ("/parse/health", 401), ("/openapi.json", 200)):
            async with stranger.get(path) as answer:
                assert answer.status == status
        assert (await post(stranger, "/embed", json={"texts": ["x"]}))[0] == 401


async def test_a_worker_gets_the_same_from_a_server_though_another_is_away(
    remote: RemoteCompute, tmp_path: Path
) -> None:
    path = tmp_path / "notes"
    path.write_bytes(files.docx())
    for _ in range(3):
        assert await remote.parse(path, name='no"tes.docx') == await LOCAL.parse(path, name="notes.docx")
    text = "The boiler is in the cellar. " * 40
    assert await remote.chunk(text, [(0, 300, 7)], size=100, overlap=0) == chunks_of_text(
        text, [(0, 300, 7)], size=100, overlap=0
    )
    assert len(await remote.chunk(text, size=100, overlap=0, most=3)) == 4
    texts = [f"boiler {n}" for n in range(130)]
    assert np.allclose(await remote.embed(texts), await LOCAL.embed(texts), atol=1e-6)


async def test_a_worker_hears_of_a_bad_file_and_of_bad_wishes_without_asking_another_server(
    remote: RemoteCompute,
) -> None:
    with pytest.raises(UnusableDocument) as caught:
        await remote.parse(files.locked(), name="plan.pdf")
    assert caught.value.code == "DOCUMENT_ENCRYPTED"
    with pytest.raises(BadChunking):
        await remote.chunk("x", size=100, overlap=90)


async def test_vectors_of_another_embedder_are_not_taken(server: str) -> None:
    other = RemoteCompute([server], key=KEY, name="minilm_384", dimensions=384)
    with pytest.raises(EmbeddingUnavailable, match="set both alike"):
        await other.embed(["x"])
    await other.close()


async def test_a_busy_server_is_asked_again() -> None:
    bench = asyncio.Event()

    class Slow(LocalCompute):
        async def chunk(self, *given: Any, **how: Any) -> Any:
            await bench.wait()
            return await super().chunk(*given, **how)

    async with serving(Slow(Lexical())) as listening:
        remote = RemoteCompute([listening.url], key=KEY, name="a", dimensions=1)
        many = [asyncio.create_task(remote.chunk(f"Boiler {n}.")) for n in range(AT_ONCE + 4)]
        await asyncio.sleep(0.3)
        bench.set()
        assert [chunk.text for [chunk] in await asyncio.gather(*many)] == [
            f"Boiler {n}." for n in range(AT_ONCE + 4)
        ]
        await remote.close()


async def test_no_server_at_all_is_worth_another_attempt() -> None:
    nobody = RemoteCompute([f"http://127.0.0.1:{free_ports(1)[0]}"], key=KEY, name="a", dimensions=1)
    with pytest.raises(ComputeUnavailable):
        await nobody.parse(b"x")
    with pytest.raises(EmbeddingUnavailable):
        await nobody.embed(["x"])
    await nobody.close()


async def test_the_process_needs_a_key_and_no_server_of_ours(tmp_path: Path) -> None:
    bare = bare_environment(tmp_path, PORT="0")
    refused = await headwater("compute", environment=bare)
    assert (refused.status, "API_KEY" in refused.err) == (2, True)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "app.cli", "compute", env={**bare, "API_KEY": KEY}, stderr=asyncio.subprocess.PIPE
    )  # fmt: skip
    try:
        assert process.stderr
        url = ""
        async with asyncio.timeout(60):
            async for line in process.stderr:
                if b"computes on" in line:
                    url = line.decode().split()[-1]
                    break
        async with aiohttp.ClientSession(url, headers={"X-Api-Key": KEY}) as http:
            status, answer = await post(http, "/embed", json={"texts": ["drywall"]})
        assert (status, len(answer["vectors"])) == (200, 1)
    finally:
        process.terminate()
    assert await process.wait() == 0
