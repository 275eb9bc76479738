"""Which slices of a stack a network of planes sees beside a plane's own, as further channels: 2.5D."""

from typing import Literal

from cardiotrace.core.errors import InputError

NeighboursOf = Literal["slices", "frames"]
"""What is seen beside a plane: the slices above and below it, or the frames before and after it."""
MOST_NEIGHBOURS = 8
"""On each side: more than half of any short-axis stack."""


def planes_around(own: int, count: int, neighbours: int) -> tuple[int, ...]:
    """Numbers of the planes that are seen with one of a stack or film, in its order, the plane's own in the middle.

    Beyond either end the last plane stands again.

    Args:
        own: number of the slice, or frame, from 0.
        count: slices of the stack, or frames of the film.
        neighbours: planes on each side.

    Returns:
        2 neighbours + 1 numbers.

    Example:
        >>> planes_around(0, 3, 1), planes_around(1, 3, 1), planes_around(0, 1, 2)
        ((0, 0, 1), (0, 1, 2), (0, 0, 0, 0, 0))

    Source:
        Han 2017, arXiv:1704.07239: a stack of adjacent slices in, the labels of the middle one out.
    """
    # Repeated, not black: where a stack ends was chosen when it was acquired, and says nothing of the anatomy. Black
    # would teach that every stack begins at the base and ends at the apex, and is like no slice that training shows.
    # A film is not closed to a ring either: few begin and end at the same instant of the beat.
    return tuple(min(max(each, 0), count - 1) for each in range(own - neighbours, own + neighbours + 1))


def channels_with_neighbours(channels: int, neighbours: int) -> int:
    """Channels of the network's input, where a plane has `channels` and `neighbours` on each side are seen with it.

    Raises:
        InputError: neighbours of planes in colour.

    Example:
        >>> channels_with_neighbours(3, 0), channels_with_neighbours(1, 2)
        (3, 5)
    """
    if neighbours and channels != 1:
        raise InputError(
            f"neighbours = {neighbours} is for grey planes, and these images have {channels} channels",
            remedy="set neighbours = 0.",
        )
    return channels * (2 * neighbours + 1)
