"""Losses of samples whose reference does not hold every structure: what it lacks may be anywhere in its background."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from cardiotrace.learning.losses.overlap import Loss, exact

_FAR_BELOW = 80.0
"""By how much the logit of an unknown class lies below the background's: e^-80 is the least probability that float32
still holds with all digits, so that no fraction of sums becomes 0 / 0."""


def marginal_loss(loss: Loss, known: Bool[Tensor, "batch classes"]) -> Loss:
    """The loss for samples of which some structures are not annotated.

    Any loss of a softmax becomes its marginal form: cross-entropy and Dice alike see p(background) + sum of p(unknown)
    where background is labelled, and no class that a sample lacks.

    Args:
        loss: of complete samples.
        known: which classes each sample's reference holds; its background always does.

    Source:
        Fang and Yan 2020, IEEE Trans Med Imaging 39:3619 (PIPO-FAN, target-adaptive loss); Shi et al. 2021, Medical
        Image Analysis 70:101979 (marginal loss).
    """

    def marginal(logits: Tensor, labels: Tensor) -> Tensor:
        return loss(merged_into_background(logits, known), labels)

    return marginal


def merged_into_background(
    logits: Float[Tensor, "batch classes *space"], known: Bool[Tensor, "batch classes"]
) -> Float[Tensor, "batch classes *space"]:
    """Logits whose softmax gives unknown classes nothing, and the background what it and they had together.

    Args:
        logits: of a network that tells all classes apart.
        known: which classes each sample's reference holds.

    Returns:
        At least float32; those of complete samples are unchanged.

    Example:
        >>> probabilities = torch.tensor([0.5, 0.2, 0.3]).reshape(1, 3, 1)
        >>> merged = merged_into_background(probabilities.log(), torch.tensor([[True, True, False]]))
        >>> [round(value, 4) for value in merged.softmax(1).flatten().tolist()]
        [0.8, 0.2, 0.0]
    """
    logits = exact(logits)
    held = known.reshape(*known.shape, *(1,) * (logits.ndim - 2))
    together = logits[:, 1:].masked_fill(held[:, 1:], -torch.inf)
    background = torch.cat([logits[:, :1], together], dim=1).logsumexp(dim=1, keepdim=True)
    others = torch.where(held[:, 1:], logits[:, 1:], background.detach() - _FAR_BELOW)
    return torch.cat([background, others], dim=1)
