"""Style transfer between features: those of the source take means and deviations of the targets'."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from cardiotrace.learning.augmentation.style import levels_of, style_of, uncompiled, with_style
from cardiotrace.learning.models.network import TrainingOutputs
from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.adaptation.parts import AdaptationParts, target_rows
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.objective import Progress
from cardiotrace.learning.training.supervision import SupervisedObjective


@dataclass(frozen=True)
class StyleConfig(MethodConfig):
    """Which features change, and how often."""

    probability: float = 0.5
    """How often an image of the source takes part of the style of a target's, decided for each image and level."""
    levels: tuple[int, ...] = (0, 1)
    """Levels of the encoder, 0 is the finest."""

    def __post_init__(self) -> None:
        if not 0 < self.probability <= 1:
            raise ValueError(f"probability must be above 0 and at most 1, got {self.probability}")
        if not self.levels or min(self.levels) < 0:
            raise ValueError(f"levels must be whole numbers from 0, got {list(self.levels)}")


class StyleObjective(SupervisedObjective):
    """Labels teach the network on features of the source in styles between their own and those of the targets.

    Args:
        config: which, how often.
        parts: network, samples, domains.

    Raises:
        ConfigError: the network has no encoder of so many levels.
        InputError: there is one domain only.

    Source:
        Zhou et al. 2021, ICLR, arXiv:2104.02008 (MixStyle), with a target in place of any other image, and a uniform
        share of its style.
    """

    def __init__(self, config: StyleConfig, parts: AdaptationParts) -> None:
        super().__init__(parts.fabric, parts.learner, parts.loss, parts.class_names)
        parts.told_apart()
        self.config, self.adaptation = config, parts.adaptation
        self._targets: Tensor | None = None
        for level in levels_of(self.network, config.levels, "adaptation.method"):
            level.register_forward_hook(uncompiled(self._restyle))

    def outputs_of(self, batch: TrainingBatch, progress: Progress) -> TrainingOutputs:
        """See `SupervisedObjective`; in the styles of the batch's targets."""
        self._targets = target_rows(self.adaptation, batch)
        try:
            return super().outputs_of(batch, progress)
        finally:
            self._targets = None

    def _restyle(self, module: nn.Module, inputs: Any, features: Tensor) -> Tensor | None:
        if self._targets is None:
            return None
        own, others = (torch.nonzero(rows).flatten() for rows in (~self._targets, self._targets))
        partners = others[torch.randint(len(others), (len(own),)).to(others.device)]
        share = torch.rand(len(own)) * (torch.rand(len(own)) < self.config.probability)
        mean, sd = style_of(features)
        part = share.to(features.device).reshape(-1, *[1] * (features.ndim - 1))
        new = with_style(
            features[own], torch.lerp(mean[own], mean[partners], part), torch.lerp(sd[own], sd[partners], part)
        )
        return features.index_copy(0, own, new)
