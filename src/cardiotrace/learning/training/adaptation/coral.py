"""Deep CORAL: features of both domains with the same means and covariances."""

from collections.abc import Mapping
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from cardiotrace.learning.models.network import TrainingOutputs
from cardiotrace.learning.training.adaptation.features import HearingObjective
from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.adaptation.parts import AdaptationParts, target_rows
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.objective import Progress


@dataclass(frozen=True)
class CoralConfig(MethodConfig):
    """How much it counts."""

    weight: float = 1.0
    """Of the distance between the domains, beside the loss on labels."""

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"weight must be above 0, got {self.weight}")


class CoralObjective(HearingObjective):
    """Labels teach the network, and its deepest features are to have equal moments in both domains.

    Args:
        config: how much that counts.
        parts: network, samples, domains.

    Raises:
        ConfigError: the network has no deepest layer that could be heard.
        InputError: there is one domain only.

    Source:
        Sun and Saenko 2016, ECCV workshops, arXiv:1607.01719, on every place of the deepest features in place of a
        dense layer, and with the means, which a covariance alone leaves apart.
    """

    def __init__(self, config: CoralConfig, parts: AdaptationParts) -> None:
        super().__init__(parts, ("bottleneck",))
        self.config = config

    def further_losses(
        self, batch: TrainingBatch, outputs: TrainingOutputs, progress: Progress
    ) -> Mapping[str, Tensor]:
        """The distance between source and targets."""
        features, rows = outputs.features["bottleneck"].float(), target_rows(self.adaptation, batch)
        return {"coral": self.config.weight * coral_distance(features[~rows], features[rows])}


def coral_distance(
    source: Float[Tensor, "images channels *space"], target: Float[Tensor, "others channels *space"]
) -> Tensor:
    """(|mean_s - mean_t|^2 + |C_s - C_t|^2 / 4 d) / d over d channels, of features at all places of all images.

    Example:
        >>> import torch
        >>> flat = torch.zeros(1, 2, 3, 3)
        >>> float(coral_distance(flat, flat + 1)), float(coral_distance(flat, flat))
        (1.0, 0.0)
    """
    means, covariances = zip(*map(_moments, (source, target)), strict=True)
    channels = source.shape[1]
    apart = (means[0] - means[1]).square().sum() + (covariances[0] - covariances[1]).square().sum() / (4 * channels)
    distance: Tensor = apart / channels
    return distance


def _moments(features: Tensor) -> tuple[Tensor, Tensor]:
    places = features.transpose(0, 1).flatten(1)
    centred = places - places.mean(dim=1, keepdim=True)
    return places.mean(dim=1), centred @ centred.T / max(1, places.shape[1] - 1)
