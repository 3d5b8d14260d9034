"""Ollama's wire as it is, with its faults."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing

import msgspec
import pytest

from infra.generation import GenerationFailed, GenerationUnavailable, Turn, Usage
from infra.generation.ollama import Ollama
from tests.generation.ollama_server import DIGEST, MODEL, WINDOW, OllamaServer, Say, ollama_server

HELLO = (Turn("system", "Be kind."), Turn("user", "Hello?"))


class Colour(msgspec.Struct):
    """A colour that something has."""

    name: str
    shade: int | None = None


class Palette(msgspec.Struct):
    colours: tuple[Colour, ...]


@pytest.fixture
async def server() -> AsyncIterator[OllamaServer]:
    async with ollama_server() as made:
        yield made


@pytest.fixture
async def model(server: OllamaServer) -> AsyncIterator[Ollama]:
    made = Ollama(server.url, MODEL, first_token=0.5)
    yield made
    await made.close()


async def heard(asked: Ollama, **options: object) -> tuple[list[str], Usage | None]:
    pieces = [piece async for piece in asked.stream(HELLO, **options)]  # type: ignore[arg-type]
    return [piece.text for piece in pieces if piece.text], pieces[-1].usage


async def test_an_answer_comes_piece_by_piece_with_what_it_has_cost(
    server: OllamaServer, model: Ollama
) -> None:
    with server.says("Hello?", "Good morning to you"):
        texts, usage = await heard(model, temperature=0.5, most=100)
    assert texts == ["Good", " morning", " to", " you"]
    assert usage == Usage(prompt_tokens=14, completion_tokens=4)
    call = server.calls[-1]
    assert [each["role"] for each in call["messages"]] == ["system", "user"]
    assert call["options"] == {"temperature": 0.5, "num_predict": 100, "num_ctx": WINDOW}


async def test_an_answer_that_was_cut_says_so(server: OllamaServer, model: Ollama) -> None:
    with server.says("Hello?", Say(["Good"], reason="length")):
        assert [piece.cut async for piece in model.stream(HELLO)] == [False, True]


async def test_a_server_that_fails_before_the_first_piece_is_asked_once_more(
    server: OllamaServer, model: Ollama
) -> None:
    with server.says("Hello?", Say(fault="error"), "Yes"):
        assert (await heard(model))[0] == ["Yes"]
    with (
        server.says("Hello?", Say(fault="dropped")),
        pytest.raises(GenerationUnavailable, match="RemoteProtocolError") as caught,
    ):
        await heard(model)
    assert caught.value.code == "AI_UNAVAILABLE"
    assert len(server.calls) == 4


@pytest.mark.parametrize("fault", ["dropped", "error in stream", "junk", "ends early"])
async def test_an_answer_that_breaks_off_has_failed_and_is_not_begun_again(
    server: OllamaServer, model: Ollama, fault: str
) -> None:
    texts = []
    with server.says("Hello?", Say(["Good", " mor"], fault=fault)):  # type: ignore[arg-type]
        pieces = model.stream(HELLO)
        texts += [(await anext(pieces)).text, (await anext(pieces)).text]
        with pytest.raises(GenerationFailed):
            await anext(pieces)
    assert texts == ["Good", " mor"]
    assert len(server.calls) == 1


async def test_a_model_that_is_not_there_is_named_with_the_remedy(
    server: OllamaServer, model: Ollama
) -> None:
    with pytest.raises(GenerationUnavailable, match="ollama pull nope") as caught:
        await heard(model, model="nope")
    assert caught.value.code == "AI_MODEL_MISSING"
    with pytest.raises(GenerationUnavailable, match="ollama pull nope"):
        await model.about("nope")


async def test_a_model_that_does_not_begin_in_time_is_not_asked_again(
    server: OllamaServer, model: Ollama
) -> None:
    with server.says("Hello?", Say(["late"], first=3)), pytest.raises(GenerationUnavailable) as caught:
        await heard(model)
    assert caught.value.code == "AI_TIMEOUT"
    assert len(server.calls) == 1


async def test_a_question_that_is_refused_has_failed_at_once(server: OllamaServer, model: Ollama) -> None:
    with (
        server.says("Hello?", Say(fault="refused")),
        pytest.raises(GenerationFailed, match="invalid options"),
    ):
        await heard(model)
    assert len(server.calls) == 1


async def test_nobody_there_says_what_to_set() -> None:
    model = Ollama("http://127.0.0.1:1", MODEL)
    for question in (heard(model), model.about(), model.models()):
        with pytest.raises(GenerationUnavailable, match="OLLAMA_URL") as caught:
            await question
        assert caught.value.code == "AI_UNAVAILABLE"
    await model.close()


async def test_something_else_that_answers_is_not_taken_for_a_model_server(
    server: OllamaServer, model: Ollama
) -> None:
    with server.says("Hello?", Say(fault="html")), pytest.raises(GenerationUnavailable, match="not speak"):
        await heard(model)


async def test_whoever_stops_listening_stops_the_model(server: OllamaServer, model: Ollama) -> None:
    with server.says("Hello?", Say(["a", "b"], hold=asyncio.Event())):
        async with aclosing(model.stream(HELLO)) as pieces:  # type: ignore[type-var]
            assert (await anext(pieces)).text == "a"
        async with asyncio.timeout(60):
            while not server.closed:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def test_an_answer_of_a_shape_is_asked_for_by_its_schema(server: OllamaServer, model: Ollama) -> None:
    with server.says("Hello?", {"colours": [{"name": "red", "shade": 3}]}):
        palette, usage = await model.structured(HELLO, Palette)
    assert palette == Palette((Colour("red", 3),))
    assert usage.completion_tokens
    schema = server.calls[-1]["format"]
    assert schema["type"] == "object"
    assert schema["$defs"]["Colour"]["required"] == ["name"]


async def test_an_answer_that_does_not_fit_is_repaired_once(server: OllamaServer, model: Ollama) -> None:
    with server.says("Hello?", {"colours": [{}]}, {"colours": []}):
        palette, usage = await model.structured(HELLO, Palette)
    assert palette == Palette(())
    assert "missing required field `name`" in server.calls[-1]["messages"][-1]["content"]
    assert usage.completion_tokens == 4
    with server.says("Hello?", "no JSON at all"), pytest.raises(GenerationFailed, match="does not fit"):
        await model.structured(HELLO, Palette)
    assert len(server.calls) == 4


async def test_what_is_known_of_a_model_is_asked_once(server: OllamaServer, model: Ollama) -> None:
    known = await model.about()
    assert (known.name, known.context_tokens, known.digest) == (MODEL, WINDOW, DIGEST.removeprefix("sha256:"))
    server.down = True
    assert await model.about() == known
    with pytest.raises(GenerationUnavailable, match="503"):
        await model.models()
    server.down = False
    assert [each.name for each in await model.models()] == ["tiny:latest", "other:latest"]
