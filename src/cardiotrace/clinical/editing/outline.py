"""The outlines that a person draws in a plane of labels, and whether what was drawn can be one."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.spline import closed_curve, control_points, fill_curve

Points = Float[np.ndarray, "_ 2"]

OUTLINED: Mapping[str, tuple[Structure, ...]] = {
    "lv": (Structure.LV,),
    "epi": (Structure.LV, Structure.MYO),
    "la": (Structure.LA,),
    "rv": (Structure.RV,),
    "ra": (Structure.RA,),
}
"""What each outline goes round, by its name: the epicardium is the outline of cavity and wall together."""
FEWEST_POINTS, MOST_POINTS = 3, 96
_CHECKED_STEPS = 6
"""Points for each stretch of a curve that is looked at for crossings."""


def outline_names(scheme: LabelScheme) -> tuple[str, ...]:
    """Names of the outlines that labels of a scheme can have.

    Example:
        >>> from cardiotrace.core.label import CAMUS, LV_ONLY
        >>> outline_names(CAMUS), outline_names(LV_ONLY)
        (('lv', 'epi', 'la'), ('lv',))
    """
    return tuple(name for name, inside in OUTLINED.items() if inside[-1] in scheme.values)


def outlined(plane: UInt8[np.ndarray, "height width"], scheme: LabelScheme, name: str) -> Bool[np.ndarray, "_ _"]:
    """What an outline goes round in one plane.

    Raises:
        InputError: labels of this scheme have no such outline.
    """
    if name not in outline_names(scheme):
        known = ", ".join(outline_names(scheme)) or "none"
        raise InputError(f"there is no outline {name!r} in these labels", remedy=f"they have {known}.")
    values = [scheme.values[structure] for structure in OUTLINED[name] if structure in scheme.values]
    found = np.zeros(plane.shape, bool)
    for value in values:  # `np.isin` builds a table of look-ups that takes ten times as long
        found |= plane == value
    return found


def outlines_of(
    plane: UInt8[np.ndarray, "height width"], scheme: LabelScheme, *, leave: Collection[str] = ()
) -> dict[str, Points]:
    """The few points that draw each outline of a plane, see `control_points`; what is not there has none.

    An epicardium is that of a wall: where nothing but the cavity is labelled there is none.

    Args:
        plane: labels.
        scheme: of them.
        leave: outlines that are not asked for.
    """
    asked = [name for name in outline_names(scheme) if name not in leave]
    shown = [name for name in asked if (plane == scheme.values[OUTLINED[name][-1]]).any()]
    return {name: control_points(outlined(plane, scheme, name)) for name in shown}


def checked_points(points: Sequence[Sequence[Any]], shape: tuple[int, int]) -> Points:
    """What somebody drew as points of a closed curve.

    Args:
        points: (row, column) each, pixels.
        shape: (height, width) of the plane.

    Returns:
        (points, 2).

    Raises:
        InputError: they are no numbers, too few or too many, lie outside the image, enclose nothing, or their curve
            crosses itself.

    Example:
        >>> checked_points([[1, 1], [1, 8]], (9, 9))
        Traceback (most recent call last):
        cardiotrace.core.errors.InputError: an outline needs 3 to 96 points, this one has 2
    """
    if not FEWEST_POINTS <= len(points) <= MOST_POINTS:
        wanted = f"{FEWEST_POINTS} to {MOST_POINTS}"
        raise InputError(f"an outline needs {wanted} points, this one has {len(points)}")
    found = checked_places(points, shape)
    if _crosses_itself(closed_curve(found, _CHECKED_STEPS)):
        raise InputError("the outline crosses itself", remedy="draw it round the structure once.")
    if not fill_curve(found, shape).any():
        raise InputError("the outline encloses no pixel")
    return found


def checked_places(points: Sequence[Sequence[Any]], shape: tuple[int, int]) -> Points:
    """Places in a plane, as numbers.

    Raises:
        InputError: they are no pairs of finite numbers, or lie outside the image.
    """
    try:
        found = np.array([[float(value) for value in point] for point in points], float)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError("a point is two numbers, its row and its column") from error
    if found.ndim != 2 or found.shape[1] != 2 or not np.isfinite(found).all():
        raise InputError("a point is two finite numbers, its row and its column")
    height, width = shape
    if (found < -0.5).any() or (found > np.array([height, width]) - 0.5).any():
        raise InputError(f"a point lies outside the image, which has {height} rows and {width} columns")
    return found


def _crosses_itself(ring: Points) -> bool:
    """Whether two edges of a closed polygon that are no neighbours cross."""
    start, stop = ring, np.roll(ring, -1, axis=0)
    along = stop - start

    def side(of: Points) -> Float[np.ndarray, "edges points"]:
        """On which side of each edge the points lie."""
        offset = of[None] - start[:, None]
        return np.asarray(along[:, None, 0] * offset[..., 1] - along[:, None, 1] * offset[..., 0])

    apart = side(start) * side(stop) < 0
    return bool((apart & apart.T).any())
