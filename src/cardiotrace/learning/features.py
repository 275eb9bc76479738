"""A second output of a network: what its deepest layer says of a whole image, by which unlike images are told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.engine import FEATURES, make_engine

_FREE_SIDE = 256
"""Taken for a side that the graph leaves free: a multiple of every network's divisor."""
_FEWEST_PLACES = 4
"""Of a layer: one that pools the whole image, as attention does, says less than the deepest that sees places."""
_AXES_GIVEN = 18
"""The version of ONNX's operators from which on the axes of a mean are an input, and no attribute."""
_FIRST_MEMBER = "member0/"
"""Prefix of the nodes of an ensemble's first member, see `ensemble.join`."""


@dataclass(frozen=True)
class _Layer:
    name: str
    channels: int
    places: int
    axes: int


def with_features(network: bytes) -> bytes:
    """The same network with a further output "features": mean and standard deviation of its deepest layer's channels.

    The deepest layer is the one of fewest places; of several as deep the one of most channels, of these the last. Of
    an ensemble it is that of its first member. The first output stays what it was.

    Args:
        network: bytes of an ONNX model with one input of (batch, channels, *axes).

    Returns:
        Bytes of an ONNX model with an output (rows, 2 x channels of the layer) more; one that has it comes back as it
        is. There is a row for each sample, or for each slice of each where the network sees volumes slice by slice.

    Raises:
        ModelFileError: the sizes of its layers cannot be told.
    """
    model = onnx.load_model_from_string(network)
    if any(output.name == FEATURES for output in model.graph.output):
        return network
    layer = _deepest(model)
    _pool(model.graph, layer, axes_are_given=_opset(model) >= _AXES_GIVEN)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def _deepest(model: onnx.ModelProto) -> _Layer:
    layers = list(_layers(model))
    fewest = min((layer.places for layer in layers), default=None)
    if fewest is None:
        raise ModelFileError("the network has no layer that sees places: it gets no features")
    deepest = [layer for layer in layers if layer.places == fewest]
    most = max(layer.channels for layer in deepest)
    return next(layer for layer in reversed(deepest) if layer.channels == most)


def _layers(model: onnx.ModelProto) -> Iterator[_Layer]:
    """Those that have as many axes as the input, in the order in which they run."""
    # Probabilities are no layer: an ensemble has those of its members inside.
    names = [node.output[0] for node in model.graph.node if node.op_type != "Softmax"]
    names = [name for name in names if name.startswith(_FIRST_MEMBER)] or names
    shape = model.graph.input[0].type.tensor_type.shape.dim
    sides = [1, *(dimension.dim_value or _FREE_SIDE for dimension in shape[1:])]
    # Run once rather than inferred: what takes volumes apart into slices hides its shapes from inference.
    open_graph = onnx.ModelProto()
    open_graph.CopyFrom(model)
    del open_graph.graph.output[:]
    open_graph.graph.output.extend(onnx.ValueInfoProto(name=name) for name in names)
    engine = make_engine(open_graph.SerializeToString(), provider="cpu")
    found = engine.run({model.graph.input[0].name: np.zeros(sides, np.float32)})
    for name in names:
        layer = found[name]
        places = layer.size // layer.shape[1] if layer.ndim > 1 else 0
        if _begins_alike(layer.shape, sides) and layer.dtype == np.float32 and places >= _FEWEST_PLACES:
            yield _Layer(name, layer.shape[1], places, layer.ndim)


def _begins_alike(shape: tuple[int, ...], sides: Sequence[int]) -> bool:
    """Whether a layer is of whole samples, or of volumes slice by slice."""
    if len(sides) == 5 and len(shape) == 4:
        return shape[0] == sides[2]
    return len(shape) == len(sides) and shape[0] == 1


def _opset(model: onnx.ModelProto) -> int:
    return int(max(each.version for each in model.opset_import if each.domain in ("", "ai.onnx")))


def _pool(graph: onnx.GraphProto, layer: _Layer, *, axes_are_given: bool) -> None:
    """Append the nodes that pool a layer, and their output."""
    axes = list(range(2, layer.axes))
    given = ["{}.axes"] if axes_are_given else []
    mean = {"keepdims": 0} if axes_are_given else {"keepdims": 0, "axes": axes}
    if axes_are_given:
        graph.initializer.append(numpy_helper.from_array(np.array(axes, np.int64), f"{FEATURES}.axes"))
    graph.initializer.append(helper.make_tensor(f"{FEATURES}.zero", TensorProto.FLOAT, [], [0.0]))
    steps: list[tuple[str, list[str], str, dict[str, Any]]] = [
        ("ReduceMean", [layer.name, *given], "{}.mean", mean),
        ("Mul", [layer.name, layer.name], "{}.square", {}),
        ("ReduceMean", ["{}.square", *given], "{}.power", mean),
        ("Mul", ["{}.mean", "{}.mean"], "{}.mean.square", {}),
        ("Sub", ["{}.power", "{}.mean.square"], "{}.difference", {}),
        # Rounding may take the difference of two equal numbers below zero.
        ("Max", ["{}.difference", "{}.zero"], "{}.variance", {}),
        ("Sqrt", ["{}.variance"], "{}.deviation", {}),
        ("Concat", ["{}.mean", "{}.deviation"], "{}", {"axis": 1}),
    ]
    for kind, inputs, output, attributes in steps:
        names = [name.format(FEATURES) for name in inputs]
        graph.node.append(helper.make_node(kind, names, [output.format(FEATURES)], **attributes))
    shape = ["rows", 2 * layer.channels]
    graph.output.append(helper.make_tensor_value_info(FEATURES, TensorProto.FLOAT, shape))
