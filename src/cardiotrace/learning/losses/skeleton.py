"""Losses of thin, branching structures: what counts is the centre line."""

from dataclasses import dataclass
from functools import reduce
from typing import Any

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
    probabilities: Float[Tensor, "batch classes *space"],
    labels: Int[Tensor, "batch *space"],
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
    wanted = torch.arange(1, probabilities.shape[1], device=labels.device).reshape(-1, *(1,) * (labels.ndim - 1))
    reference = (classes.unsqueeze(1) == wanted).to(probabilities.dtype)
    predicted = probabilities[:, 1:] if weights is None else probabilities[:, 1:] * weights
    predicted = predicted.contiguous()  # a class of a channels-last tensor would be read with gaps, pool after pool
    predicted_line = soft_skeleton(predicted, config.iterations, weights)
    reference_line = soft_skeleton(reference, config.iterations, weights)
    precision = _share(predicted_line, reference, config.smooth)
    sensitivity = _share(reference_line, predicted, config.smooth)
    return 1 - (2 * precision * sensitivity / (precision + sensitivity)).mean()


def soft_skeleton(
    values: Float[Tensor, "batch classes *space"],
    iterations: int,
    counts: Bool[Tensor, "batch 1 *space"] | None = None,
) -> Float[Tensor, "batch classes *space"]:
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
    eroded = _eroded(values, counts)
    skeleton = functional.relu(values - _dilated(eroded))
    for _ in range(iterations):
        remaining, eroded = eroded, _eroded(eroded, counts)
        lost = functional.relu(remaining - _dilated(eroded))
        # A union of soft sets, s + l - s l: a pixel that several openings take away counts once.
        skeleton = skeleton + functional.relu(lost - skeleton * lost)
    return skeleton


def _eroded(values: Tensor, counts: Tensor | None) -> Tensor:
    """Least value of each pixel and its nearest neighbours along every axis: a cross of 5 pixels, or of 7 voxels."""
    # The largest value erodes nothing: what does not count must not eat away its neighbours at the edge of the field
    # of view.
    negative = -values if counts is None else -values.masked_fill(~counts, 1.0)
    least = -reduce(torch.maximum, [_largest_of_three(negative, axis) for axis in range(2, values.ndim)])
    return least if counts is None else least * counts


def _dilated(values: Tensor) -> Tensor:
    """Largest value of each pixel and all that touch it, corners too: a square of 9 pixels, or a cube of 27 voxels."""
    return reduce(_largest_of_three, range(2, values.ndim), values)


def _largest_of_three(values: Tensor, axis: int) -> Tensor:
    """Largest value of each pixel and its two neighbours along an axis."""
    largest: Tensor = _LargestOfThree.apply(values, axis)  # type: ignore[no-untyped-call]
    return largest


class _LargestOfThree(torch.autograd.Function):
    """As a pool of three, but several times faster on a CPU; of equal pixels the first gets the gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, axis: int) -> Tensor:
        ctx.axis = axis
        before, after = _without_last(values, axis), _without_first(values, axis)
        pairs = torch.maximum(before, after)
        # At either end the pair is all there is: the pixel itself stands in for the neighbour beyond the edge.
        one = torch.cat([values.narrow(axis, 0, 1), pairs], axis)
        other = torch.cat([pairs, values.narrow(axis, -1, 1)], axis)
        ctx.save_for_backward(before >= after, one >= other)
        return torch.maximum(one, other)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        axis, (first_of_pair, one_wins) = ctx.axis, ctx.saved_tensors
        of_one = gradients[0] * one_wins
        of_other = gradients[0] - of_one
        of_pairs = _without_first(of_one, axis) + _without_last(of_other, axis)
        of_before = of_pairs * first_of_pair
        of_values = torch.cat([of_before, of_other.narrow(axis, -1, 1)], axis)
        _without_first(of_values, axis).add_(of_pairs - of_before)
        of_values.narrow(axis, 0, 1).add_(of_one.narrow(axis, 0, 1))
        return of_values, None


def _without_first(values: Tensor, axis: int) -> Tensor:
    return values.narrow(axis, 1, values.shape[axis] - 1)


def _without_last(values: Tensor, axis: int) -> Tensor:
    return values.narrow(axis, 0, values.shape[axis] - 1)


def _share(line: Tensor, region: Tensor, smooth: float) -> Tensor:
    """Share of each class's line that lies in the region: (classes,). Summed image by image first, for accuracy."""
    space = tuple(range(2, line.ndim))
    inside, all_of_it = (values.sum(dim=space).sum(dim=0) for values in (line * region, line))
    return (inside + smooth) / (all_of_it + smooth)
