"""Smooth outlines by a vote of neighbours."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing.component import groups_of


@dataclass(frozen=True)
class Smooth:
    """Whose outlines are smoothed, and how far a vote reaches."""

    structures: tuple[Structure, ...] = ()
    """Empty: every structure of the scheme."""
    radius: int = 1
    """Half side of the square that votes, in pixels; its middle votes too."""

    def __post_init__(self) -> None:
        if not 1 <= self.radius <= 20:
            raise ValueError(f"radius must be 1 to 20 pixels, got {self.radius}")

    @property
    def reach(self) -> int:
        """How far beyond what is labelled a frame must be seen, in pixels: background votes as well."""
        return self.radius


def smooth(
    config: Smooth, labels: UInt8[np.ndarray, "depth height width"], scheme: LabelScheme
) -> UInt8[np.ndarray, "depth height width"]:
    """Give each pixel the label that most pixels around it in its plane hold.

    Only pixels that come to or leave a listed structure change; of equal counts the pixel's own label stays, then the
    lowest value. Beyond the image the nearest edge votes.

    Example:
        >>> from cardiotrace.core.label import LV_ONLY
        >>> labels = np.zeros((1, 3, 5), np.uint8)
        >>> labels[0, :, :2] = labels[0, 1, 2] = 1
        >>> smooth(Smooth(), labels, LV_ONLY)[0, 1].tolist()
        [1, 1, 0, 0, 0]
    """
    listed = [value for group in groups_of(config.structures, scheme, together=False) for value in group]
    values = np.array([0, *sorted(scheme.values.values())], np.uint8)
    counts = np.stack([_votes(labels == value, config.radius) for value in values])
    own = np.take_along_axis(counts, np.searchsorted(values, labels)[None], axis=0)[0]
    winner = values[counts.argmax(axis=0)]
    changes = (counts.max(axis=0) > own) & (np.isin(winner, listed) | np.isin(labels, listed))
    smoothed: UInt8[np.ndarray, "depth height width"] = np.where(changes, winner, labels)
    return smoothed


def _votes(mask: Bool[np.ndarray, "depth height width"], radius: int) -> np.ndarray:
    """How many pixels of the square around each pixel lie in the mask."""
    side = 2 * radius + 1
    padded = np.pad(mask, ((0, 0), (radius, radius), (radius, radius)), mode="edge").astype(np.int32)
    # Sums over windows as differences of running sums: the same work for any radius.
    rows = np.cumsum(np.pad(padded, ((0, 0), (1, 0), (0, 0))), axis=1)
    columns = np.cumsum(np.pad(rows[:, side:] - rows[:, :-side], ((0, 0), (0, 0), (1, 0))), axis=2)
    return np.asarray(columns[:, :, side:] - columns[:, :, :-side])
