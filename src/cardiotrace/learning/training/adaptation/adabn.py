"""AdaBN: a trained network whose batch norms count the target in place of the source; no weight is learned."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.adaptation.parts import AdaptationParts, target_rows
from cardiotrace.learning.training.device_dataset import TrainingBatch
from cardiotrace.learning.training.objective import TOTAL, Losses, Progress
from cardiotrace.learning.training.supervision import SupervisedObjective

_COUNTING = nn.modules.batchnorm._BatchNorm


@dataclass(frozen=True)
class AdaBnConfig(MethodConfig):
    """It has no options: an epoch passes over the targets, and all their images count alike."""

    needs_start: ClassVar[bool] = True
    training: ClassVar[Mapping[str, Any]] = {"epochs": 1, "ema_decay": 0.0, "keep": "last", "patience": 0}


class AdaBnObjective(SupervisedObjective):
    """Batch norms forget what they have counted, then count the targets' images; nothing else changes.

    Args:
        config: nothing.
        parts: network, samples, domains.

    Raises:
        ConfigError: the network has no batch norm.

    Source:
        Li et al. 2016, arXiv:1603.04779.
    """

    def __init__(self, config: AdaBnConfig, parts: AdaptationParts) -> None:
        super().__init__(parts.fabric, parts.learner, parts.loss, parts.class_names)
        self.adaptation = parts.adaptation
        self.norms = [module for module in self.network.modules() if isinstance(module, _COUNTING)]
        if not self.norms:
            raise ConfigError(
                "this network has no batch norm whose statistics could be those of the target",
                remedy='set architecture.norm = "batch", or choose another method.',
            )

    @property
    def learning_rate(self) -> float:
        """No weight is learned."""
        return 0.0

    def step(self, batch: TrainingBatch, progress: Progress) -> Losses:
        """Count the targets of a batch."""
        if not progress.step:
            for norm in self.norms:
                norm.reset_running_stats()
        with torch.no_grad(), self.fabric.autocast(), _all_count_alike(self.norms):
            self.network(batch.images[target_rows(self.adaptation, batch)])
        return {TOTAL: torch.zeros((), device=batch.labels.device)}


@contextmanager
def _all_count_alike(norms: Sequence[Any]) -> Iterator[None]:
    """Running statistics are means over all that was counted, and do not forget the first images."""
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = None
    try:
        yield
    finally:
        for norm, momentum in zip(norms, before, strict=True):
            norm.momentum = momentum
