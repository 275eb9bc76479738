"""Frames of a film that jump: which they are; whoever has the network's probabilities decides on them anew."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, UInt8

from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing.component import groups_of

DecideAnew = Callable[[int], UInt8[np.ndarray, "depth height width"]]
"""The labels of a frame from the mean probabilities of itself and of the frames beside it."""


@dataclass(frozen=True)
class SteadyFrames:
    """Which frames jump, of a film: they are decided anew together with the two beside them."""

    structures: tuple[Structure, ...] = ()
    """Empty: every structure of the scheme."""
    jump: float = 0.1
    """Pixels of a structure more or less than both the frame before and the frame after hold, as a share of the most
    that any frame holds. Of a heart that beats only the frames at its largest and smallest differ so, and by little."""

    def __post_init__(self) -> None:
        if not 0 < self.jump < 1:
            raise ValueError(f"jump must lie between 0 and 1, got {self.jump}")

    def jumping(self, labels: LabelMap, shown: Bool[np.ndarray, "time"]) -> list[int]:
        """The frames to decide anew, none of which lies beside another.

        Args:
            labels: of a whole film.
            shown: frames that show an image; only those whose two neighbours do so as well can be told to jump.

        Example:
            >>> from cardiotrace.core.geometry import NO_GEOMETRY
            >>> from cardiotrace.core.label import LV_ONLY
            >>> array = np.zeros((5, 1, 1, 10), np.uint8)
            >>> for frame, size in enumerate((10, 9, 4, 8, 8)):
            ...     array[frame, ..., :size] = 1
            >>> SteadyFrames().jumping(LabelMap(array, LV_ONLY, NO_GEOMETRY), np.ones(5, bool))
            [2]
        """
        if len(labels.array) < 3:
            return []
        found = np.zeros(len(labels.array))
        for (value,) in groups_of(self.structures, labels.scheme, together=False):
            sizes = np.count_nonzero(labels.array == value, axis=(1, 2, 3)).astype(float)
            least, most = np.minimum(sizes[:-2], sizes[2:]), np.maximum(sizes[:-2], sizes[2:])
            beyond = np.maximum(least - sizes[1:-1], sizes[1:-1] - most) / max(sizes.max(), 1)
            found[1:-1] = np.maximum(found[1:-1], beyond)
        found[1:-1][~(shown[:-2] & shown[1:-1] & shown[2:])] = 0
        # A frame that jumps may make one beside it seem to jump the other way: the larger of neighbours is meant.
        beside = np.maximum(np.append(found[1:], 0), np.append(0, found[:-1]))
        chosen: list[int] = []
        for frame in np.flatnonzero((found > self.jump) & (found >= beside)).tolist():
            if not chosen or frame > chosen[-1] + 1:
                chosen.append(frame)
        return chosen


def leave_frame(
    config: SteadyFrames, labels: UInt8[np.ndarray, "depth height width"], scheme: LabelScheme
) -> UInt8[np.ndarray, "depth height width"]:
    """The frame as it is: by itself none can jump."""
    del config, scheme
    return labels
