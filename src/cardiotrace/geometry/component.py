"""Connected components and holes of masks in two or three dimensions."""

from typing import Any, Literal

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.geometry.box import bounding_box

Connectivity = Literal[1, "full"]
"""1: voxels touch by a face (4 neighbours in 2-D, 6 in 3-D); "full": also by an edge or a corner (8, 26)."""


def largest_component(mask: Bool[np.ndarray, "*space"], connectivity: Connectivity = 1) -> Bool[np.ndarray, "*space"]:
    """The connected component with most voxels; of equal ones the first in the order of the array.

    Example:
        >>> largest_component(np.array([[1, 0, 1, 1], [0, 0, 0, 1]], bool)).astype(int).tolist()
        [[0, 0, 1, 1], [0, 0, 0, 1]]
    """
    box = bounding_box(mask)
    labels, count = numbered_components(mask[box], connectivity)
    if count <= 1:
        return mask.copy()
    # `argmax` takes the first of equal ones, and they are numbered in the order of the array: no tie is left open.
    sizes = np.bincount(labels.ravel())
    kept = np.zeros_like(mask)
    kept[box] = labels == 1 + int(sizes[1:].argmax())
    return kept


def bordering(mask: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """Pixels outside of a planar mask that share an edge with it.

    Example:
        >>> bordering(np.array([[0, 0, 0], [0, 1, 0]], bool)).astype(int).tolist()
        [[0, 1, 0], [1, 0, 1]]
    """
    around = np.zeros_like(mask)
    around[1:] |= mask[:-1]
    around[:-1] |= mask[1:]
    around[:, 1:] |= mask[:, :-1]
    around[:, :-1] |= mask[:, 1:]
    around &= ~mask
    return around


def fill_holes(mask: Bool[np.ndarray, "*space"]) -> Bool[np.ndarray, "*space"]:
    """The mask and every background voxel from which no path of face steps leads out of the image.

    In three axes a hole is a closed cavity, not a tunnel; fill slice by slice for holes in each slice.

    Example:
        >>> ring = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]], bool)
        >>> int(fill_holes(ring).sum())
        5
    """
    filled: Bool[np.ndarray, "*space"] = mask | _holes(mask)
    return filled


def _holes(mask: Bool[np.ndarray, "*space"]) -> Bool[np.ndarray, "*space"]:
    holes = np.zeros_like(mask)
    box = bounding_box(mask)
    # One voxel of background around the box makes everything outside a single component, the first.
    labels, _ = numbered_components(np.pad(~mask[box], 1, constant_values=True), 1)
    holes[box] = labels[(slice(1, -1),) * mask.ndim] > 1
    return holes


def numbered_components(mask: Bool[np.ndarray, "*space"], connectivity: Connectivity) -> tuple[NDArray[Any], int]:
    """Components numbered from 1 in the order of the array, 0 outside of them, and how many there are.

    Raises:
        InputError: a connectivity that is none.
    """
    if connectivity not in (1, "full"):
        raise InputError(f"connectivity must be 1 or 'full', got {connectivity!r}")
    from scipy.ndimage import generate_binary_structure, label  # slow to import, so only when needed

    order = mask.ndim if connectivity == "full" else 1
    labels, count = label(mask, generate_binary_structure(mask.ndim, order))
    return labels, int(count)
