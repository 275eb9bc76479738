"""Which image sides a network can take, and what to say about the others."""

from collections.abc import Sequence

from cardiotrace.core.errors import InputError

Divisor = int | tuple[int, ...]
"""What sides must be multiples of: one number for all, or (rows, columns), after the slices where there are any."""


def check_sides(height: int, width: int, divisor: Divisor) -> None:
    """Refuse image sides that the network cannot halve as often as it has to.

    Args:
        height: rows of the image.
        width: columns of the image.
        divisor: what the sides must be multiples of.

    Raises:
        InputError: a side is not a multiple; the message proposes the nearest sizes.

    Example:
        >>> check_sides(256, 384, 32)
        >>> nearest_sides(250, 32)
        (224, 256)
    """
    check_size((height, width), divisor)


def check_size(size: Sequence[int], divisor: Divisor) -> None:
    """The same of a sample of any number of axes: (height, width), or (depth, height, width).

    Raises:
        InputError: a side is not a multiple; the message proposes the nearest sizes.

    Example:
        >>> check_size((12, 128, 128), (4, 32, 32))
    """
    divisors = all_sides(divisor, len(size))
    if all(side % of == 0 and side > 0 for side, of in zip(size, divisors, strict=True)):
        return
    pairs = [nearest_sides(side, of) for side, of in zip(size, divisors, strict=True)]
    low, high = ("x".join(map(str, sides)) for sides in zip(*pairs, strict=True))
    *first, last = map(str, divisors)
    multiples = last if len(set(divisors)) == 1 else f"{', '.join(first)} and {last}"
    raise InputError(
        f"images of {'x'.join(map(str, size))} do not fit a network whose sides must be multiples of {multiples}",
        remedy=f"the nearest sizes are {low} and {high}.",
    )


def all_sides(divisor: Divisor, axes: int) -> tuple[int, ...]:
    """The divisor of each axis.

    Example:
        >>> all_sides(8, 2), all_sides((1, 8, 8), 3)
        ((8, 8), (1, 8, 8))
    """
    return (divisor,) * axes if isinstance(divisor, int) else divisor


def nearest_sides(side: int, divisor: int) -> tuple[int, int]:
    """The largest allowed side that is not above `side`, and the smallest that is not below; at least `divisor`."""
    below = max(side // divisor, 1) * divisor
    above = max(-(-side // divisor), 1) * divisor
    return below, above
