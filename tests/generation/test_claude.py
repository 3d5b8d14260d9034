"""Claude's wire, through Anthropic's client."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from infra.generation import GenerationFailed, GenerationUnavailable, Turn, Usage
from infra.generation.anthropic import Claude, conversation
from infra.generation.ollama import Ollama
from infra.generation.routing import Router
from tests.generation.claude_server import KEY, MODEL, ClaudeServer, claude_server
from tests.generation.ollama_server import ollama_server

HELLO = (Turn("system", "Be kind."), Turn("user", "Hello?"))


class Colour(msgspec.Struct):
    name: str


@pytest.fixture
async def server() -> AsyncIterator[ClaudeServer]:
    async with claude_server() as made:
        yield made


@pytest.fixture
async def model(server: ClaudeServer) -> AsyncIterator[Claude]:
    made = Claude(KEY, MODEL, max_tokens=50, url=server.url, first_token=2)
    yield made
    await made.close()


async def test_an_answer_comes_piece_by_piece_with_what_it_has_cost(
    server: ClaudeServer, model: Claude
) -> None:
    pieces = [piece async for piece in model.stream(HELLO, most=1000)]
    assert "".join(piece.text for piece in pieces) == "Hello there"
    assert pieces[-1].usage == Usage(prompt_tokens=7, completion_tokens=2)
    call = server.calls[-1]
    assert (call["system"], call["messages"]) == ("Be kind.", [{"role": "user", "content": "Hello?"}])
    assert call["max_tokens"] == 50


async def test_an_answer_of_a_shape_is_asked_for_as_a_tool(server: ClaudeServer, model: Claude) -> None:
    server.pieces = ['{"na', 'me": "red"}']
    assert (await model.structured(HELLO, Colour))[0] == Colour("red")
    [tool] = server.calls[-1]["tools"]
    assert tool["input_schema"]["type"] == "object"


async def test_faults_are_told_apart(server: ClaudeServer, model: Claude) -> None:
    server.fault = "overloaded"
    with pytest.raises(GenerationUnavailable, match="529: Overloaded"):
        await anext(model.stream(HELLO))
    assert len(server.calls) == 2
    server.fault = "refused"
    with pytest.raises(GenerationFailed, match="prompt is too long"):
        await anext(model.stream(HELLO))
    for fault in ("dropped", "error in stream", "ends early"):
        server.fault = fault  # type: ignore[assignment]
        with pytest.raises(GenerationFailed, match="broke off"):
            assert [piece async for piece in model.stream(HELLO)]
    server.fault = None
    with pytest.raises(GenerationUnavailable, match="CLAUDE_MODEL") as caught:
        await anext(model.stream(HELLO, model="claude-nope"))
    assert caught.value.code == "AI_MODEL_MISSING"
    stranger = Claude("another", MODEL, max_tokens=5, url=server.url)
    with pytest.raises(GenerationUnavailable, match="CLAUDE_API_KEY"):
        await anext(stranger.stream(HELLO))
    await stranger.close()


def test_turns_alternate_and_the_user_begins() -> None:
    turns = (Turn("assistant", "a"), Turn("system", "s"), Turn("user", "b"), Turn("user", "c"))
    assert conversation(turns) == {
        "system": "s",
        "messages": [
            {"role": "user", "content": "Go on."},
            {"role": "assistant", "content": "a"},
            {"role": "user", "content": "b\n\nc"},
        ],
    }


async def test_a_model_is_asked_where_its_name_says(server: ClaudeServer, model: Claude) -> None:
    async with ollama_server() as local:
        router = Router({"ollama": Ollama(local.url, "tiny"), "claude": model})

        async def said(name: str | None) -> str:
            return "".join([piece.text async for piece in router.stream(HELLO, model=name)])

        assert router.model == "ollama:tiny"
        assert await said(None) == await said("ollama:other") == await said("tiny") == "You said: Hello?"
        assert await said(f"claude:{MODEL}") == await said(MODEL) == "Hello there"
        assert {each.name for each in await router.models()} == {"tiny:latest", "other:latest", MODEL}
        local.down = True
        assert {each.name for each in await router.models()} == {MODEL}
        alone = Router({"ollama": router._generators["ollama"]})
        with pytest.raises(GenerationUnavailable, match="CLAUDE_API_KEY"):
            await alone.about("claude:claude-x")
        with pytest.raises(GenerationUnavailable, match="503"):
            await alone.models()
        await router.close()
