"""An exported graph as a network of torch again, so that something can be learned on top of a sealed model.

A model file holds no torch network: layers of normalisation went into the weights before them, and an ensemble is no
architecture at all. So the graph itself is run, step by step, by the operators that exported networks consist of. What
can be learned is a gain and an offset of every channel behind a convolution, see `inference.channels`; all else stays
as it was sealed.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
import torch
from jaxtyping import Float
from onnx import helper, numpy_helper
from torch.nn import functional

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.channels import Affine, ChannelGraph, Convolution

Attributes = Mapping[str, Any]
Values = Sequence[Any]
"""Tensors that a step takes; None where one is left out."""
Step = Callable[[Attributes, Values], torch.Tensor]


class GraphNetwork(torch.nn.Module):
    """The first output of a graph that takes one batch of images.

    Args:
        network: ONNX bytes.

    Raises:
        ModelFileError: a step of the graph is not known here, or no channels can be adapted.
    """

    def __init__(self, network: bytes) -> None:
        super().__init__()
        graph = onnx.load_model_from_string(network).graph
        unknown = {node.op_type for node in graph.node} - set(_STEPS)
        if unknown:
            raise ModelFileError(
                f"the network has steps that cannot be learned through: {', '.join(sorted(unknown))}",
                remedy="analyse without --adapt, or with --adapt styles.",
            )
        self._input, self._answer = graph.input[0].name, graph.output[0].name
        self._constants = {each.name: _tensor(each) for each in graph.initializer}
        self._steps = _needed(graph.node, self._answer)
        self.convolutions = ChannelGraph(network).convolutions
        self._places = {each.output: index for index, each in enumerate(self.convolutions)}
        self.gains = torch.nn.ParameterList([torch.ones(each.channels) for each in self.convolutions])
        self.offsets = torch.nn.ParameterList([torch.zeros(each.channels) for each in self.convolutions])

    def forward(
        self, images: Float[torch.Tensor, "batch channels *axes"]
    ) -> Float[torch.Tensor, "batch classes *places"]:
        """Logits of a batch."""
        known: dict[str, Any] = {**self._constants, self._input: images, "": None}
        for step in self._steps:
            found = _STEPS[step.op_type](_attributes(step), [known[name] for name in step.input])
            name = step.output[0]
            known[name] = self._adapted(found, self.convolutions[self._places[name]]) if name in self._places else found
        answer: torch.Tensor = known[self._answer]
        return answer

    def _adapted(self, values: torch.Tensor, convolution: Convolution) -> torch.Tensor:
        index, sides = self._places[convolution.output], (-1, *(1,) * (convolution.axes - 2))
        moved: torch.Tensor = values * self.gains[index].reshape(sides) + self.offsets[index].reshape(sides)
        return moved

    def begin_with(self, affine: Mapping[str, Affine]) -> None:
        """Take gains and offsets, by the output of their convolution."""
        with torch.no_grad():
            for each, gain, offset in zip(self.convolutions, self.gains, self.offsets, strict=True):
                for parameter, values in zip((gain, offset), affine[each.output], strict=True):
                    parameter.copy_(torch.from_numpy(np.array(values, np.float32)))

    def affine(self) -> dict[str, Affine]:
        """Gain and offset of every channel as they are now, for `ChannelGraph.scaled`."""
        return {
            each.output: (gain.detach().numpy().copy(), offset.detach().numpy().copy())
            for each, gain, offset in zip(self.convolutions, self.gains, self.offsets, strict=True)
        }


def _needed(nodes: Sequence[onnx.NodeProto], answer: str) -> list[onnx.NodeProto]:
    """The steps that an output follows from, in order."""
    wanted = {answer}
    kept: list[onnx.NodeProto] = []
    for node in reversed(nodes):
        if wanted & set(node.output):
            kept.append(node)
            wanted |= set(node.input)
    return kept[::-1]


def _tensor(each: onnx.TensorProto) -> torch.Tensor:
    return torch.from_numpy(np.array(numpy_helper.to_array(each)))


def _attributes(node: onnx.NodeProto) -> Attributes:
    return {each.name: helper.get_attribute_value(each) for each in node.attribute}


def _cast(attributes: Attributes, values: Values) -> torch.Tensor:
    kind = torch.from_numpy(np.zeros(0, helper.tensor_dtype_to_np_dtype(attributes["to"]))).dtype
    found: torch.Tensor = values[0].to(kind)
    return found


def _convolution(attributes: Attributes, values: Values) -> torch.Tensor:
    images, weight, bias = (*values, None)[:3]
    rank = weight.ndim - 2
    pads = attributes.get("pads", [0] * 2 * rank)
    # ONNX names all beginnings, then all ends; torch pads from the last axis on, beginning and end of each.
    around = [side for axis in reversed(range(rank)) for side in (pads[axis], pads[axis + rank])]
    padded = functional.pad(images, around) if any(pads) else images
    convolve = (functional.conv1d, functional.conv2d, functional.conv3d)[rank - 1]
    return convolve(
        padded,
        weight,
        bias,
        stride=tuple(attributes.get("strides", [1] * rank)),
        dilation=tuple(attributes.get("dilations", [1] * rank)),
        groups=attributes.get("group", 1),
    )


def _transposed_convolution(attributes: Attributes, values: Values) -> torch.Tensor:
    images, weight, bias = (*values, None)[:3]
    rank = weight.ndim - 2
    pads = attributes.get("pads", [0] * 2 * rank)
    convolve = (functional.conv_transpose1d, functional.conv_transpose2d, functional.conv_transpose3d)[rank - 1]
    return convolve(
        images,
        weight,
        bias,
        stride=tuple(attributes.get("strides", [1] * rank)),
        padding=tuple(pads[:rank]),
        output_padding=tuple(attributes.get("output_padding", [0] * rank)),
        groups=attributes.get("group", 1),
        dilation=tuple(attributes.get("dilations", [1] * rank)),
    )


def _largest_of_places(attributes: Attributes, values: Values) -> torch.Tensor:
    kernel = attributes["kernel_shape"]
    rank = len(kernel)
    pool = (functional.max_pool1d, functional.max_pool2d, functional.max_pool3d)[rank - 1]
    pads = attributes.get("pads", [0] * 2 * rank)
    return pool(
        values[0], tuple(kernel), stride=tuple(attributes.get("strides", [1] * rank)), padding=tuple(pads[:rank])
    )


def _resize(attributes: Attributes, values: Values) -> torch.Tensor:
    images = values[0]
    scales, sizes = (*values, None)[2:4]
    sides = sizes[2:] if sizes is not None else torch.tensor(images.shape[2:]) * scales[2:]
    target = [int(side) for side in sides]
    mode, placed = attributes["mode"].decode(), attributes["coordinate_transformation_mode"].decode()
    if mode == "nearest" and placed == "asymmetric":
        return functional.interpolate(images, size=target, mode="nearest")
    smooth = {3: "linear", 4: "bilinear", 5: "trilinear"}[images.ndim]
    return functional.interpolate(images, size=target, mode=smooth, align_corners=placed == "align_corners")


def _to_space(attributes: Attributes, values: Values) -> torch.Tensor:
    images, block = values[0], attributes["blocksize"]
    if attributes.get("mode", b"DCR") == b"CRD":
        return functional.pixel_shuffle(images, block)
    batch, channels, height, width = images.shape
    blocks = images.reshape(batch, block, block, channels // block**2, height, width).permute(0, 3, 4, 1, 5, 2)
    found: torch.Tensor = blocks.reshape(batch, channels // block**2, height * block, width * block)
    return found


def _slice(attributes: Attributes, values: Values) -> torch.Tensor:
    found, starts, ends, axes, steps = (*values, None, None)[:5]
    axes = torch.arange(len(starts)) if axes is None else axes
    steps = torch.ones(len(starts), dtype=torch.int64) if steps is None else steps
    for start, end, axis, step in zip(starts.tolist(), ends.tolist(), axes.tolist(), steps.tolist(), strict=True):
        places = range(found.shape[axis])[slice(start, end, step)]
        found = found.index_select(axis, torch.tensor(list(places), dtype=torch.int64))
    kept: torch.Tensor = found
    return kept


def _reshape(attributes: Attributes, values: Values) -> torch.Tensor:
    images, sides = values[0], values[1].tolist()
    if not attributes.get("allowzero", 0):
        sides = [images.shape[axis] if side == 0 else side for axis, side in enumerate(sides)]
    found: torch.Tensor = images.reshape(sides)
    return found


def _reduced(reduce: Callable[..., torch.Tensor]) -> Step:
    """A mean or an extreme over axes."""

    def step(attributes: Attributes, values: Values) -> torch.Tensor:
        images, axes = (*values, None)[:2]
        named = range(images.ndim) if axes is None or not len(axes) else axes.tolist()
        return reduce(images, tuple(named), bool(attributes.get("keepdims", 1)))

    return step


def _unsqueezed(attributes: Attributes, values: Values) -> torch.Tensor:
    found, axes = values[0], values[1].tolist()
    for axis in sorted(axis % (found.ndim + len(axes)) for axis in axes):
        found = found.unsqueeze(axis)
    kept: torch.Tensor = found
    return kept


def _product(attributes: Attributes, values: Values) -> torch.Tensor:
    first, second, third = (*values, None)[:3]
    first = first.T if attributes.get("transA", 0) else first
    second = second.T if attributes.get("transB", 0) else second
    found: torch.Tensor = attributes.get("alpha", 1.0) * (first @ second)
    return found if third is None else found + attributes.get("beta", 1.0) * third


def _pooled(attributes: Attributes, values: Values) -> torch.Tensor:
    found: torch.Tensor = values[0].mean(dim=tuple(range(2, values[0].ndim)), keepdim=True)
    return found


def _plain(function: Callable[..., Any]) -> Step:
    """A step without attributes."""
    return lambda attributes, values: function(*values)


_STEPS: Mapping[str, Step] = {
    "Add": _plain(torch.add),
    "Cast": _cast,
    "Concat": lambda attributes, values: torch.cat(list(values), dim=attributes["axis"]),
    "Conv": _convolution,
    "ConvTranspose": _transposed_convolution,
    "DepthToSpace": _to_space,
    "Div": _plain(torch.div),
    "Gemm": _product,
    "GlobalAveragePool": _pooled,
    "Greater": _plain(torch.gt),
    "Identity": _plain(lambda value: value),
    "LeakyRelu": lambda attributes, values: functional.leaky_relu(values[0], attributes.get("alpha", 0.01)),
    "Log": _plain(torch.log),
    "Max": _plain(torch.maximum),
    "MaxPool": _largest_of_places,
    "Mean": _plain(lambda *values: torch.stack(values).mean(dim=0)),
    "Mul": _plain(torch.mul),
    "ReduceMax": _reduced(torch.amax),
    "ReduceMean": _reduced(torch.mean),
    "ReduceMin": _reduced(torch.amin),
    "Relu": _plain(functional.relu),
    "Reshape": _reshape,
    "Resize": _resize,
    "Shape": _plain(lambda value: torch.tensor(value.shape)),
    "Sigmoid": _plain(torch.sigmoid),
    "Slice": _slice,
    "Softmax": lambda attributes, values: functional.softmax(values[0], dim=attributes.get("axis", -1)),
    "Sqrt": _plain(torch.sqrt),
    "Sub": _plain(torch.sub),
    "Transpose": lambda attributes, values: values[0].permute(*attributes["perm"]),
    "Unsqueeze": _unsqueezed,
}
"""What an operator of ONNX does, in torch."""
