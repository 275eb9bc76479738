"""The smallest box of a grid that holds a mask."""

import numpy as np
from jaxtyping import Bool


def bounding_box(mask: Bool[np.ndarray, "*space"]) -> tuple[slice, ...]:
    """Slices of the smallest box that holds every true element; zero-length slices if there is none.

    Example:
        >>> mask = np.zeros((5, 6), bool)
        >>> mask[1:3, 2:6] = True
        >>> bounding_box(mask)
        (slice(1, 3, None), slice(2, 6, None))
        >>> mask[bounding_box(mask)].shape
        (2, 4)
    """
    box: tuple[slice, ...] = ()
    for axis in range(mask.ndim):
        others = tuple(other for other in range(mask.ndim) if other != axis)
        # By what each axis sees of the mask: a list of all true places would be many times as large as the mask.
        occupied: Bool[np.ndarray, " size"] = np.asarray(mask.any(axis=others))
        if not occupied.any():
            return (slice(0, 0),) * mask.ndim
        first = int(occupied.argmax())
        last = occupied.size - int(occupied[::-1].argmax())
        box += (slice(first, last),)
    return box


def grown(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """A box with a pixel around, as far as the image reaches.

    Args:
        box: slices within the image.
        shape: of the image.

    Example:
        >>> grown((slice(1, 3), slice(2, 6)), (5, 6))
        (slice(0, 4, None), slice(1, 6, None))
    """
    return tuple(slice(max(part.start - 1, 0), min(part.stop + 1, size)) for part, size in zip(box, shape, strict=True))
