"""What a model's training images were like: their tones, and what the network makes of them.

Tones are quantiles of all that the network sees. Of every channel behind a convolution (`inference.channels`) there are
mean and variance. Both are means over samples of the training part, and travel in the model file, so that an exam can
be brought to them.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.channels import ChannelGraph, Moments
from cardiotrace.inference.engine import make_engine
from cardiotrace.inference.unlikeness import packed, unpacked

QUANTILES = tuple(np.linspace(0.01, 0.99, 50).round(2).tolist())
"""Shares of pixels below each of the tones."""
SAMPLES = 64
"""Of the training part that are looked at."""
_BATCH = 4
"""Looked at at once: a variance wants more than one sample, and each needs memory for all of its channels."""


@dataclass(frozen=True)
class LearnedImages:
    """Of the samples of a training part; as a model file holds it."""

    tones: tuple[float, ...]
    """Values of what the network sees at `QUANTILES`."""
    convolutions: tuple[str, ...]
    """Those whose channels are known, as the graph calls them."""
    channels: tuple[int, ...]
    """Of each of them."""
    moments: str
    """`packed`: mean and standard deviation of each channel, one convolution after the other."""
    samples: int

    def __post_init__(self) -> None:
        if len(self.tones) != len(QUANTILES) or len(self.convolutions) != len(self.channels):
            raise ModelFileError("the model's statistics of its training images are damaged", remedy=_AGAIN)

    @cached_property
    def by_convolution(self) -> dict[str, Moments]:
        """Mean and variance of every channel.

        Raises:
            ModelFileError: they are damaged.
        """
        table = unpacked(self.moments, 2)
        if len(table) != sum(self.channels):
            raise ModelFileError("the model's statistics of its training images are damaged", remedy=_AGAIN)
        parts = np.split(table, np.cumsum(self.channels)[:-1])
        return {name: (part[:, 0], part[:, 1] ** 2) for name, part in zip(self.convolutions, parts, strict=True)}


_AGAIN = "export the model again with `cardiotrace export`."


def learned_images(graph: bytes, batch: Float[np.ndarray, "batch channels *axes"]) -> LearnedImages:
    """What samples of a training part are like.

    Args:
        graph: of the network.
        batch: what it sees of them.

    Raises:
        ModelFileError: the network fails, or has no channels to be known.
    """
    known = ChannelGraph(graph)
    engine = make_engine(known.watched())
    parts = np.array_split(batch, math.ceil(len(batch) / _BATCH))
    found = [known.moments_of(engine.run({engine.inputs[0]: part})) for part in parts]
    weights = np.array([len(part) for part in parts]) / len(batch)
    table = np.concatenate([_together([each[one.output] for each in found], weights) for one in known.convolutions])
    return LearnedImages(
        tones_of(batch),
        tuple(each.output for each in known.convolutions),
        tuple(each.channels for each in known.convolutions),
        packed(table),
        len(batch),
    )


def tones_of(batch: Float[np.ndarray, "batch channels *axes"]) -> tuple[float, ...]:
    """Values at `QUANTILES`, the mean over samples: no single image decides."""
    each = np.quantile(batch.reshape(len(batch), -1), QUANTILES, axis=1)
    return tuple(np.round(each.mean(axis=1), 4).tolist())


def _together(parts: Sequence[Moments], weights: Float[np.ndarray, "parts"]) -> Float[np.ndarray, "channels 2"]:
    """Mean and deviation of all from those of parts: what the parts' means differ by is variance, too."""
    means, variances = (np.array(each, np.float64) for each in zip(*parts, strict=True))
    mean = weights @ means
    return np.column_stack([mean, np.sqrt(weights @ (variances + (means - mean) ** 2))])
