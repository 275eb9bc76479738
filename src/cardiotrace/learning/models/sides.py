"""Which image sides a network can take, and what to say about the others."""

from cardiotrace.core.errors import InputError

Divisor = int | tuple[int, int]
"""What sides must be multiples of: one number for both, or (rows, columns)."""


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
    divisors = both_sides(divisor)
    if all(side % of == 0 and side > 0 for side, of in zip((height, width), divisors, strict=True)):
        return
    (low_height, high_height), (low_width, high_width) = (
        nearest_sides(side, of) for side, of in zip((height, width), divisors, strict=True)
    )
    multiples = str(divisors[0]) if divisors[0] == divisors[1] else f"{divisors[0]} and {divisors[1]}"
    raise InputError(
        f"images of {height}x{width} do not fit a network whose sides must be multiples of {multiples}",
        remedy=f"the nearest sizes are {low_height}x{low_width} and {high_height}x{high_width}.",
    )


def both_sides(divisor: Divisor) -> tuple[int, int]:
    """The divisor of rows, and that of columns."""
    return (divisor, divisor) if isinstance(divisor, int) else divisor


def nearest_sides(side: int, divisor: int) -> tuple[int, int]:
    """The largest allowed side that is not above `side`, and the smallest that is not below; at least `divisor`."""
    below = max(side // divisor, 1) * divisor
    above = max(-(-side // divisor), 1) * divisor
    return below, above
