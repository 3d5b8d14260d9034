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
    provider: Literal["ollama", "claude"]
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
    cut: bool = False
    """In the last one: the model would have gone on, but has written `most` tokens or has no room left."""


class GenerationUnavailable(ConnectionError):
    """Nothing was answered, and the same question may be answered later. The text says what to mend.

    `code` is stable: `AI_UNAVAILABLE` (nobody answers there), `AI_MODEL_MISSING`, `AI_TIMEOUT` (no first token).
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class GenerationFailed(Exception):
    """The answer broke off, is not what was asked for, or the question is one that the model does not take.

    What had come so far is with whoever listened. The text says what is wrong.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class GenerationBroken(GenerationFailed):
    """The answer broke off in the middle: whoever does not mind hearing its beginning again may ask again."""


class Generator(Protocol):
    """Writes what a conversation asks for. None stands in its place where no model server is configured.

    A model is named as its server calls it, or with the server in front: `ollama:llama3.2`, `claude:…`.
    """

    @property
    def model(self) -> str:
        """The model that answers when none is named."""
        ...

    def stream(
        self,
        turns: Sequence[Turn],
        *,
        model: str | None = None,
        temperature: float = 0.0,
        most: int | None = None,
    ) -> AsyncIterator[Piece]:
        """The answer piece by piece, `most` tokens at most.

        Tried once more when the server fails before the first piece. Raises GenerationUnavailable before the first
        piece, GenerationBroken after it, and GenerationFailed at once where asking again would not help. Closing the
        iterator stops the model, so close it (`contextlib.aclosing`).
        """
        ...

    async def structured(
        self, turns: Sequence[Turn], shape: type[Shape], *, model: str | None = None
    ) -> tuple[Shape, Usage]:
        """An answer that fits `shape`, a struct; one that does not goes back to the model once, to repair.

        Raises GenerationUnavailable, GenerationBroken, or GenerationFailed when the repaired answer does not fit
        either.
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
