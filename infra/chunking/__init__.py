"""Long texts cut into pieces that can be embedded, found and cited, each knowing where it stood."""

from infra.chunking.chunkset import Chunk, ChunkSet
from infra.chunking.document import BadChunking, Strategy, chunking_name, chunks_of_text
from infra.chunking.transcript import NAME, chunks_of, full_text, segment_spans

__all__ = [
    "NAME",
    "BadChunking",
    "Chunk",
    "ChunkSet",
    "Strategy",
    "chunking_name",
    "chunks_of",
    "chunks_of_text",
    "full_text",
    "segment_spans",
]
