"""Centre lines of masks, one pixel wide."""

import numpy as np
from jaxtyping import Bool
from numpy.typing import ArrayLike

from cardiotrace.core.errors import InputError
from cardiotrace.geometry.box import bounding_box
from cardiotrace.metrics.pair import as_mask


def skeleton(mask: ArrayLike) -> Bool[np.ndarray, "height width"]:
    """Thin a planar mask to lines of one pixel that keep its connections, its holes and the ends of its branches.

    It is scikit-image's `skeletonize`, as in the published centre-line Dice: another thinning draws other lines, and
    its scores cannot be compared.

    Args:
        mask: boolean or zeros and ones; beyond the image's border nothing is in the mask.

    Raises:
        InputError: not a planar mask.

    Example:
        >>> skeleton(np.ones((3, 7), bool)).astype(int).tolist()
        [[0, 0, 0, 0, 0, 1, 0], [1, 1, 1, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0, 0]]

    Source:
        Zhang and Suen 1984, Commun ACM 27:236; van der Walt et al. 2014, PeerJ 2:e453.
    """
    given = as_mask(mask)
    if given.ndim != 2:
        raise InputError(f"a planar mask is needed, got axes {given.shape}")
    thinned = np.zeros(given.shape, bool)
    if given.any():
        from skimage.morphology import skeletonize  # most of a second to import, so only when needed

        box = bounding_box(given)
        thinned[box] = skeletonize(given[box])
    return thinned
