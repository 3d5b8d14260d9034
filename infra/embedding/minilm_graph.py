"""The network of all-MiniLM-L6-v2 as an ONNX graph of 17 KB whose weights stay in the file they came in."""

import json
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Value: TypeAlias = str
"""In ONNX what a node gives and what it takes have names; this is one."""

TOKENS: Value = "tokens"
EMBEDDINGS: Value = "embeddings"

LAYERS = 6
HEADS = 12
WIDTH = 384
EPSILON = 1e-12
OPSET = 23  # the first with Attention
IR_VERSION = 10


def build(weights: Path) -> bytes:
    """A model from `tokens` (n texts of equal length, as token ids) to `embeddings` (n rows of unit length).

    Texts of equal length need no padding and hence no mask. Whoever loads it says in which folder
    the file of weights lies.
    """
    graph = Graph(weights)
    x = embedded(graph)
    for layer in range(LAYERS):
        x = transformed(graph, x, f"encoder.layer.{layer}")
    pooled(graph, x)
    return graph.model(
        takes=helper.make_tensor_value_info(TOKENS, TensorProto.INT64, ["texts", "length"]),
        gives=helper.make_tensor_value_info(EMBEDDINGS, TensorProto.FLOAT, ["texts", WIDTH]),
    )


class Graph:
    """Collects nodes and the weights that they name."""

    def __init__(self, weights: Path) -> None:
        self._file = weights.name
        self._data_at, self._header = read_header(weights)
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[Value, TensorProto] = {}

    def node(self, operator: str, *inputs: Value, gives: Value | None = None, **attributes: Any) -> Value:
        """Apply an ONNX operator."""
        gives = gives or f"{operator}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, inputs, [gives], **attributes))
        return gives

    def weight(self, name: Value) -> Value:
        """A tensor of the file, which the runtime maps into memory from there."""
        if name not in self._tensors:
            entry = self._header[name]
            start, end = entry["data_offsets"]
            tensor = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=entry["shape"])
            tensor.data_location = TensorProto.EXTERNAL
            place = {"location": self._file, "offset": self._data_at + start, "length": end - start}
            for key, value in place.items():
                tensor.external_data.add(key=key, value=str(value))
            self._tensors[name] = tensor
        return name

    def constant(self, *numbers: int) -> Value:
        """A vector of whole numbers."""
        name = f"constant{list(numbers)}"
        self._tensors[name] = numpy_helper.from_array(np.array(numbers, np.int64), name)
        return name

    def model(self, takes: onnx.ValueInfoProto, gives: onnx.ValueInfoProto) -> bytes:
        """All of it, serialised."""
        graph = helper.make_graph(self._nodes, "minilm", [takes], [gives], list(self._tensors.values()))
        opset = helper.make_opsetid("", OPSET)
        model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
        return bytes(model.SerializeToString())


def embedded(graph: Graph) -> Value:
    """The sum of what a token is, where it stands and that all is one sentence: (tokens, width)."""
    word = graph.node("Gather", graph.weight("embeddings.word_embeddings.weight"), TOKENS)
    length = graph.node("Shape", TOKENS, start=1, end=2)
    place = first_rows(graph, "embeddings.position_embeddings.weight", length)
    kind = first_rows(graph, "embeddings.token_type_embeddings.weight", graph.constant(1))
    total = graph.node("Add", graph.node("Add", word, place), kind)
    return normalised(graph, in_rows(graph, total), "embeddings.LayerNorm")


def transformed(graph: Graph, x: Value, layer: str) -> Value:
    """One layer of the encoder: tokens look at each other, then each is thought over by itself."""
    seen = linear(graph, attention(graph, x, f"{layer}.attention.self"), f"{layer}.attention.output.dense")
    x = normalised(graph, graph.node("Add", seen, x), f"{layer}.attention.output.LayerNorm")
    wide = graph.node("Gelu", linear(graph, x, f"{layer}.intermediate.dense"))
    thought = linear(graph, wide, f"{layer}.output.dense")
    return normalised(graph, graph.node("Add", thought, x), f"{layer}.output.LayerNorm")


def attention(graph: Graph, x: Value, name: str) -> Value:
    """Multi-head self-attention within each text."""
    parts = (in_texts(graph, linear(graph, x, f"{name}.{part}")) for part in ("query", "key", "value"))
    return in_rows(graph, graph.node("Attention", *parts, q_num_heads=HEADS, kv_num_heads=HEADS))


def pooled(graph: Graph, x: Value) -> None:
    """The mean over a text's tokens, scaled to unit length."""
    mean = graph.node("ReduceMean", in_texts(graph, x), graph.constant(1), keepdims=0)
    graph.node("LpNormalization", mean, gives=EMBEDDINGS, axis=-1, p=2)


def linear(graph: Graph, x: Value, name: str) -> Value:
    """A Gemm rather than a MatMul: it takes the weights as they lie in the file, so no copy is transposed."""
    return graph.node("Gemm", x, graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias"), transB=1)


def normalised(graph: Graph, x: Value, name: str) -> Value:
    scale, bias = graph.weight(f"{name}.weight"), graph.weight(f"{name}.bias")
    return graph.node("LayerNormalization", x, scale, bias, axis=-1, epsilon=EPSILON)


def first_rows(graph: Graph, name: str, count: Value) -> Value:
    return graph.node("Slice", graph.weight(name), graph.constant(0), count, graph.constant(0))


def in_rows(graph: Graph, x: Value) -> Value:
    """(texts, length, width) → (tokens, width), as Gemm wants it."""
    return graph.node("Reshape", x, graph.constant(-1, WIDTH))


def in_texts(graph: Graph, x: Value) -> Value:
    """(tokens, width) → (texts, length, width), as Attention wants it."""
    shape = graph.node("Concat", graph.node("Shape", TOKENS), graph.constant(WIDTH), axis=0)
    return graph.node("Reshape", x, shape)


def read_header(weights: Path) -> tuple[int, dict[str, Any]]:
    """Where a safetensors file's data begins, and each tensor's shape and place in it."""
    with weights.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        return 8 + size, json.loads(file.read(size))
