"""Losses: logits and labels to one number to be made small."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional

from cardiotrace.core.catalog import Catalog, Entry

Loss = Callable[[Tensor, Tensor], Tensor]
"""loss(logits (batch, classes, height, width), labels (batch, height, width) of int64) -> scalar."""


@dataclass(frozen=True)
class DiceConfig:
    """Choices of the soft Dice loss."""

    background: bool = True
    """Whether class 0 counts as a class, as in the CAMUS paper; nnU-Net leaves it out."""
    smooth: float = 1e-5
    """Added above and below the fraction: keeps it defined where a class is absent."""
    ignore: int | None = None
    """Label of pixels that do not count, such as 255."""


@dataclass(frozen=True)
class CrossEntropyConfig:
    """Choices of the cross-entropy."""

    ignore: int | None = None
    """Label of pixels that do not count, such as 255."""


@dataclass(frozen=True)
class DiceCrossEntropyConfig:
    """Choices of the weighted sum of soft Dice and cross-entropy."""

    dice_weight: float = 1.0
    cross_entropy_weight: float = 1.0
    background: bool = True
    """Whether class 0 counts in the Dice term."""
    smooth: float = 1e-5
    ignore: int | None = None
    """Label of pixels that do not count, such as 255."""


def dice(config: DiceConfig) -> Loss:
    """Soft Dice loss over the classes of a batch; see `soft_dice_loss`."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return soft_dice_loss(_exact(logits).softmax(dim=1), labels, config)

    return loss


def cross_entropy(config: CrossEntropyConfig) -> Loss:
    """Mean negative log-probability of the right class, over the pixels that count."""

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        return negative_log_likelihood(_exact(logits).log_softmax(dim=1), labels, ignore=config.ignore)

    return loss


def dice_cross_entropy(config: DiceCrossEntropyConfig) -> Loss:
    """Weighted sum of soft Dice loss and cross-entropy, from one softmax.

    Source:
        Isensee et al. 2021, Nature Methods 18:203, who sum both with weight 1.
    """
    dice_config = DiceConfig(config.background, config.smooth, config.ignore)

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        log_probabilities = _exact(logits).log_softmax(dim=1)
        overlap = soft_dice_loss(log_probabilities.exp(), labels, dice_config)
        likelihood = negative_log_likelihood(log_probabilities, labels, ignore=config.ignore)
        return config.dice_weight * overlap + config.cross_entropy_weight * likelihood

    return loss


def soft_dice_loss(
    probabilities: Float[Tensor, "batch classes height width"],
    labels: Int[Tensor, "batch height width"],
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
    """
    if config.ignore is not None:
        probabilities = probabilities * (labels != config.ignore).unsqueeze(1)
    first = 0 if config.background else 1
    # One comparison per class: a one-hot tensor would cost more memory traffic than the sums themselves.
    masks = [labels == value for value in range(first, probabilities.shape[1])]
    overlaps = torch.stack([(probabilities[:, first + index] * mask).sum() for index, mask in enumerate(masks)])
    references = torch.stack([mask.sum() for mask in masks]).to(probabilities.dtype)
    predictions = probabilities.sum(dim=(0, 2, 3))[first:]
    scores = (2 * overlaps + config.smooth) / (predictions + references + config.smooth)
    return 1 - scores.mean()


def negative_log_likelihood(
    log_probabilities: Float[Tensor, "batch classes height width"],
    labels: Int[Tensor, "batch height width"],
    *,
    ignore: int | None = None,
) -> Float[Tensor, ""]:
    """Mean of -log p of the labelled class over the pixels that count; 0 if none counts."""
    if ignore is None:
        return functional.nll_loss(log_probabilities, labels)
    total = functional.nll_loss(log_probabilities, labels, ignore_index=ignore, reduction="sum")
    return total / (labels != ignore).sum().clamp(min=1)


def _exact(logits: Tensor) -> Tensor:
    """At least float32: sums over a batch of pixels overflow or lose digits in half precision."""
    return logits if logits.dtype == torch.float64 else logits.float()


LOSSES: Catalog[Loss] = Catalog(
    "loss",
    [
        Entry(
            "dice",
            DiceConfig,
            dice,
            "Multi-class soft Dice over the batch, as for U-Net 1 in the CAMUS paper.",
            "Milletari et al. 2016, arXiv:1606.04797; Leclerc et al. 2019, IEEE TMI 38:2198",
        ),
        Entry(
            "cross-entropy",
            CrossEntropyConfig,
            cross_entropy,
            "Mean negative log-probability of the right class.",
            "Ronneberger et al. 2015, arXiv:1505.04597 (here without weights)",
        ),
        Entry(
            "dice+cross-entropy",
            DiceCrossEntropyConfig,
            dice_cross_entropy,
            "Weighted sum of both, as in nnU-Net.",
            "Isensee et al. 2021, Nature Methods 18:203",
        ),
    ],
)
"""`make(config)` returns a `Loss`."""
