"""Models that write: what they are asked, what they answer piece by piece, and how that can fail."""

from collections.abc import AsyncIterator, Sequence
from typing import Literal, Protocol, TypeVar

import msgspec

Role = Literal["system", "user", "assistant"]
Shape = TypeVar("Shape")


class Turn(msgspec.Struct, frozen=True):
    """One message of a conversation, as a model reads it."""

    role: Role
    content: str


class Model(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A model that can be asked."""

    name: str
    """As its server calls it."""
    provider: Literal["ollama", "anthropic"]
    digest: str | None = None
    """Identifies the weights, where the server tells."""
    context_tokens: int | None = None
    """How much it can read at once, where the server tells."""


class Usage(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What an answer has cost, in tokens; None where the server does not tell."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Piece(msgspec.Struct, frozen=True):
    """A part of an answer as it is made. The last one has the usage, and maybe no text."""

    text: str
    usage: Usage | None = None


class GenerationUnavailable(ConnectionError):
    """Nothing was answered, and the same question may be answered later. The text says what to mend.

    `code` is stable: `AI_UNAVAILABLE` (nobody answers there), `AI_MODEL_MISSING`, `AI_TIMEOUT` (no first token).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class GenerationFailed(Exception):
    """The answer broke off, or is not what was asked for. What had come so far is with whoever listened."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class Generator(Protocol):
    """Writes what a conversation asks for. None stands in its place where no model server is configured."""

    model: str
    """The model that answers when none is named."""

    def stream(
        self,
        turns: Sequence[Turn],
        *,
        model: str | None = None,
        temperature: float = 0.0,
        most: int | None = None,
    ) -> AsyncIterator[Piece]:
        """The answer piece by piece, `most` tokens at most.

        Tried once more when it fails before the first piece. Raises GenerationUnavailable before the first piece,
        GenerationFailed after it. Closing the iterator stops the model.
        """
        ...

    async def structured(
        self, turns: Sequence[Turn], shape: type[Shape], *, model: str | None = None
    ) -> tuple[Shape, Usage]:
        """An answer that fits a struct; one that does not is shown to the model once, with what is wrong, to repair.

        Raises GenerationUnavailable, or GenerationFailed when the repaired answer does not fit either.
        """
        ...

    async def about(self, model: str | None = None) -> Model:
        """What is known of a model. Raises GenerationUnavailable."""
        ...

    async def models(self) -> tuple[Model, ...]:
        """What can be asked. Raises GenerationUnavailable."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
