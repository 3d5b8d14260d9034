"""The indexes of collections: two for each embedder that an installation can run."""

from collections.abc import Iterable, Mapping

from infra.embedding import Embedder
from infra.retrieval.index import Index

Spaces = Mapping[str, int]
"""Embedders by name, the usual one first, with their dimensions."""
Slots = Mapping[tuple[str, int], Index]
"""By embedder and by the parity of an index's number."""


def spaces_of(embedders: Iterable[Embedder]) -> Spaces:
    """What these embedders can fill."""
    return {each.name: each.dimensions for each in embedders}


def slots_of(spaces: Spaces) -> Slots:
    """Where the chunks of documents are.

    A collection fills one of the two tables of its embedder, and builds its next index in the other, whoever embeds:
    so the table that answers is never the one that is being filled.
    """
    return {
        (embedder, parity): Index("knowledge", f"{embedder}_{'ab'[parity]}", dimensions)
        for embedder, dimensions in spaces.items()
        for parity in (0, 1)
    }
