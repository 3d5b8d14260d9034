"""How texts are cut, as events of collections and of documents say it."""

import msgspec


class Chunking(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """How a text is cut."""

    strategy: str
    size: int
    overlap: int
