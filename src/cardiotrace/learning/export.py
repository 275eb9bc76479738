"""From torch weights to one sealed ONNX file, refused unless both give the same labels."""

import copy
import warnings

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from cardiotrace.core.errors import WorkError
from cardiotrace.inference.engine import Engine, OnnxRuntimeEngine
from cardiotrace.inference.model_file import Model, open_seal, seal
from cardiotrace.inference.spec import ModelSpec

PARITY_TOLERANCE = 1e-4
"""Largest difference of any class probability between torch and the exported model."""


def to_onnx(model: torch.nn.Module, *, channels: int, size: tuple[int, int], half_weights: bool) -> bytes:
    """ONNX graph of a network: "images" (batch, channels, height, width) -> "logits" (batch, classes, height, width).

    Args:
        model: in evaluation mode, on the CPU.
        channels: of the input.
        size: (height, width) of the input; the batch stays free.
        half_weights: store weights in float16; they are cast back to float32 when the model is loaded, so
            that only their precision changes, not that of the arithmetic.
    """
    example = torch.zeros(2, channels, *size)
    with warnings.catch_warnings():
        # The exporter warns about its own internals; the parity check below is what counts.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model.eval(),
            (example,),
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise WorkError("the network cannot be written as ONNX")
    graph = program.model_proto
    _strip(graph)
    if half_weights:
        _halve_weights(graph)
    return bytes(graph.SerializeToString())


def _strip(graph: onnx.ModelProto) -> None:
    """Drop the exporter's notes: they hold source paths and double the size of small models."""
    graph.doc_string = ""
    del graph.metadata_props[:]
    del graph.graph.metadata_props[:]
    del graph.graph.value_info[:]
    for node in graph.graph.node:
        node.doc_string = ""
        del node.metadata_props[:]
    for tensor in graph.graph.initializer:
        tensor.doc_string = ""
        del tensor.metadata_props[:]


def _halve_weights(graph: onnx.ModelProto) -> None:
    """Store float32 initialisers in float16, each followed by a cast that the runtime folds away at loading."""
    casts = []
    for tensor in graph.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        name = tensor.name
        halved = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}.half")
        tensor.CopyFrom(halved)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def round_to_half(model: torch.nn.Module) -> torch.nn.Module:
    """A copy whose weights are what float16 can hold: the function that the stored model computes."""
    rounded = copy.deepcopy(model)
    with torch.no_grad():
        for tensor in (*rounded.parameters(), *rounded.buffers()):
            if tensor.is_floating_point():
                tensor.copy_(tensor.half().float())
    return rounded


def sealed_model(
    model: torch.nn.Module, spec: ModelSpec, *, examples: torch.Tensor, half_weights: bool = True
) -> Model:
    """A model file in memory, made only if the file computes what the torch model computes.

    With `half_weights` the torch model is rounded first, and parity is that of the rounded model: rounding is
    a choice that the validation scores of the exported file show, not a difference between two engines.

    Args:
        model: trained network on the CPU; not changed.
        spec: the description that goes into the file.
        examples: (batch, channels, height, width) prepared images for the parity check; real ones, since the
            labels of noise say little.
        half_weights: store weights in float16 and compute in float32.

    Raises:
        WorkError: labels differ, or a probability differs by more than 1e-4.
    """
    size = (int(examples.shape[-2]), int(examples.shape[-1]))
    if half_weights:
        model = round_to_half(model)
    content = seal(to_onnx(model, channels=int(examples.shape[1]), size=size, half_weights=half_weights), spec)
    sealed = Model(open_seal(content), content)
    check_parity(model, OnnxRuntimeEngine(sealed), examples)
    return sealed


def check_parity(model: torch.nn.Module, engine: Engine, examples: torch.Tensor) -> float:
    """Compare torch and an engine on examples; returns the largest difference of a probability.

    Raises:
        WorkError: labels differ where the decision is not a tie, or a probability differs by more than 1e-4.
    """
    with torch.inference_mode():
        expected = model.eval()(examples).softmax(1)
    found = torch.from_numpy(engine.run(examples.numpy())).softmax(1)
    difference = float((expected - found).abs().max())
    top = expected.topk(2, dim=1).values
    decided = (top[:, 0] - top[:, 1]) > 2 * PARITY_TOLERANCE
    differing = int(((expected.argmax(1) != found.argmax(1)) & decided).sum())
    if differing or not difference <= PARITY_TOLERANCE:
        raise WorkError(
            f"the exported model differs from the trained one: {differing} labels, probabilities by {difference:.2g}",
            remedy="nothing was written; try without half_weights.",
        )
    return difference
