"""Long texts cut into pieces that can be embedded, found and cited, each knowing where it stood."""

from infra.chunking.chunkset import Chunk, ChunkSet
from infra.chunking.transcript import NAME, chunks_of, full_text, segment_spans

__all__ = ["NAME", "Chunk", "ChunkSet", "chunks_of", "full_text", "segment_spans"]
