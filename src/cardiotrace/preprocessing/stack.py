"""Which slices of a stack a network of planes sees beside a plane's own, as further channels: 2.5D."""

from cardiotrace.core.errors import InputError

MOST_NEIGHBOURS = 8
"""Slices on each side: more than half of any short-axis stack."""


def slices_around(depth: int, count: int, neighbours: int) -> tuple[int, ...]:
    """Numbers of the slices that are seen with one of a stack, in the stack's order, its own in the middle.

    Beyond either end the last slice stands again.

    Args:
        depth: number of the slice, from 0.
        count: slices of the stack.
        neighbours: slices on each side.

    Returns:
        2 neighbours + 1 numbers.

    Example:
        >>> slices_around(0, 3, 1), slices_around(1, 3, 1), slices_around(0, 1, 2)
        ((0, 0, 1), (0, 1, 2), (0, 0, 0, 0, 0))

    Source:
        Han 2017, arXiv:1704.07239: a stack of adjacent slices in, the labels of the middle one out.
    """
    # Repeated, not black: where a stack ends was chosen when it was acquired, and says nothing of the anatomy. Black
    # would teach that every stack begins at the base and ends at the apex, and is like no slice that training shows.
    return tuple(min(max(each, 0), count - 1) for each in range(depth - neighbours, depth + neighbours + 1))


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
            f"neighbours = {neighbours} is for stacks of grey slices, and these images have {channels} channels",
            remedy="set neighbours = 0.",
        )
    return channels * (2 * neighbours + 1)
