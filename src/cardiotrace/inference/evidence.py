"""What a network's answer holds beside labels: the sums and features that quality and unlikeness are told from."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.inference.plane_signs import plane_signs

CERTAIN = 0.995
"""Probability of background from which on a pixel belongs to no structure and to no border."""
SUMS = ("probability", "pixels", "own", "spread")
"""For each structure, over a sample on the network's grid: the sum of its probability p, the pixels where it is the
most probable, the sum of p over those, and the sum of p (1 - p), which wide borders make large."""

Sums = Float[np.ndarray, "structures sums"]
Rows = Float[np.ndarray, "_ _"]


@dataclass(frozen=True)
class Wanted:
    """Which parts of the evidence are to be gathered: each takes about a millisecond a plane."""

    sums: bool = False
    rows: bool = False


NO_EVIDENCE, ALL_EVIDENCE = Wanted(), Wanted(sums=True, rows=True)


@dataclass(frozen=True)
class Evidence:
    """Of one sample, or of one frame."""

    sums: Sums
    """Zeros where they were not wanted."""
    rows: Rows
    """What the deepest layer says of each plane, and `plane_signs` of it; no column where that was not wanted, or the
    network hands out no features."""

    @classmethod
    def of(cls, classes: Float[np.ndarray, "classes *axes"], rows: Rows | None, *, with_sums: bool) -> "Evidence":
        """Of a sample's probabilities, background first."""
        sums = sums_of(classes) if with_sums else np.zeros((len(classes) - 1, len(SUMS)))
        return cls(sums, np.zeros((0, 0), np.float32) if rows is None else rows)

    @classmethod
    def together(cls, parts: Sequence["Evidence"]) -> "Evidence":
        """Of the samples of a frame."""
        rows = [part.rows for part in parts if part.rows.size]
        return cls(np.sum([part.sums for part in parts], axis=0), np.concatenate(rows) if rows else parts[0].rows)


def sums_of(classes: Float[np.ndarray, "classes *axes"]) -> Sums:
    """`SUMS` of every structure.

    Example:
        >>> sums_of(np.array([[0.1, 0.7, 1.0], [0.9, 0.3, 0.0]])).round(2).tolist()
        [[1.2, 1.0, 0.9, 0.3]]
    """
    flat = classes.reshape(len(classes), -1)
    # Most of an image is background beyond doubt.
    seen = flat[:, flat[0] < CERTAIN]
    winner = seen.argmax(axis=0)
    sums = np.zeros((len(classes) - 1, len(SUMS)))
    for structure, probability in enumerate(seen[1:]):
        own = probability[winner == structure + 1]
        total = float(probability.sum(dtype=np.float64))
        spread = total - float(np.square(probability, dtype=np.float64).sum())
        sums[structure] = total, len(own), float(own.sum(dtype=np.float64)), spread
    return sums


def rows_of(sample: Float[np.ndarray, "channels *axes"], features: Rows) -> Rows:
    """Features of a sample with the signs of its planes: a row for each plane that the network tells of, else one.

    Args:
        sample: as the network sees it.
        features: what its deepest layer says; planes that fill a window up come last, and are left out.
    """
    planes = sample.reshape(-1, *sample.shape[-2:]) if sample.ndim == 4 else sample[:1]
    signs = np.stack([plane_signs(plane) for plane in planes])
    if len(features) < len(signs):
        signs = signs.mean(axis=0, keepdims=True)
    return np.concatenate([features[: len(signs)], signs], axis=1, dtype=np.float32)
