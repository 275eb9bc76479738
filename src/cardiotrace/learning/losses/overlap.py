"""Soft Dice and cross-entropy."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from cardiotrace.datasets.packed import IGNORED

Loss = Callable[[Tensor, Tensor], Tensor]
"""loss(logits (batch, classes, *space), labels (batch, *space) of int64) -> scalar; space is of two or three axes."""


@dataclass(frozen=True)
class DiceConfig:
    """Choices of the soft Dice loss."""

    background: bool = True
    """Whether class 0 counts as a class, as in the CAMUS paper; nnU-Net leaves it out."""
    smooth: float = 1e-5
    """Added above and below the fraction: keeps it defined where a class is absent."""
    ignore: int | None = IGNORED
    """Label of pixels that do not count; by default that of pixels outside the field of view."""


@dataclass(frozen=True)
class CrossEntropyConfig:
    """Choices of the cross-entropy."""

    ignore: int | None = IGNORED
    """Label of pixels that do not count; by default that of pixels outside the field of view."""


@dataclass(frozen=True)
class DiceCrossEntropyConfig:
    """Choices of the weighted sum of soft Dice and cross-entropy."""

    dice_weight: float = 1.0
    cross_entropy_weight: float = 1.0
    background: bool = True
    """Whether class 0 counts in the Dice term."""
    smooth: float = 1e-5
    ignore: int | None = IGNORED
    """Label of pixels that do not count; by default that of pixels outside the field of view."""


def dice(config: DiceConfig) -> Loss:
    """Soft Dice loss over the classes of a batch; see `soft_dice_loss`."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return soft_dice_loss(exact(logits).softmax(dim=1), labels, config)

    return loss


def cross_entropy(config: CrossEntropyConfig) -> Loss:
    """Mean negative log-probability of the right class, over the pixels that count."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return negative_log_likelihood(exact(logits).log_softmax(dim=1), labels, ignore=config.ignore)

    return loss


def dice_cross_entropy(config: DiceCrossEntropyConfig) -> Loss:
    """Weighted sum of soft Dice loss and cross-entropy, from one softmax.

    Source:
        Isensee et al. 2021, Nature Methods 18:203, who sum both with weight 1.
    """

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return dice_cross_entropy_of(exact(logits).log_softmax(dim=1), labels, config)

    return loss


def dice_cross_entropy_of(
    log_probabilities: Float[Tensor, "batch classes *space"],
    labels: Int[Tensor, "batch *space"],
    config: DiceCrossEntropyConfig,
) -> Float[Tensor, ""]:
    """Weighted sum of soft Dice loss and cross-entropy of log-probabilities."""
    classes, counts = counted(labels, config.ignore)
    # Both terms need the right class alone, so that one softmax and one gather serve them.
    right = _at(log_probabilities, classes)
    dice_config = DiceConfig(config.background, config.smooth, config.ignore)
    overlap = _dice_loss(log_probabilities.exp(), right.exp(), classes, counts, dice_config)
    return config.dice_weight * overlap - config.cross_entropy_weight * _mean(right, counts)


def soft_dice_loss(
    probabilities: Float[Tensor, "batch classes *space"],
    labels: Int[Tensor, "batch *space"],
    config: DiceConfig,
) -> Float[Tensor, ""]:
    """One minus the mean over classes of soft Dice, with sums over all pixels of the batch.

    Dice of class c = (2 sum p_c t_c + smooth) / (sum p_c + sum t_c + smooth).

    Args:
        probabilities: softmax of the logits, at least float32.
        labels: class of every pixel, 0 to classes - 1, or `config.ignore`.
        config: background, smoothing and the label to ignore.

    Returns:
        Loss, 0 (perfect) to 1.

    Source:
        Milletari et al. 2016, 3DV, arXiv:1606.04797, with plain instead of squared sums below;
        sums over the batch as in nnU-Net (Isensee et al. 2021).

    Example:
        >>> probabilities = torch.tensor([[[[0.25, 0.5]], [[0.75, 0.5]]]])
        >>> loss = soft_dice_loss(probabilities, torch.tensor([[[1, 1]]]), DiceConfig(background=False, smooth=0.0))
        >>> round(float(loss), 4)
        0.2308
    """
    classes, counts = counted(labels, config.ignore)
    return _dice_loss(probabilities, _at(probabilities, classes), classes, counts, config)


def negative_log_likelihood(
    log_probabilities: Float[Tensor, "batch classes *space"],
    labels: Int[Tensor, "batch *space"],
    *,
    ignore: int | None = None,
) -> Float[Tensor, ""]:
    """Mean of -log p of the labelled class over the pixels that count; 0 if none counts."""
    classes, counts = counted(labels, ignore)
    return -_mean(_at(log_probabilities, classes), counts)


def counted(labels: Tensor, ignore: int | None) -> tuple[Tensor, Tensor | None]:
    """Class of every pixel, 0 where it is ignored, and which pixels count (None: all)."""
    if ignore is None:
        return labels, None
    counts = labels != ignore
    # Ignored pixels need some class that exists, or gathering by class would read beyond the logits.
    return labels * counts, counts


def _at(values: Tensor, classes: Tensor) -> Tensor:
    """Value of each pixel's own class: (batch, *space)."""
    return values.gather(1, classes.unsqueeze(1)).squeeze(1)


def _mean(values: Tensor, counts: Tensor | None) -> Tensor:
    return values.mean() if counts is None else (values * counts).sum() / counts.sum().clamp(min=1)


def _dice_loss(
    probabilities: Tensor, right: Tensor, classes: Tensor, counts: Tensor | None, config: DiceConfig
) -> Tensor:
    """Soft Dice loss; `right` holds the probability of each pixel's own class."""
    weights = torch.ones_like(right) if counts is None else counts.to(right.dtype)
    if counts is not None:
        probabilities, right = probabilities * weights.unsqueeze(1), right * weights
    # sum p_c t_c is the sum of `right` over the pixels of class c: no one-hot tensor of all classes is needed.
    class_count = probabilities.shape[1]
    predictions = probabilities.sum(dim=(0, *range(2, probabilities.ndim)))
    overlaps, references = (_sum_by_class(values, classes, class_count) for values in (right, weights.detach()))
    scores = (2 * overlaps + config.smooth) / (predictions + references + config.smooth)
    return 1 - scores[0 if config.background else 1 :].mean()


def _sum_by_class(values: Tensor, classes: Tensor, class_count: int) -> Tensor:
    """Sum of the values of the pixels of each class.

    Row by row first, without a one-hot tensor: a single float32 accumulator for a whole batch would be
    wrong by percents once the sum reaches millions.
    """
    rows = values.new_zeros(*values.shape[:-1], class_count).scatter_add(-1, classes, values)
    return rows.sum(dim=tuple(range(rows.ndim - 1)))


def exact(logits: Tensor) -> Tensor:
    """At least float32: sums over a batch of pixels overflow or lose digits in half precision."""
    return logits if logits.dtype == torch.float64 else logits.float()
