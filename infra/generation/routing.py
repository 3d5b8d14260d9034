"""Several model servers as one: by the name in front of a model, `ollama:llama3.2` or `claude:…`, or the first."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Literal

from infra.generation import (
    GenerationUnavailable,
    Generator,
    Model,
    Piece,
    Shape,
    Turn,
    Usage,
)

Provider = Literal["ollama", "claude"]
WHAT_TO_SET: Mapping[str, str] = {
    "ollama": "set OLLAMA_URL and OLLAMA_MODEL",
    "claude": "set CLAUDE_API_KEY",
}


class Router:
    """Sends each question to the server that its model's name means."""

    def __init__(self, generators: Mapping[Provider, Generator]) -> None:
        """The first of them answers where no model is named. At least one."""
        self._generators = dict(generators)
        self._first = next(iter(self._generators))

    @property
    def model(self) -> str:
        return f"{self._first}:{self._generators[self._first].model}"

    def stream(
        self,
        turns: Sequence[Turn],
        *,
        model: str | None = None,
        temperature: float = 0.0,
        most: int | None = None,
    ) -> AsyncIterator[Piece]:
        generator, name = self._of(model)
        return generator.stream(turns, model=name, temperature=temperature, most=most)

    async def structured(
        self, turns: Sequence[Turn], shape: type[Shape], *, model: str | None = None
    ) -> tuple[Shape, Usage]:
        generator, name = self._of(model)
        return await generator.structured(turns, shape, model=name)

    async def about(self, model: str | None = None) -> Model:
        generator, name = self._of(model)
        return await generator.about(name)

    async def models(self) -> tuple[Model, ...]:
        """Those of every server that answers. Raises GenerationUnavailable when none does."""
        asked = (each.models() for each in self._generators.values())
        answers = await asyncio.gather(*asked, return_exceptions=True)
        for failure in answers:
            if isinstance(failure, BaseException) and not isinstance(failure, GenerationUnavailable):
                raise failure
        if all(isinstance(each, BaseException) for each in answers):
            raise next(each for each in answers if isinstance(each, BaseException))
        return tuple(model for each in answers if not isinstance(each, BaseException) for model in each)

    async def close(self) -> None:
        await asyncio.gather(*(each.close() for each in self._generators.values()))

    def _of(self, model: str | None) -> tuple[Generator, str | None]:
        if model is None:
            return self._generators[self._first], None
        front, _, name = model.partition(":")
        if front in WHAT_TO_SET and name:
            if found := self._generators.get(front):  # type: ignore[call-overload]
                return found, name
            raise GenerationUnavailable(
                "AI_MODEL_MISSING", f"There is no {front} here to ask for {name}: {WHAT_TO_SET[front]}."
            )
        claudes = model.startswith("claude") and "claude" in self._generators
        return self._generators["claude" if claudes else self._first], model
