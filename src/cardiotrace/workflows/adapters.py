"""The ways to adapt a model to an image, by name; those that need torch load it when they are used."""

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cardiotrace.core.catalog import Catalog, Choice, Entry
from cardiotrace.core.errors import UsageError
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.test_time import (
    StatisticsConfig,
    StylesConfig,
    Subject,
    TonesConfig,
    moment_affine,
    renormalised,
    styled,
    toned,
)
from cardiotrace.workflows.services.adaptation import Adapter

if TYPE_CHECKING:
    from cardiotrace.learning.test_time import Loss


@dataclass(frozen=True)
class DescentConfig:
    """Some steps of Adam on gain and offset of every channel behind a convolution; needs torch."""

    steps: int = 3
    """Few, for a network that goes on long enough says the same of all pixels."""
    learning_rate: float = 1e-3
    """Of Adam."""
    share: float = 0.0
    """How far the image's own statistics are believed before the first step, see `statistics`; 0: not at all."""

    def __post_init__(self) -> None:
        if self.steps < 1 or self.learning_rate <= 0:
            raise ValueError("steps and learning_rate must be above 0")
        if not 0 <= self.share <= 1:
            raise ValueError(f"share must be from 0 to 1, got {self.share}")


def surer(config: DescentConfig, subject: Subject) -> Predictor:
    """A network that was made less undecided about this image.

    Raises:
        UsageError: torch is not installed.
        ModelFileError: nothing can be adapted; or statistics of the training images are wanted and not known.
        WorkError: the entropy is no number.
    """
    require_torch("entropy")
    from cardiotrace.learning.test_time import entropy_loss  # loads torch

    return _descended(config, subject, entropy_loss)


def righter(config: DescentConfig, subject: Subject) -> Predictor:
    """A network whose labels of this image the judge in the model file finds less wrong.

    Raises:
        UsageError: torch is not installed.
        ModelFileError: the file holds no judge; else as `surer`.
        WorkError: what the judge says is no number.
    """
    require_torch("reward")
    from cardiotrace.learning.test_time import judged_loss  # loads torch

    return _descended(config, subject, judged_loss(subject.judge))


def _descended(config: DescentConfig, subject: Subject, loss: "Loss") -> Predictor:
    from cardiotrace.learning.test_time import descended

    first = moment_affine(config.share, subject) if config.share else None
    steps, rate = config.steps, config.learning_rate
    network = descended(subject.graph, subject.batch, loss, steps=steps, learning_rate=rate, first=first)
    return subject.predictor.with_network(network)


def require_torch(method: str) -> None:
    """Refuse what needs torch where there is none.

    Raises:
        UsageError: torch is not installed.
    """
    try:
        import torch  # noqa: F401
    except ImportError:
        raise UsageError(
            f"--adapt {method} needs torch, which is not installed",
            remedy='pip install "cardiotrace[train]", or take --adapt styles.',
        ) from None


ADAPTERS: Catalog[Predictor] = Catalog(
    "way to adapt a model to an image",
    [
        Entry("styles", StylesConfig, styled, "Average over the image in other tones and another sharpness."),
        Entry(
            "tones",
            TonesConfig,
            toned,
            "Bring the tones of the image half way to those of the training images.",
            "after Nyul and Udupa 1999, Magn Reson Med 42:1072",
        ),
        Entry(
            "statistics",
            StatisticsConfig,
            renormalised,
            "Bring mean and variance of every channel of the network half way to those of the training images.",
            "Li et al. 2018, Pattern Recognition 80:109; Schneider et al. 2020, NeurIPS",
        ),
        Entry(
            "entropy",
            DescentConfig,
            surer,
            "Move gain and offset of every channel until the network is surer of the image; needs [train].",
            "Wang et al. 2021, ICLR (Tent)",
        ),
        Entry(
            "reward",
            DescentConfig,
            righter,
            "The same, until the network that judges its labels finds fewer of them wrong; needs [train].",
            "after Judge et al. 2024, MICCAI, arXiv:2406.17902",
        ),
    ],
)
"""Called with a `Subject`; each gives another predictor of the same model."""


def adapter_of(choice: Choice) -> Adapter:
    """What adapts models in one of these ways, checked now, so that a wrong name ends the work before it begins.

    Args:
        choice: of `ADAPTERS`.

    Raises:
        UsageError: there is no such way, or it needs torch, which is not installed.
        ConfigError: an option is unknown or has a bad value.

    Example:
        >>> adapter_of(Choice("styles")).name
        'styles'
    """
    if choice.name not in ADAPTERS:
        known = ", ".join(ADAPTERS.names)
        raise UsageError(f"there is no way {choice.name!r} to adapt a model", remedy=f"choose from: {known}.")
    if ADAPTERS[choice.name].config is DescentConfig:
        require_torch(choice.name)
    return Adapter(choice.name, partial(ADAPTERS.make, ADAPTERS.resolve(choice)))
