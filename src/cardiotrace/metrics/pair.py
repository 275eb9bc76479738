"""Two masks that can be compared: checked once, at the door."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardiotrace.core.errors import InputError


def mask_pair(predicted: ArrayLike, reference: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Both as boolean arrays of one shape.

    Zeros and ones of any number type are taken as masks; a label map is not, since comparing it would
    mix its structures.

    Raises:
        InputError: the shapes differ, or values other than 0 and 1.

    Example:
        >>> mask_pair([0, 1], [1, 1])[0]
        array([False,  True])
    """
    first, second = as_mask(predicted, "predicted"), as_mask(reference, "reference")
    if first.shape != second.shape:
        raise InputError(f"the masks differ in shape: predicted {first.shape}, reference {second.shape}")
    return first, second


def as_mask(values: ArrayLike, name: str = "mask") -> NDArray[np.bool_]:
    """One mask as a boolean array; `name` is for the message.

    Raises:
        InputError: values other than 0 and 1.
    """
    array: NDArray[Any] = np.asarray(values)
    if array.dtype == np.bool_:
        return array
    mask: NDArray[np.bool_] = array == 1
    if not np.array_equal(mask, array):
        raise InputError(
            f"the {name} mask holds values other than 0 and 1",
            remedy="pick one structure first: LabelMap.mask(...), or `array == value`.",
        )
    return mask
