"""The network of all-MiniLM-L6-v2 once more, for one text in plain numpy, to check the ONNX graph against."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[Any]
Weights = dict[str, Matrix]

erf = np.vectorize(math.erf)


def read(path: Path) -> Weights:
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    weights = {}
    for name, entry in header.items():
        if entry.get("dtype") == "F32":
            a, b = entry["data_offsets"]
            weights[name] = np.frombuffer(content[start + a : start + b], "<f4").reshape(entry["shape"])
    return weights


def embedding(w: Weights, ids: list[int]) -> Matrix:
    x = w["embeddings.word_embeddings.weight"][ids].astype(np.float64)
    x += (
        w["embeddings.position_embeddings.weight"][: len(ids)]
        + w["embeddings.token_type_embeddings.weight"][0]
    )
    x = norm(w, "embeddings.LayerNorm", x)
    for n in range(6):
        x = layer(w, f"encoder.layer.{n}.", x)
    mean: Matrix = x.mean(axis=0)
    unit: Matrix = mean / np.linalg.norm(mean)
    return unit


def layer(w: Weights, p: str, x: Matrix) -> Matrix:
    query, key, value = (
        dense(w, f"{p}attention.self.{part}", x).reshape(-1, 12, 32).transpose(1, 0, 2)
        for part in ("query", "key", "value")
    )
    scores = np.exp(query @ key.transpose(0, 2, 1) / math.sqrt(32))
    seen = (scores / scores.sum(axis=-1, keepdims=True) @ value).transpose(1, 0, 2).reshape(-1, 384)
    x = norm(w, f"{p}attention.output.LayerNorm", x + dense(w, f"{p}attention.output.dense", seen))
    wide = dense(w, f"{p}intermediate.dense", x)
    wide = wide * 0.5 * (1 + erf(wide / math.sqrt(2)))
    return norm(w, f"{p}output.LayerNorm", x + dense(w, f"{p}output.dense", wide))


def dense(w: Weights, name: str, x: Matrix) -> Matrix:
    return x @ w[f"{name}.weight"].T + w[f"{name}.bias"]


def norm(w: Weights, name: str, x: Matrix) -> Matrix:
    centred = x - x.mean(axis=-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-12)
    moved: Matrix = scaled * w[f"{name}.weight"] + w[f"{name}.bias"]
    return moved
