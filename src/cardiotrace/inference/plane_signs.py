"""What a plane's grey values show at a glance: how sharp, how noisy, how bright, and where.

A network may label noisy and blurred images as if nothing were wrong; its deepest layer then says little of them, and
these numbers do. They are taken of what the network sees, on every fourth row and column, and cost a fortieth of what a
small network does.
"""

import numpy as np
from jaxtyping import Float

STEP = 4
"""Rows and columns between those that are looked at."""
GRID = 4
"""Parts along each side, whose brightness tells where the image is bright."""
_TINY = 1e-6
SIGN_COUNT = 12 + GRID * GRID


def plane_signs(plane: Float[np.ndarray, "height width"]) -> Float[np.ndarray, "signs"]:
    """Signs of a plane, whatever its grey values are multiplied by or have added.

    Args:
        plane: as a network sees it; at least 8 pixels along each side, else all signs are 0.

    Returns:
        `SIGN_COUNT` numbers: logarithms of how steep and how rough rows and columns are, the share of neighbours that
        are equal, of darkest and of brightest pixels, where the quartiles lie, the steepest edges that run through
        the whole plane, and the brightness of `GRID` x `GRID` parts.
    """
    height, width = plane.shape
    if min(height, width) < 2 * GRID:
        return np.zeros(SIGN_COUNT)
    some = plane[::STEP, ::STEP]
    darkest, low, middle, high, brightest = np.quantile(some, (0.005, 0.25, 0.5, 0.75, 0.995))
    span = max(float(brightest - darkest), _TINY)
    along, down = np.diff(plane[::STEP], axis=1), np.diff(plane[:, ::STEP], axis=0)
    steep = np.abs(along).mean(), np.abs(down).mean()
    rough = np.abs(np.diff(along, axis=1)).mean(), np.abs(np.diff(down, axis=0)).mean()
    signs = [
        *np.log(np.array([*steep, *rough]) / span + 1e-4),
        (along == 0).mean(),
        (some <= darkest + 0.01 * span).mean(),
        (some >= brightest - 0.01 * span).mean(),
        *((np.array([low, middle, high]) - darkest) / span),
        # An edge from one end of the plane to the other is none of a heart.
        np.abs(along.mean(axis=0)).max() / span,
        np.abs(down.mean(axis=1)).max() / span,
    ]
    return np.concatenate([signs, ((_parts(some) - darkest) / span).ravel()])


def _parts(some: Float[np.ndarray, "rows columns"]) -> Float[np.ndarray, "grid grid"]:
    """Mean of `GRID` x `GRID` parts; what is left over at the end of an axis belongs to none."""
    rows, columns = (side // GRID for side in some.shape)
    if not rows or not columns:
        return np.full((GRID, GRID), some.mean())
    kept = some[: rows * GRID, : columns * GRID].reshape(GRID, rows, GRID, columns)
    means: Float[np.ndarray, "grid grid"] = kept.mean(axis=(1, 3))
    return means
