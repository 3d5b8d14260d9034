"""The table that holds the chunks of one pair of embedder and chunking."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

LONGEST_IDENTIFIER = 63
"""Bytes of a name in Postgres; it would silently cut longer ones."""
IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")

Kind = Literal["session", "attachment", "document"]
"""What a chunk is a piece of."""
KEY = ("source_id", "n")
"""A source (a session, an attachment, a document) and the place of a chunk among its chunks."""


@dataclass(frozen=True)
class Index:
    """Where chunks are searched. Its names become part of SQL, so only plain ones are taken."""

    schema: str
    name: str
    dimensions: int

    def __post_init__(self) -> None:
        for name in (self.schema, self.table):
            if not IDENTIFIER.fullmatch(name) or len(name) > LONGEST_IDENTIFIER:
                raise ValueError(f"{name!r} cannot be the name of a table or schema")

    @property
    def table(self) -> str:
        return f"chunks_{self.name}"

    @property
    def columns(self) -> Mapping[str, str]:
        """Columns and their types; the key is `KEY`. A session's chunks have its id as `source_id` and `session_id`.

        What a search looks at in many rows stays in them (`storage main`): fetched from elsewhere, it costs ten times
        as much. The text goes elsewhere instead; only that of hits is wanted.
        """
        return {
            "source_id": "uuid",
            "n": "int",
            "kind": "text not null",
            "job_id": "uuid",
            "session_id": "uuid",
            "collection_id": "uuid",
            "metadata": "jsonb storage main",
            "text": "text not null",
            "start_char": "int not null",
            "end_char": "int not null",
            "start_s": "real",
            "end_s": "real",
            "page": "int",
            "recorded_at": "timestamptz not null",
            "embedding": f"halfvec({self.dimensions}) storage main not null",
            "tsv": "tsvector storage main generated always as (to_tsvector('english', text)) stored",
        }

    @property
    def indexes(self) -> tuple[str, ...]:
        """Statements that index it, with `{table}` for its full name."""
        return (
            "create index on {table} using hnsw (embedding halfvec_cosine_ops)",
            "create index on {table} using gin (tsv)",
            "create index on {table} using gin (metadata jsonb_path_ops)",
            "create index on {table} (job_id)",
            "create index on {table} (session_id)",
            "create index on {table} (collection_id)",
            "create index on {table} (recorded_at)",
        )


def index_name(embedder: str, chunking: str) -> str:
    """Only vectors of one embedder, of texts cut in one way, belong into one index."""
    return f"{embedder}_{chunking}"


def index_of(schema: str, embedder: str, chunking: str, dimensions: int) -> Index:
    """The index of an embedder and a chunking, by their names."""
    return Index(schema, index_name(embedder, chunking), dimensions)
