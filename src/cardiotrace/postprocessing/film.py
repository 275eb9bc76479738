"""Frames of a film that jump: which they are; whoever has the network's probabilities decides on them anew."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy.lib.stride_tricks import sliding_window_view

from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing.component import groups_of

DecideAnew = Callable[[int], UInt8[np.ndarray, "depth height width"]]
"""The labels of a frame from the mean probabilities of itself and of the frames beside it."""

STANDS_OUT = 4.0
"""How many times further off its neighbours' course than others a frame that jumps is. Of noise-free beats at 5 to 10
frames a second, where end-systole is as far off as a frame half lost, 99 in a hundred films stay as they are."""
_FEWEST_OTHERS = 3
_MOST = 1 / 8
_REACH = 5
"""Frames of which the one in the middle is compared with the others."""


@dataclass(frozen=True)
class SteadyFrames:
    """Which frames jump, of a film: they are decided anew together with the two beside them."""

    structures: tuple[Structure, ...] = ()
    """Empty: every structure of the scheme."""
    jump: float = 0.1
    """Pixels of a structure more or less than both the frame before and the frame after hold, and than a smooth course
    through the two on either side would hold, as a share of the most that any frame holds."""

    def __post_init__(self) -> None:
        if not 0 < self.jump < 1:
            raise ValueError(f"jump must lie between 0 and 1, got {self.jump}")

    def jumping(self, labels: LabelMap, shown: Bool[np.ndarray, "time"]) -> list[int]:
        """The frames to decide anew, none of which lies beside another.

        In a film of few frames a beat end-systole itself is much smaller than the frames beside it. So a frame must
        also stand out by `STANDS_OUT` times what others do, which a film of fewer than ten frames cannot show; and
        where one frame in eight would, it is the beat.

        Args:
            labels: of a whole film.
            shown: frames that show an image; only those whose four neighbours do so as well can be told to jump.

        Example:
            >>> from cardiotrace.core.geometry import NO_GEOMETRY
            >>> from cardiotrace.core.label import LV_ONLY
            >>> array = np.zeros((12, 1, 1, 20), np.uint8)
            >>> for frame, size in enumerate((20, 19, 18, 5, 16, 15, 14, 14, 14, 15, 16, 17)):
            ...     array[frame, ..., :size] = 1
            >>> SteadyFrames().jumping(LabelMap(array, LV_ONLY, NO_GEOMETRY), np.ones(12, bool))
            [3]
        """
        if len(labels.array) < _REACH + 1:
            return []
        found = np.zeros(len(labels.array))
        for (value,) in groups_of(self.structures, labels.scheme, together=False):
            sizes = np.count_nonzero(labels.array == value, axis=(1, 2, 3)).astype(float)
            found = np.maximum(found, _jumps(sizes / max(sizes.max(), 1), shown))
        # A frame that jumps may make one beside it seem to jump the other way: the larger of neighbours is meant.
        beside = np.maximum(np.append(found[1:], 0), np.append(0, found[:-1]))
        chosen: list[int] = []
        for frame in np.flatnonzero((found > self.jump) & (found >= beside)).tolist():
            if not chosen or frame > chosen[-1] + 1:
                chosen.append(frame)
        return chosen if len(chosen) <= _MOST * len(found) else []


def _jumps(sizes: Float[np.ndarray, "time"], shown: Bool[np.ndarray, "time"]) -> Float[np.ndarray, "time"]:
    """How far each frame jumps; 0 where it stands out no more than others, or where that cannot be told.

    Args:
        sizes: of a structure in each frame, 1 where it is largest.
        shown: frames that show an image.
    """
    before, after = sizes[1:-3], sizes[3:-1]
    beyond = np.maximum(np.minimum(before, after) - sizes[2:-2], sizes[2:-2] - np.maximum(before, after))
    # The cubic through two frames on either side: a beat bends, and a straight line would take that for a jump.
    off = np.abs(sizes[2:-2] - (4 * (before + after) - (sizes[:-4] + sizes[4:])) / 6)
    told = sliding_window_view(shown, _REACH).all(axis=1)
    jumps = np.zeros(len(sizes))
    for frame in np.flatnonzero(told & (beyond > 0)):
        # A frame that jumps spoils the course of those two away from it.
        others = off[told & (np.abs(np.arange(len(off)) - frame) > 2)]
        if len(others) >= _FEWEST_OTHERS and off[frame] >= STANDS_OUT * np.median(others):
            jumps[frame + 2] = min(beyond[frame], off[frame])
    return jumps


def leave_frame(
    config: SteadyFrames, labels: UInt8[np.ndarray, "depth height width"], scheme: LabelScheme
) -> UInt8[np.ndarray, "depth height width"]:
    """The frame as it is: by itself none can jump."""
    del config, scheme
    return labels
