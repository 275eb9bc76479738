"""A model adapted to the very images that it is about to label, without a reference and without training.

What is here needs no more than what runs models. Everything is *episodic*: an image is adapted to by itself, and
nothing is kept for the next one.
"""

import logging
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.channels import Affine, ChannelGraph
from cardiotrace.inference.engine import make_engine
from cardiotrace.inference.learned_images import LearnedImages, tones_of
from cardiotrace.inference.look import STYLES, ToneCurve
from cardiotrace.inference.model_file import JUDGE, Model
from cardiotrace.inference.predictor import Predictor

_LOG = logging.getLogger(__name__)
_LEAST = 1e-12
"""Probability below which a class adds nothing to an entropy."""


@dataclass(frozen=True)
class Subject:
    """A model, and what it sees of the image that it is to be adapted to."""

    predictor: Predictor
    model: Model
    """The file, with its graphs."""
    batch: Float[np.ndarray, "batch channels *axes"]
    """Some samples of the image, see `Predictor.inputs`."""

    @cached_property
    def graph(self) -> bytes:
        """Of the network that labels."""
        return self.model.graph()

    @property
    def judge(self) -> bytes:
        """The graph that tells where labels are wrong: it sees an image and a channel for each class.

        Raises:
            ModelFileError: the model file holds none.
        """
        if JUDGE not in self.model.spec.graphs:
            raise ModelFileError(
                f"model {self.model.spec.name!r} has no network that judges its labels",
                remedy="take --adapt entropy, or a model that `cardiotrace adapt rl4seg` made.",
            )
        return self.model.graph(JUDGE)

    @cached_property
    def learned(self) -> LearnedImages:
        """What the training images were like.

        Raises:
            ModelFileError: the model file does not say.
        """
        known = self.predictor.spec.calibration.learned
        if known is None:
            raise ModelFileError(
                f"model {self.predictor.spec.name!r} does not say what its training images were like",
                remedy="analyse with --adapt styles, or export the model again with `cardiotrace export`.",
            )
        return known


@dataclass(frozen=True)
class StylesConfig:
    """Average what the network says of the image in several styles."""


@dataclass(frozen=True)
class TonesConfig:
    """Bring the tones of the image to those that the network learned from."""

    share: float = 0.5
    """Of the way there: 1 is all of it."""

    def __post_init__(self) -> None:
        _check_share(self.share)


@dataclass(frozen=True)
class StatisticsConfig:
    """Bring mean and variance of every channel behind a convolution to those that the network learned from."""

    share: float = 0.5
    """How far the image's own statistics are believed; the rest is those that were learned."""

    def __post_init__(self) -> None:
        _check_share(self.share)


def styled(config: StylesConfig, subject: Subject) -> Predictor:
    """The mean over `STYLES` of each sample."""
    return subject.predictor.shown(STYLES)


def toned(config: TonesConfig, subject: Subject) -> Predictor:
    """Each sample with its tones on the way to those of the training images: one curve for all of the image.

    Raises:
        ModelFileError: the model file does not say what its training images were like.
    """
    found = np.array(tones_of(subject.batch))
    wanted = found + config.share * (np.array(subject.learned.tones) - found)
    return subject.predictor.shown((ToneCurve(tuple(found.tolist()), tuple(wanted.tolist())),))


def renormalised(config: StatisticsConfig, subject: Subject) -> Predictor:
    """Another network, whose channels have on this image the moments that they had on the training images.

    This is what taking the statistics of batch normalisation from the image at hand is, for a network whose layers of
    normalisation went into its weights, or that never had any.

    Source:
        Li et al. 2018, Pattern Recognition 80:109 (AdaBN); Schneider et al. 2020, NeurIPS (a mean of both statistics).
        There both are of the network's input to a layer of normalisation, here of what stands behind each convolution.

    Raises:
        ModelFileError: the model file does not say what its training images were like, or nothing can be adapted.
    """
    return subject.predictor.with_network(ChannelGraph(subject.graph).scaled(moment_affine(config.share, subject)))


def moment_affine(share: float, subject: Subject) -> dict[str, Affine]:
    """What brings every channel to the moments of the training images; see `renormalised`."""
    known = ChannelGraph(subject.graph)
    engine = make_engine(known.renormalised(subject.learned.by_convolution, share))
    found = known.affine_of(engine.run({engine.inputs[0]: subject.batch}))
    _LOG.debug("gains of %d convolutions, the largest %.2f", len(found), max(gain.max() for gain, _ in found.values()))
    return found


def entropy(probabilities: Float[np.ndarray, "batch classes *axes"]) -> float:
    """Mean over pixels of H = - sum p log p, in nats: how undecided a network is.

    Example:
        >>> round(entropy(np.full((1, 2, 1, 1), 0.5)), 4)
        0.6931
    """
    return float(-(probabilities * np.log(np.maximum(probabilities, _LEAST))).sum(axis=1).mean())


def _check_share(share: float) -> None:
    if not 0 < share <= 1:
        raise ValueError(f"share must be above 0 and at most 1, got {share}")
