"""What a network is taught by: every output that it gives while it trains, and what it adds of its own."""

from collections.abc import Callable, Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from cardiotrace.learning.losses import Loss

Outputs = Tensor | Sequence[Tensor]
"""Logits, or several logits with the one that counts in use first."""


def supervised_loss(network: nn.Module, outputs: Outputs, labels: Tensor, loss: Loss) -> Tensor:
    """Sum over outputs of weight_i loss(output_i, labels_i), plus `network.auxiliary_loss(outputs, labels)`.

    While it trains, a network may return a tuple of logits, the final one first; its attribute
    `output_weights` then holds a weight for each. labels_i are the labels on the grid of output i, taken from
    the nearest pixel. An output of weight 0 is not looked at. A network that learns from more than its logits
    has a method `auxiliary_loss(outputs, labels)` that returns a scalar.

    Args:
        network: without wrappers, so that its attributes can be read.
        outputs: what its forward returned in training mode.
        labels: class of every pixel, (batch, height, width).
        loss: of one output.

    Returns:
        Scalar to be made small.

    Raises:
        ValueError: the network has not as many weights as outputs.

    Example:
        >>> network = nn.Module()
        >>> network.output_weights = (0.75, 0.25)
        >>> fine, coarse = torch.full((1, 2, 4, 4), 2.0), torch.full((1, 2, 2, 2), 4.0)
        >>> mean = lambda logits, labels: logits.mean()
        >>> float(supervised_loss(network, (fine, coarse), torch.zeros(1, 4, 4, dtype=torch.long), mean))
        2.5
    """
    every = (outputs,) if isinstance(outputs, Tensor) else tuple(outputs)
    weights: Sequence[float] = (1.0,) if isinstance(outputs, Tensor) else cast(Any, network).output_weights
    terms = [
        weight * loss(output, _on_grid(labels, output)) for weight, output in zip(weights, every, strict=True) if weight
    ]
    total = torch.stack(terms).sum()
    extra: Callable[[Outputs, Tensor], Tensor] | None = getattr(network, "auxiliary_loss", None)
    return total if extra is None else total + extra(outputs, labels)


def _on_grid(labels: Tensor, output: Tensor) -> Tensor:
    """Labels of the pixels nearest to those of a coarser output."""
    size = output.shape[-2:]
    if labels.shape[-2:] == size:
        return labels
    # Integers of labels are exact in float32.
    resized = nn.functional.interpolate(labels.unsqueeze(1).float(), size=size, mode="nearest")
    return resized.squeeze(1).to(labels.dtype)
