"""Test-time augmentation: show the network slightly different versions of an image and average its answers."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class Variant:
    """One reversible change of the network's input: first mirrored, then shifted, then brightened.

    Example:
        >>> image = np.arange(4, dtype=np.float32).reshape(1, 1, 1, 4)
        >>> Variant(shift=(0, 1)).apply(image).tolist()
        [[[[0.0, 0.0, 1.0, 2.0]]]]
    """

    mirror: tuple[str, ...] = ()
    shift: tuple[int, int] = (0, 0)
    """Pixels down and to the right; the border is repeated into the space that opens."""
    gamma: float = 1.0
    """Exponent on each plane's values between its own extremes; below 1 brightens."""

    def apply(
        self, batch: Float[np.ndarray, "batch channels height width"]
    ) -> Float[np.ndarray, "batch channels height width"]:
        """The changed input."""
        shifted = _shift(_mirror(batch, self.mirror), self.shift)
        return np.ascontiguousarray(_brighten(shifted, self.gamma), np.float32)

    def undo(
        self, probabilities: Float[np.ndarray, "batch classes height width"]
    ) -> Float[np.ndarray, "batch classes height width"]:
        """What the network said of the changed input, laid back onto the unchanged one."""
        rows, columns = self.shift
        return _mirror(_shift(probabilities, (-rows, -columns)), self.mirror)


IDENTITY = Variant()


def variants(mirror_axes: Sequence[str]) -> tuple[Variant, ...]:
    """The versions of an image to average over.

    All mirror images where mirroring is allowed. Elsewhere (the heart is not symmetric) the image itself, a brighter,
    a darker and two shifted versions.

    Example:
        >>> len(variants(["height", "width"])), len(variants([]))
        (4, 4)
    """
    if mirror_axes:
        subsets = (itertools.combinations(mirror_axes, count) for count in range(len(mirror_axes) + 1))
        return tuple(Variant(mirror=chosen) for chosen in itertools.chain.from_iterable(subsets))
    return (IDENTITY, Variant(gamma=0.8), Variant(shift=(3, -3)), Variant(shift=(-3, 3), gamma=1.25))


def _mirror(
    planes: Float[np.ndarray, "batch channels height width"], axes: Sequence[str]
) -> Float[np.ndarray, "batch channels height width"]:
    rows = slice(None, None, -1) if "height" in axes else slice(None)
    columns = slice(None, None, -1) if "width" in axes else slice(None)
    return planes[:, :, rows, columns]


def _shift(
    planes: Float[np.ndarray, "batch channels height width"], shift: tuple[int, int]
) -> Float[np.ndarray, "batch channels height width"]:
    if shift == (0, 0):
        return planes
    height, width = planes.shape[2:]
    rows = np.clip(np.arange(height) - shift[0], 0, height - 1)
    columns = np.clip(np.arange(width) - shift[1], 0, width - 1)
    return planes[:, :, rows[:, None], columns]


def _brighten(
    planes: Float[np.ndarray, "batch channels height width"], gamma: float
) -> Float[np.ndarray, "batch channels height width"]:
    if gamma == 1.0:
        return planes
    low = planes.min(axis=(2, 3), keepdims=True)
    extent = np.maximum(planes.max(axis=(2, 3), keepdims=True) - low, 1e-12)
    brighter: Float[np.ndarray, "batch channels height width"] = low + extent * ((planes - low) / extent) ** gamma
    return brighter
