"""The loss of everything that a network gives while it learns."""

from collections.abc import Callable

import torch
from jaxtyping import Int64
from torch import Tensor, nn
from torch.nn import functional

from cardiotrace.learning.models.outputs import output_weights, outputs_of

Loss = Callable[[Tensor, Tensor], Tensor]


def supervised_loss(
    loss: Loss,
    network: nn.Module,
    result: Tensor | tuple[Tensor, ...],
    labels: Int64[Tensor, "batch height width"],
) -> Tensor:
    """Weighted sum of the losses of a network's outputs, each against the labels at its own size.

    Args:
        loss: of logits and labels.
        network: states the weights in `output_weights`, see `cardiotrace.learning.models.outputs`.
        result: what its `forward` gave in training mode.
        labels: class of every pixel.
    """
    outputs = outputs_of(result)
    weights = output_weights(network, len(outputs))
    terms = [
        weight * loss(output, labels_at(labels, (output.shape[-2], output.shape[-1])))
        for weight, output in zip(weights, outputs, strict=True)
    ]
    return torch.stack(terms).sum() if len(terms) > 1 else terms[0]


def labels_at(
    labels: Int64[Tensor, "batch height width"], shape: tuple[int, int]
) -> Int64[Tensor, "batch rows columns"]:
    """Labels at another size: the nearest pixel's.

    Example:
        >>> labels_at(torch.tensor([[[1, 2, 3, 4]]]), (1, 2)).tolist()
        [[[2, 4]]]
    """
    if labels.shape[-2:] == shape:
        return labels
    resized = functional.interpolate(labels.unsqueeze(1).float(), shape, mode="nearest-exact")
    return resized.squeeze(1).long()
