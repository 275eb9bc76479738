"""The part of an image that the camera saw."""

import numpy as np
from jaxtyping import Bool, Shaped

from cardiotrace.geometry.component import fill_holes, largest_component

DARK = 0.12
"""Share of the image's brightness below which the surroundings lie."""
LEAST_SHARE = 0.2
"""A smaller part of the image is no field of view: then the whole image is."""


def find_field_of_view(plane: Shaped[np.ndarray, "height width *channel"]) -> Bool[np.ndarray, "height width"]:
    """The largest bright part of an image with dark surroundings, such as the disc of a retinal photograph.

    Bright is what exceeds, in its brightest channel, `DARK` of the way from the darkest pixels (1st percentile) to the
    bright ones (95th); holes are filled.

    Args:
        plane: grey or colour.

    Returns:
        The mask; the whole image where there are no dark surroundings.

    Example:
        >>> image = np.zeros((9, 9), np.uint8)
        >>> image[1:8, 2:7] = 200
        >>> int(find_field_of_view(image).sum())
        35
    """
    # The brightest channel: the retina is nearly all red, and what a camera did not see is dark in all three.
    values = (plane.max(axis=2) if plane.ndim == 3 else plane).astype(np.float32)
    # Percentiles, as a burnt-in date is brighter than any retina and a dead pixel darker than any rim.
    low, high = np.percentile(values, (1, 95))
    bright = values > low + DARK * (high - low)
    whole = np.ones(values.shape, bool)
    if not bright.any():
        return whole
    found = fill_holes(largest_component(bright))
    at_border = np.concatenate([found[0], found[-1], found[:, 0], found[:, -1]]).mean()
    # Where most of the border is bright, what is dark is a part of the image.
    return found if found.mean() >= LEAST_SHARE and at_border < 0.5 else whole


def without_rim(mask: Bool[np.ndarray, "height width"]) -> Bool[np.ndarray, "height width"]:
    """The mask without the pixels that border on its outside; the image's own edge is no border.

    Example:
        >>> mask = np.array([[0, 1, 1, 1, 1]] * 3, bool)
        >>> without_rim(mask)[0].astype(int).tolist()
        [0, 0, 1, 1, 1]
    """
    around = np.pad(mask, 1, mode="edge")
    vertical = around[:-2, 1:-1] & around[2:, 1:-1]
    horizontal = around[1:-1, :-2] & around[1:-1, 2:]
    return np.asarray(mask & vertical & horizontal)
