"""Centre lines of masks, one pixel wide."""

import numpy as np
from jaxtyping import Bool, UInt8
from numpy.typing import ArrayLike

from cardiotrace.core.errors import InputError
from cardiotrace.geometry.box import bounding_box
from cardiotrace.metrics.pair import as_mask

_NEIGHBOURS = ((-1, 0), (-1, 1), (0, 1), (1, 1), (1, 0), (1, -1), (0, -1), (-1, -1))
"""(row, column) steps, clockwise from above: bit i of a neighbourhood's number stands for the i-th."""


def skeleton(mask: ArrayLike) -> Bool[np.ndarray, "height width"]:
    """Thin a planar mask to lines of one pixel that keep its connections, its holes and the ends of its branches.

    Pass after pass takes a layer of the border off, the two halves of a pass on opposite sides, until nothing goes. A
    pixel goes if its neighbours in the mask form one piece without it and it is no end of a line.

    Args:
        mask: boolean or zeros and ones; beyond the picture's border nothing is in the mask.

    Raises:
        InputError: not a planar mask.

    Example:
        >>> skeleton(np.ones((3, 7), bool)).astype(int).tolist()
        [[0, 0, 0, 0, 0, 0, 0], [0, 1, 1, 1, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0]]

    Source:
        Guo and Hall 1989, Commun ACM 32:359, algorithm A1.
    """
    given = as_mask(mask)
    if given.ndim != 2:
        raise InputError(f"a planar mask is needed, got axes {given.shape}")
    thinned = np.zeros(given.shape, bool)
    if given.any():
        box = bounding_box(given)
        thinned[box] = _thinned(given[box])
    return thinned


def _thinned(mask: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The skeleton; only pixels of the mask are visited, as flat indices into a padded copy."""
    padded = np.pad(mask, 1).astype(np.uint8)
    flat, width = padded.ravel(), padded.shape[1]
    steps = [row * width + column for row, column in _NEIGHBOURS]
    pixels = np.flatnonzero(flat)
    is_changing = True
    while is_changing:
        is_changing = False
        for removable in _REMOVABLE:
            gone = removable[_neighbourhood(flat, pixels, steps)]
            flat[pixels[gone]] = 0
            pixels = pixels[~gone]
            is_changing |= bool(gone.any())
    thinned: Bool[np.ndarray, "height width"] = padded[1:-1, 1:-1].astype(bool)
    return thinned


def _neighbourhood(
    flat: UInt8[np.ndarray, " padded"], pixels: np.ndarray, steps: list[int]
) -> UInt8[np.ndarray, " pixels"]:
    """Which neighbours of each pixel are in the mask, as the bits of one number."""
    bits = np.zeros(len(pixels), np.uint8)
    for bit, step in enumerate(steps):
        bits |= flat[pixels + step] << bit
    return bits


def _removable(*, first: int) -> Bool[np.ndarray, " neighbourhoods"]:
    """For each neighbourhood whether its middle may go in the half of a pass that `first` begins.

    Args:
        first: the neighbour that the half's own condition starts from: 0 (above) or 4 (below).
    """
    around = ((np.arange(256)[:, None] >> np.arange(8)) & 1).astype(bool)
    following = np.roll(around, -1, axis=1)
    pairs = around | following
    runs = (~around & (following | np.roll(around, -2, axis=1)))[:, ::2].sum(axis=1)
    count = np.minimum(pairs[:, ::2].sum(axis=1), pairs[:, 1::2].sum(axis=1))
    turned = np.roll(around, -first, axis=1)
    is_held = (turned[:, 0] | turned[:, 1] | ~turned[:, 3]) & turned[:, 2]
    table: Bool[np.ndarray, " neighbourhoods"] = (runs == 1) & (count >= 2) & (count <= 3) & ~is_held
    return table


_REMOVABLE = (_removable(first=0), _removable(first=4))
