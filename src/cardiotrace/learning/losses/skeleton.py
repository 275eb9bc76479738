"""Losses of thin, branching structures: what counts is the centre line."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional

from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.losses.overlap import (
    DiceCrossEntropyConfig,
    Loss,
    counted,
    dice_cross_entropy_of,
    exact,
)


@dataclass(frozen=True)
class ClDiceConfig:
    """Choices of the weighted sum of soft clDice, soft Dice and cross-entropy."""

    cldice_weight: float = 0.5
    dice_weight: float = 0.5
    cross_entropy_weight: float = 1.0
    iterations: int = 5
    """Erosions of the soft skeleton: the largest half width of the structure, in pixels of the network's grid."""
    background: bool = False
    """Whether class 0 counts in the Dice term; it has no centre line."""
    smooth: float = 1e-5
    ignore: int | None = IGNORED
    """Label of pixels that do not count; by default that of pixels outside the field of view."""

    def __post_init__(self) -> None:
        if self.iterations < 1:
            raise ValueError(f"iterations must be at least 1, got {self.iterations}")


def dice_cross_entropy_cldice(config: ClDiceConfig) -> Loss:
    """Weighted sum of soft clDice loss, soft Dice loss and cross-entropy, from one softmax."""
    overlap = DiceCrossEntropyConfig(
        config.dice_weight, config.cross_entropy_weight, config.background, config.smooth, config.ignore
    )

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        log_probabilities = exact(logits).log_softmax(dim=1)
        centre = soft_cldice_loss(log_probabilities.exp(), labels, config)
        return config.cldice_weight * centre + dice_cross_entropy_of(log_probabilities, labels, overlap)

    return loss


def soft_cldice_loss(
    probabilities: Float[Tensor, "batch classes height width"],
    labels: Int[Tensor, "batch height width"],
    config: ClDiceConfig,
) -> Float[Tensor, ""]:
    """One minus the mean over foreground classes of soft centre-line Dice, with sums over all pixels of the batch.

    clDice = 2 T S / (T + S), where T, the precision of topology, is the share of the predicted skeleton that lies in
    the reference, and S, its sensitivity, the share of the reference's skeleton that lies in the prediction.

    Args:
        probabilities: softmax of the logits, at least float32.
        labels: class of every pixel, 0 to classes - 1, or `config.ignore`.
        config: iterations, smoothing and the label to ignore.

    Returns:
        Loss, 0 (perfect) to 1.

    Source:
        Shit et al. 2021, CVPR, arXiv:2003.07311; here the pixels that do not count are neutral to erosion.

    Example:
        >>> foreground = torch.tensor([[[[0.0, 0.5, 1.0, 0.0]]]])
        >>> labels = torch.tensor([[[0, 1, 1, 0]]])
        >>> config = ClDiceConfig(iterations=1, smooth=0.0)
        >>> round(float(soft_cldice_loss(torch.cat([1 - foreground, foreground], 1), labels, config)), 4)
        0.1429
    """
    classes, counts = counted(labels, config.ignore)
    weights = None if counts is None else counts.unsqueeze(1)
    wanted = torch.arange(1, probabilities.shape[1], device=labels.device)[:, None, None]
    reference = (classes.unsqueeze(1) == wanted).to(probabilities.dtype)
    predicted = probabilities[:, 1:] if weights is None else probabilities[:, 1:] * weights
    predicted = predicted.contiguous()  # a class of a channels-last tensor would be read with gaps, pool after pool
    predicted_line = soft_skeleton(predicted, config.iterations, weights)
    reference_line = soft_skeleton(reference, config.iterations, weights)
    precision = _share(predicted_line, reference, config.smooth)
    sensitivity = _share(reference_line, predicted, config.smooth)
    return 1 - (2 * precision * sensitivity / (precision + sensitivity)).mean()


def soft_skeleton(
    values: Float[Tensor, "batch classes height width"],
    iterations: int,
    counts: Bool[Tensor, "batch 1 height width"] | None = None,
) -> Float[Tensor, "batch classes height width"]:
    """What openings take away from ever more eroded shapes: a skeleton through which gradients flow.

    Args:
        values: membership of each pixel, 0 to 1; 0 where it does not count.
        iterations: erosions after the first opening.
        counts: pixels that count, None for all; the others erode nothing, like pixels beyond the image.

    Example:
        >>> bar = torch.zeros(1, 1, 5, 7)
        >>> bar[..., 1:4, 1:6] = 1.0
        >>> soft_skeleton(bar, 2)[0, 0, 2].tolist()
        [0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0]
    """
    remaining = values
    skeleton = functional.relu(remaining - _opened(remaining, counts))
    for _ in range(iterations):
        remaining = _eroded(remaining, counts)
        lost = functional.relu(remaining - _opened(remaining, counts))
        skeleton = skeleton + functional.relu(lost - skeleton * lost)
    return skeleton


def _eroded(values: Tensor, counts: Tensor | None) -> Tensor:
    """Least value of each pixel and its four neighbours."""
    negative = -values if counts is None else -values.masked_fill(~counts, 1.0)
    vertical = functional.max_pool2d(negative, (3, 1), 1, (1, 0))
    horizontal = functional.max_pool2d(negative, (1, 3), 1, (0, 1))
    least = -torch.maximum(vertical, horizontal)
    return least if counts is None else least * counts


def _opened(values: Tensor, counts: Tensor | None) -> Tensor:
    """Largest eroded value of each pixel and its eight neighbours."""
    return functional.max_pool2d(_eroded(values, counts), 3, 1, 1)


def _share(line: Tensor, region: Tensor, smooth: float) -> Tensor:
    """Share of each class's line that lies in the region: (classes,). Summed image by image first, for accuracy."""
    inside, all_of_it = ((values.sum(dim=(2, 3))).sum(dim=0) for values in (line * region, line))
    return (inside + smooth) / (all_of_it + smooth)
