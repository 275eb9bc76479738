"""What a model's training images were like: their tones, and what the network makes of them.

Tones are quantiles of all that the network sees. Of every channel behind a convolution (`inference.channels`) there are
mean and variance. Both are means over samples of the training part, and travel in the model file, so that an exam can
be brought to them.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.channels import ChannelGraph, Moments
from cardiotrace.inference.engine import Batch, make_engine
from cardiotrace.inference.unlikeness import packed, unpacked

QUANTILES = tuple(np.linspace(0.01, 0.99, 50).round(2).tolist())
"""Shares of pixels below each of the tones."""
SAMPLES = 64
"""Of the training part that are looked at."""


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
    def table(self) -> Float[np.ndarray, "channels 2"]:
        """Mean and standard deviation of every channel.

        Raises:
            ModelFileError: they are damaged.
        """
        table = unpacked(self.moments, 2)
        if len(table) != sum(self.channels):
            raise ModelFileError("the model's statistics of its training images are damaged", remedy=_AGAIN)
        return table

    @property
    def by_convolution(self) -> dict[str, Moments]:
        """Mean and variance of every channel.

        Raises:
            ModelFileError: they are damaged.
        """
        parts = np.split(self.table, np.cumsum(self.channels)[:-1])
        return {name: (part[:, 0], part[:, 1] ** 2) for name, part in zip(self.convolutions, parts, strict=True)}

    @classmethod
    def together(cls, members: Sequence["LearnedImages"], prefixes: Sequence[str]) -> "LearnedImages":
        """Of an ensemble: tones as the first member knows them, channels of all.

        Args:
            members: at least one.
            prefixes: of the names that each one's convolutions have in the joint graph.
        """
        named = [[prefix + name for name in each.convolutions] for prefix, each in zip(prefixes, members, strict=True)]
        return cls(
            members[0].tones,
            tuple(itertools.chain.from_iterable(named)),
            tuple(itertools.chain.from_iterable(each.channels for each in members)),
            packed(np.concatenate([each.table for each in members])),
            min(each.samples for each in members),
        )


_AGAIN = "export the model again with `cardiotrace export`."


def learned_images(graph: bytes, batches: Sequence[Float[np.ndarray, "_ channels ..."]]) -> LearnedImages:
    """What images of a training part are like.

    Args:
        graph: of the network.
        batches: what it sees of each.

    Raises:
        ModelFileError: the network fails, or has no channels to be known.
    """
    known = ChannelGraph(graph)
    engine = make_engine(known.watched())
    found = [known.moments_of(engine.run({engine.inputs[0]: batch})) for batch in batches]
    weights = np.array([len(batch) for batch in batches], np.float64)
    weights /= weights.sum()
    table = np.concatenate([_together([each[one.output] for each in found], weights) for one in known.convolutions])
    tones = weights @ np.array([tones_of(batch) for batch in batches])
    return LearnedImages(
        tuple(np.round(tones, 4).tolist()),
        tuple(each.output for each in known.convolutions),
        tuple(each.channels for each in known.convolutions),
        packed(table),
        sum(map(len, batches)),
    )


def tones_of(batch: Batch) -> tuple[float, ...]:
    """Values at `QUANTILES`, the mean over samples: no single one decides."""
    each = np.quantile(batch.reshape(len(batch), -1), QUANTILES, axis=1)
    return tuple(each.mean(axis=1).tolist())


def _together(parts: Sequence[Moments], weights: Float[np.ndarray, "parts"]) -> Float[np.ndarray, "channels 2"]:
    """Mean and deviation of all from those of parts: what the parts' means differ by is variance, too."""
    means, variances = (np.array(each, np.float64) for each in zip(*parts, strict=True))
    mean = weights @ means
    return np.column_stack([mean, np.sqrt(weights @ (variances + (means - mean) ** 2))])
