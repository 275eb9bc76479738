"""What a network may give while it learns: its logits alone, or further outputs that are supervised as well.

The contract: in evaluation mode `forward` returns one tensor of logits (batch, classes, height, width). In training
mode it may return a tuple of such tensors, the final one first, others possibly coarser; the network's attribute
`output_weights` then holds the weight of each in the loss.
"""

from typing import Any

from torch import Tensor, nn


def outputs_of(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    """All outputs of a network's call, the final one first."""
    return (result,) if isinstance(result, Tensor) else tuple(result)


def final_output(result: Tensor | tuple[Tensor, ...]) -> Tensor:
    """The logits that count."""
    return outputs_of(result)[0]


def output_weights(network: nn.Module, count: int) -> tuple[float, ...]:
    """Weight of each of `count` outputs in the loss; 1 for a single one.

    Raises:
        ValueError: the network states another number of weights.
    """
    stated: Any = getattr(network, "output_weights", (1.0,))
    weights = tuple(float(weight) for weight in stated)
    if count == 1:
        return weights[:1]
    if len(weights) != count:
        raise ValueError(f"{type(network).__name__} gives {count} outputs and states {len(weights)} weights")
    return weights
