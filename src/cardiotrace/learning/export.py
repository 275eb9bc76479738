"""From torch weights to the bytes of one ONNX graph, refused unless both give the same labels."""

import logging
import warnings
from typing import Any, cast

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from cardiotrace.core.errors import WorkError
from cardiotrace.inference.engine import Engine, make_engine, run_single
from cardiotrace.io.stored import quiet
from cardiotrace.learning.models.shape_autoencoder import ShapeAutoencoder
from cardiotrace.learning.models.sides import Divisor, all_sides
from cardiotrace.preprocessing import Preprocessing

_LOG = logging.getLogger(__name__)
_EXPORTER_LOG = "torch.onnx._internal.exporter._registration"
"""Warns that torchvision is missing; nothing here uses it."""
PARITY_TOLERANCE = 1e-4
"""Largest difference of any class probability between torch and the exported model."""
HALF_TOLERANCE = 0.02
"""The same once the weights are rounded to float16: 11 bits of each weight are kept."""


def to_onnx(model: torch.nn.Module, *, channels: int, size: tuple[int, ...] | None) -> onnx.ModelProto:
    """ONNX graph of a network: "images" (batch, channels, *space) -> "logits" (batch, classes, *space).

    Args:
        model: on the CPU; put into evaluation mode.
        channels: of the input.
        size: (height, width) or (depth, height, width) of the input; None leaves height and width of a network of
            planes free, as multiples of its `divisor`. The batch is always free.

    Raises:
        WorkError: the network cannot be written as ONNX.
    """
    free: dict[int, Any] = {0: torch.export.Dim("batch")}
    if size is None:
        free |= {2: torch.export.Dim.AUTO, 3: torch.export.Dim.AUTO}
        # Sides that differ, so that the exporter does not take them for one.
        rows, columns = all_sides(cast(Divisor, model.divisor), 2)
        size = 4 * rows, 6 * columns
    return graph_of(model, torch.zeros(2, channels, *size), free, ("images", "logits"))


def graph_of(
    model: torch.nn.Module, example: torch.Tensor, free: dict[int, Any], names: tuple[str, str]
) -> onnx.ModelProto:
    """ONNX graph of what has one input and one output.

    Args:
        model: on the CPU; put into evaluation mode.
        example: of the input.
        free: axes of the input whose size stays open, see `torch.export`.
        names: of input and output.

    Raises:
        WorkError: it cannot be written as ONNX.
    """
    with warnings.catch_warnings(), quiet(_EXPORTER_LOG):
        # The exporter warns about its own internals; the parity check below is what counts.
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model.eval(),
            (example,),
            input_names=[names[0]],
            output_names=[names[1]],
            dynamic_shapes=(free,),
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise WorkError("the network cannot be written as ONNX")
    graph: onnx.ModelProto = program.model_proto
    _strip(graph)
    return graph


def fixes_size(preprocessing: Preprocessing) -> bool:
    """Whether images of every size come out at one.

    Example:
        >>> from cardiotrace.core.catalog import Choice
        >>> fixes_size(Preprocessing([Choice("resize")])), fixes_size(Preprocessing([Choice("z-score")]))
        (True, False)
    """
    sizes = {preprocessing.shape_for(shape, (1.0, 1.0)) for shape in ((480, 640), (1280, 960))}
    return len(sizes) == 1


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


def halve_weights(graph: onnx.ModelProto) -> None:
    """Store the weights in float16, in place, each followed by a cast that the runtime folds away at loading.

    Only the precision of the weights changes, not that of the arithmetic. Biases, statistics of norms and
    constants, all of one axis at most, stay as they are: they weigh little, and some do not fit into float16.
    """
    casts = []
    for tensor in graph.graph.initializer:
        # The cast takes over the tensor's old name, so that no node that reads it need be touched.
        if tensor.data_type != TensorProto.FLOAT or len(tensor.dims) < 2:
            continue
        name = tensor.name
        halved = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16), f"{name}.half")
        tensor.CopyFrom(halved)
        casts.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]  # an ONNX graph lists its nodes in the order in which they run
    del graph.graph.node[:]
    graph.graph.node.extend(nodes)


def export_network(
    model: torch.nn.Module,
    preprocessing: Preprocessing,
    *,
    examples: torch.Tensor,
    half_weights: bool = True,
    window: tuple[int, ...] | None = None,
) -> bytes:
    """ONNX bytes of a trained network, made only if they compute what the torch model computes.

    The graph is compared in full precision, strictly. With `half_weights` it is then rounded and compared again,
    at the tolerance of rounding; what that costs is what the validation scores of the exported file show.

    Args:
        model: trained network on the CPU; its weights are not changed.
        preprocessing: what images go through before it; where that leaves their sizes free, the graph does too.
        examples: (batch, channels, *space) prepared images for the parity check; real ones, since the labels of noise
            say little.
        half_weights: store weights in float16 and compute in float32.
        window: sides of all that it will see, where it slides over larger samples; those of the examples then.

    Returns:
        The graph, not sealed: its description may need to be fitted with it first.

    Raises:
        WorkError: labels differ, or a probability differs by more than the tolerance.
    """
    is_fixed = window is not None or fixes_size(preprocessing)
    size = tuple(map(int, examples.shape[2:])) if is_fixed else None
    graph = to_onnx(model, channels=int(examples.shape[1]), size=size)
    network = bytes(graph.SerializeToString())
    difference = check_parity(model, _on_cpu(network), examples)
    if half_weights:
        halve_weights(graph)
        network = bytes(graph.SerializeToString())
        difference = check_parity(model, _on_cpu(network), examples, tolerance=HALF_TOLERANCE)
    _LOG.info("exported %d bytes; no probability differs by more than %.2g", len(network), difference)
    return network


def export_shapes(network: ShapeAutoencoder, maps: torch.Tensor) -> tuple[bytes, bytes]:
    """Encoder and decoder of an autoencoder of shapes as two ONNX graphs, made only if they compute what torch does.

    Args:
        network: trained, on the CPU.
        maps: (batch, classes, side, side), real ones for the parity check.

    Returns:
        "maps" (batch, classes, side, side) -> "codes" (batch, code); "codes" -> "logits" (batch, classes, fine, fine).
        Weights are stored in float16.

    Raises:
        WorkError: a probability differs by more than rounding to float16 may bring.
    """
    network.eval()
    with torch.inference_mode():
        codes = network.encode(maps)[0]
    free = {0: torch.export.Dim("batch")}
    encoder = graph_of(_Encoder(network), torch.zeros(2, *maps.shape[1:]), free, ("maps", "codes"))
    decoder = graph_of(network.decoder, torch.zeros(2, codes.shape[1]), free, ("codes", "logits"))
    for graph in (encoder, decoder):
        halve_weights(graph)
    found = bytes(encoder.SerializeToString()), bytes(decoder.SerializeToString())
    coded = torch.from_numpy(run_single(_on_cpu(found[0]), maps.numpy()))
    difference = check_parity(network.decoder, _on_cpu(found[1]), codes, tolerance=HALF_TOLERANCE)
    with torch.inference_mode():
        moved = float((network.decode(coded).softmax(1) - network.decode(codes).softmax(1)).abs().max())
    # Of codes nothing is to be said but what is drawn of them.
    if not moved <= 5 * HALF_TOLERANCE:
        raise WorkError(f"the exported encoder differs from the trained one: probabilities by {moved:.2g}")
    _LOG.info("exported %d and %d bytes; differences %.2g, %.2g", *map(len, found), moved, difference)
    return found


class _Encoder(torch.nn.Module):
    """The mean of the code alone."""

    def __init__(self, network: ShapeAutoencoder) -> None:
        super().__init__()
        self.network = network

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, classes, side, side) to (batch, code)."""
        return self.network.encode(maps)[0]


def _on_cpu(network: bytes) -> Engine:
    """Whatever runs networks elsewhere: parity is a matter of the graph, and the CPU rounds least."""
    return make_engine(network, provider="cpu")


def check_parity(
    model: torch.nn.Module, engine: Engine, examples: torch.Tensor, *, tolerance: float = PARITY_TOLERANCE
) -> float:
    """Compare torch and an engine on examples; returns the largest difference of a probability.

    Raises:
        WorkError: labels differ where the decision is not a tie, or a probability differs by more than `tolerance`.
    """
    with torch.inference_mode():
        expected = model.eval()(examples).softmax(1)
    found = torch.from_numpy(run_single(engine, examples.numpy())).softmax(1)
    difference = float((expected - found).abs().max())
    top = expected.topk(2, dim=1).values
    # Where the two best classes are closer than both errors together, either may win.
    decided = (top[:, 0] - top[:, 1]) > 2 * tolerance
    differing = int(((expected.argmax(1) != found.argmax(1)) & decided).sum())
    if differing or not difference <= tolerance:
        raise WorkError(
            f"the exported model differs from the trained one: {differing} labels, probabilities by {difference:.2g}",
            remedy="nothing was written; try without half_weights.",
        )
    return difference
