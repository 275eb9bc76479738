"""No adaptation: the row that all others are compared with."""

from dataclasses import dataclass
from typing import ClassVar

from cardiotrace.learning.training.adaptation.method import MethodConfig
from cardiotrace.learning.training.adaptation.parts import AdaptationParts
from cardiotrace.learning.training.objective import Objective
from cardiotrace.learning.training.supervision import SupervisedObjective


@dataclass(frozen=True)
class NoAdaptationConfig(MethodConfig):
    """It has no options."""

    sees_targets: ClassVar[bool] = False


def make(config: NoAdaptationConfig, parts: AdaptationParts) -> Objective:
    """Supervised training on whatever has labels."""
    return SupervisedObjective(parts.fabric, parts.learner, parts.loss, parts.class_names)
