"""An answer as it lies in the blob store: its words and its quotes, which must go when their sources go."""

import msgspec

from events.chat import Citation as Cited
from infra.retrieval.citations import Citation

MEDIA_TYPE = "application/vnd.headwater.answer+json"


class SavedQuote(msgspec.Struct, frozen=True, rename="camel"):
    """What a citation quotes, and where in the source's text it stands."""

    number: int
    text: str
    start_char: int
    end_char: int


class SavedAnswer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What was answered."""

    text: str
    quotes: tuple[SavedQuote, ...] = ()

    @classmethod
    def of(cls, text: str, citations: tuple[Citation, ...]) -> "SavedAnswer":
        quotes = [
            SavedQuote(each.passage.number, each.quote, each.start_char, each.end_char) for each in citations
        ]
        return cls(text=text, quotes=tuple(quotes))

    def encode(self) -> bytes:
        return _encoder.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> "SavedAnswer":
        """Raises msgspec.DecodeError for anything that `encode` did not make."""
        return _decoder.decode(content)


class SavedReply(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What a reply in a conversation says, and what it quotes."""

    text: str
    citations: tuple[Cited, ...] = ()

    def encode(self) -> bytes:
        return _encoder.encode(self)

    @classmethod
    def decode(cls, content: bytes) -> "SavedReply":
        """Raises msgspec.DecodeError for anything that `encode` did not make."""
        return _reply_decoder.decode(content)


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(SavedAnswer)
_reply_decoder = msgspec.json.Decoder(SavedReply)
