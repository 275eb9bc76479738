"""The channels of a network behind each of its convolutions: watched, scaled and shifted, in the bytes of its graph.

A normalisation layer multiplies each channel by a number and adds another. In an exported graph it stands no longer:
its numbers went into the weights of the convolution before it. So whoever adapts a sealed network adapts *a gain and an
offset of every channel behind a convolution*, which works on networks with and without such layers alike. What comes
out is a graph again, and runs as any other.

The convolutions that the answer follows from directly are left as they are: their channels are classes, and how
frequent a class is differs from heart to heart.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.message import BYTES, VARINT, Field, delimited, fields, read_varint, whole

_GRAPH, _OPSET, _METADATA = 7, 8, 14
_NODE, _INITIALIZER, _OUTPUT = 1, 5, 12
"""Fields of a model, and of its graph; all numbers here are those of the ONNX format."""
_LEAST_OPSET = 18
"""From this one on axes of a mean are an input, as they are written here."""
_FLOAT, _INT64 = 1, 7
_VARIANCE_FLOOR = 1e-8
"""Of a channel that is the same everywhere."""

Affine = tuple[Float[np.ndarray, "_"], Float[np.ndarray, "_"]]
"""What each channel is multiplied by, and what is added then."""
Moments = tuple[Float[np.ndarray, "_"], Float[np.ndarray, "_"]]
"""Mean and variance of each channel."""


@dataclass(frozen=True)
class _Node:
    """One step of a graph."""

    operator: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    content: bytes


@dataclass(frozen=True)
class Convolution:
    """A convolution of a graph."""

    output: str
    """Name of what it hands on: it names the convolution, too."""
    channels: int
    axes: int
    """Of what it hands on: batch, channels, and those of a sample."""


class ChannelGraph:
    """The graph of a network, with its convolutions.

    Args:
        network: ONNX bytes.

    Raises:
        ModelFileError: it is no graph, one of an old version of the format, or nothing in it can be adapted.
    """

    def __init__(self, network: bytes) -> None:
        self._network = network
        if self._version < _LEAST_OPSET:
            raise ModelFileError(
                f"the network is written in version {self._version} of ONNX's operators, adapting needs {_LEAST_OPSET}",
                remedy="export the model again, or analyse without --adapt.",
            )

    @cached_property
    def convolutions(self) -> tuple[Convolution, ...]:
        """Those that can be adapted, in the graph's order.

        Raises:
            ModelFileError: there are none.
        """
        made_by = {name: node for node in self._nodes for name in node.outputs}
        found = []
        for node in self._nodes:
            if node.operator == "Conv" and node.outputs[0] not in self._answering:
                sides = self._sides(node.inputs[1], made_by)
                if sides:
                    found.append(Convolution(node.outputs[0], sides[0], len(sides)))
        if not found:
            raise ModelFileError(
                "the network has no channels behind a convolution that could be adapted",
                remedy="analyse without --adapt, or with --adapt styles.",
            )
        return tuple(found)

    def scaled(self, affine: Mapping[str, Affine]) -> bytes:
        """The network with channels scaled and shifted, by the output of their convolution; others as they were."""

        def adapted(each: Convolution) -> bytes:
            gain, offset = affine[each.output]
            return b"".join(
                [
                    _node("Mul", [_raw(each), _named(each, "gain")], _named(each, "scaled")),
                    _node("Add", [_named(each, "scaled"), _named(each, "offset")], each.output),
                    _constant(_named(each, "gain"), _per_channel(gain, each)),
                    _constant(_named(each, "offset"), _per_channel(offset, each)),
                ]
            )

        return self._rewritten({each.output: adapted(each) for each in self.convolutions if each.output in affine}, ())

    def watched(self) -> bytes:
        """The network with two further outputs for each convolution: mean and variance of its channels in a batch."""
        parts = {
            each.output: _node("Identity", [_raw(each)], each.output) + _moments_nodes(each)
            for each in self.convolutions
        }
        return self._rewritten(parts, [_named(each, key) for each in self.convolutions for key in ("mean", "variance")])

    def renormalised(self, learned: Mapping[str, Moments], share: float) -> bytes:
        """The network that brings the channels of a batch to the moments of the images that it learned from.

        Each layer sees what the layers before it hand on once they are adapted. Further outputs tell what each channel
        was multiplied by, and what was added: `affine_of` reads them.

        Args:
            learned: mean and variance of every channel, by the output of its convolution.
            share: how far the batch is believed: 1 takes its moments alone, 0 those that were learned, so that
                nothing is changed.

        Raises:
            ModelFileError: the moments are those of another network.
        """
        fits = {each.output: each.channels for each in self.convolutions}
        if fits != {name: len(mean) for name, (mean, _) in learned.items()}:
            raise ModelFileError(
                "the model file's statistics of its training images are those of another network",
                remedy="export the model again with `cardiotrace export`.",
            )
        parts = {each.output: _renormalising(each, learned[each.output], share) for each in self.convolutions}
        return self._rewritten(parts, [_named(each, key) for each in self.convolutions for key in ("gain", "offset")])

    def affine_of(self, answers: Mapping[str, Float[np.ndarray, "..."]]) -> dict[str, Affine]:
        """Gain and offset of every channel, from the outputs of `renormalised`."""
        return {
            each.output: (answers[_named(each, "gain")].ravel(), answers[_named(each, "offset")].ravel())
            for each in self.convolutions
        }

    def moments_of(self, answers: Mapping[str, Float[np.ndarray, "..."]]) -> dict[str, Moments]:
        """Mean and variance of every channel, from the outputs of `watched`."""
        return {
            each.output: (answers[_named(each, "mean")].ravel(), answers[_named(each, "variance")].ravel())
            for each in self.convolutions
        }

    @cached_property
    def _graph(self) -> Field:
        found = [field for field in fields(io.BytesIO(self._network)) if field.number == _GRAPH]
        if len(found) != 1:
            raise ModelFileError("the network is not one graph", remedy="export the model again.")
        return found[0]

    @cached_property
    def _parts(self) -> tuple[Field, ...]:
        return tuple(fields(io.BytesIO(self._network), self._graph.content, self._graph.end))

    @cached_property
    def _nodes(self) -> tuple[_Node, ...]:
        return tuple(_read_node(self._network[part.content : part.end]) for part in self._parts if part.number == _NODE)

    @cached_property
    def _version(self) -> int:
        file = io.BytesIO(self._network)
        for field in fields(file):
            if field.number == _OPSET:
                numbers = _numbers(self._network[field.content : field.end])
                # Operators of other domains have a name before the version.
                if not numbers.get(1):
                    return numbers[2][0]
        return 0

    @cached_property
    def _answering(self) -> frozenset[str]:
        """Outputs of convolutions that the answer follows from with no other convolution between."""
        made_by = {name: node for node in self._nodes for name in node.outputs}
        (first, *_) = [part for part in self._parts if part.number == _OUTPUT]
        waiting = [_text(self._network[first.content : first.end], 1)]
        found: set[str] = set()
        seen: set[str] = set()
        while waiting:
            name = waiting.pop()
            node = made_by.get(name)
            if node is None or name in seen:
                continue
            seen.add(name)
            if node.operator == "Conv":
                found.add(node.outputs[0])
            else:
                waiting.extend(node.inputs)
        return frozenset(found)

    @cached_property
    def _weights(self) -> Mapping[str, tuple[int, ...]]:
        """Sides of every weight."""
        parts = (self._network[part.content : part.end] for part in self._parts if part.number == _INITIALIZER)
        return {_text(part, 8): tuple(_numbers(part).get(1, [])) for part in parts}

    def _sides(self, name: str, made_by: Mapping[str, _Node]) -> tuple[int, ...]:
        """Sides of a kernel, which may be stored in half precision and cast; none where they are computed otherwise."""
        if name in self._weights:
            return self._weights[name]
        cast = made_by.get(name)
        return self._weights.get(cast.inputs[0], ()) if cast is not None and cast.operator == "Cast" else ()

    def _rewritten(self, behind: Mapping[str, bytes], outputs: Sequence[str]) -> bytes:
        """The network with other steps behind some convolutions, whose own output has another name then."""
        nodes = iter(self._nodes)
        content = []
        for part in self._parts:
            whole = self._network[part.start : part.end]
            if part.number == _NODE and (node := next(nodes)).operator == "Conv" and node.outputs[0] in behind:
                content += [delimited(_NODE, _renamed(node)), behind[node.outputs[0]]]
            else:
                content.append(whole)
        content += [_output(name) for name in outputs]
        before, after = self._network[: self._graph.start], self._network[self._graph.end :]
        return before + delimited(_GRAPH, b"".join(content)) + after


def _renormalising(each: Convolution, learned: Moments, share: float) -> bytes:
    """What brings the channels of a batch to learned moments: y = gain x + offset.

    gain = sqrt(v / (share w + (1 - share) v)), offset = m - gain (share n + (1 - share) m) for learned moments m, v and
    those of the batch n, w.
    """
    mean, variance = (values.astype(np.float64) for values in learned)
    variance = np.maximum(variance, _VARIANCE_FLOOR)
    constants = {
        "share": np.full(each.channels, share),
        "learned-mean": mean,
        "rest-of-mean": (1 - share) * mean,
        "learned-deviation": np.sqrt(variance),
        "rest-of-variance": (1 - share) * variance + _VARIANCE_FLOOR,
    }
    steps = [
        ("Mul", ("mean", "share"), "part-of-mean"),
        ("Add", ("part-of-mean", "rest-of-mean"), "mixed-mean"),
        ("Mul", ("variance", "share"), "part-of-variance"),
        ("Add", ("part-of-variance", "rest-of-variance"), "mixed-variance"),
        ("Sqrt", ("mixed-variance",), "mixed-deviation"),
        ("Div", ("learned-deviation", "mixed-deviation"), "gain"),
        ("Mul", ("gain", "mixed-mean"), "moved"),
        ("Sub", ("learned-mean", "moved"), "offset"),
    ]
    nodes = [_node(step, [_named(each, key) for key in inputs], _named(each, output)) for step, inputs, output in steps]
    return b"".join(
        [
            _moments_nodes(each),
            *nodes,
            _node("Mul", [_raw(each), _named(each, "gain")], _named(each, "scaled")),
            _node("Add", [_named(each, "scaled"), _named(each, "offset")], each.output),
            *(_constant(_named(each, key), _per_channel(values, each)) for key, values in constants.items()),
        ]
    )


def _moments_nodes(each: Convolution) -> bytes:
    """Mean and variance of the channels over batch and sample."""
    axes = np.array([axis for axis in range(each.axes) if axis != 1], np.int64)
    steps = [
        ("ReduceMean", (_raw(each), _named(each, "axes")), "mean"),
        ("Sub", (_raw(each), _named(each, "mean")), "centred"),
        ("Mul", (_named(each, "centred"), _named(each, "centred")), "squares"),
        ("ReduceMean", (_named(each, "squares"), _named(each, "axes")), "variance"),
    ]
    nodes = [_node(step, list(inputs), _named(each, output)) for step, inputs, output in steps]
    return b"".join([*nodes, _constant(_named(each, "axes"), axes)])


def _raw(each: Convolution) -> str:
    return _named(each, "raw")


def _named(each: Convolution, what: str) -> str:
    """A name that no graph has by itself."""
    return f"{each.output}//{what}"


def _per_channel(values: Float[np.ndarray, "channels"], each: Convolution) -> Float[np.ndarray, "1 channels *axes"]:
    return np.asarray(values, np.float32).reshape(1, each.channels, *(1,) * (each.axes - 2))


def _read_node(content: bytes) -> _Node:
    file = io.BytesIO(content)
    texts: dict[int, list[str]] = {1: [], 2: [], 4: [""]}
    for field in fields(file):
        if field.number in texts and field.wire == BYTES:
            texts[field.number].append(content[field.content : field.end].decode(errors="replace"))
    return _Node(texts[4][-1], tuple(texts[1]), tuple(texts[2]), content)


def _renamed(node: _Node) -> bytes:
    """A node whose first output is called `raw`."""
    kept = b"".join(
        node.content[field.start : field.end] for field in fields(io.BytesIO(node.content)) if field.number != 2
    )
    return kept + delimited(2, f"{node.outputs[0]}//raw".encode())


def _numbers(content: bytes) -> dict[int, list[int]]:
    """Whole numbers of a message, one by one or packed, by their field; fields of text give an empty list."""
    file = io.BytesIO(content)
    found: dict[int, list[int]] = {}
    for field in fields(file):
        values = found.setdefault(field.number, [])
        file.seek(field.content)
        if field.wire == BYTES and field.number == 1:
            while file.tell() < field.end:
                values.append(read_varint(file))
        elif field.wire != BYTES:
            values.append(read_varint(file) if field.wire == VARINT else 0)
    return found


def _text(content: bytes, number: int) -> str:
    for field in fields(io.BytesIO(content)):
        if field.number == number and field.wire == BYTES:
            return content[field.content : field.end].decode(errors="replace")
    return ""


def _node(operator: str, inputs: Sequence[str], output: str) -> bytes:
    texts = [delimited(1, name.encode()) for name in inputs]
    return delimited(_NODE, b"".join([*texts, delimited(2, output.encode()), delimited(4, operator.encode())]))


def _constant(name: str, values: Float[np.ndarray, "..."] | np.ndarray) -> bytes:
    kind = _INT64 if values.dtype == np.int64 else _FLOAT
    sides = b"".join(whole(1, side) for side in values.shape)
    raw = np.ascontiguousarray(values).astype(values.dtype.newbyteorder("<")).tobytes()
    return delimited(_INITIALIZER, sides + whole(2, kind) + delimited(8, name.encode()) + delimited(9, raw))


def _output(name: str) -> bytes:
    """An output whose shape follows from the graph: of floating-point numbers."""
    tensor = delimited(1, whole(1, _FLOAT))
    return delimited(_OUTPUT, delimited(1, name.encode()) + delimited(2, tensor))
