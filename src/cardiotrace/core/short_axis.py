"""How a short axis lies in the patient: where its apex is, and from which side it is shown.

Hearts lie much alike. So the direction from base to apex follows from the place of a plane in the patient, and need
not be guessed from what is labelled in it.
"""

import numpy as np
from jaxtyping import Float

from cardiotrace.core.geometry import Geometry, Known

Direction = Float[np.ndarray, " 3"]
"""Of unit length, in patient coordinates."""

TYPICAL_AXIS: Direction = np.array([-0.63, 0.60, -0.49])
"""From base to apex in `COORDINATES`: to the left, the front and the feet, each about as much. The short axes of five
hearts at hand (two of GE, three of Siemens) lie within 16 degrees of it."""
WITHIN_DEGREES = 40.0
"""By how much the normal of a plane may lie off the typical axis to be taken for a short axis: planes of the body lie
50 and more off it, long axes about 90."""


def off_axis_degrees(geometry: Geometry) -> float | None:
    """Angle between the normal of a plane and the axis of a typical heart, 0 to 90; None where its place is unknown."""
    if not geometry.is_oriented:
        return None
    share = abs(float(towards_viewer(geometry) @ TYPICAL_AXIS)) / float(np.linalg.norm(TYPICAL_AXIS))
    return float(np.degrees(np.arccos(min(share, 1.0))))


def lies_as_hearts_do(geometry: Geometry) -> bool:
    """Whether it is known where a plane lies in the patient, and that it lies there as short axes do.

    Example:
        >>> lies_as_hearts_do(Geometry.of_spacing((8.0, 1.4, 1.4)))
        False
    """
    off = off_axis_degrees(geometry)
    return off is not None and off <= WITHIN_DEGREES


def runs_to_apex(geometry: Geometry) -> bool | None:
    """Whether the slices of a stack run from base to apex; None where its place in the patient does not tell."""
    if not lies_as_hearts_do(geometry):
        return None
    return float(geometry.affine[:3, 0] @ TYPICAL_AXIS) > 0


def is_seen_from_apex(geometry: Geometry) -> bool | None:
    """Whether a short axis is shown as from its apex, rows down and columns to the right; else from its base.

    From the apex the walls follow each other counterclockwise: anterior, septal, inferior, lateral. Where the place in
    the patient is not known, but that nothing is mirrored, the plane is shown as scanners do it: from the feet, the
    left or the front, which is where the apex is.

    Args:
        geometry: of the image.

    Returns:
        None where nothing tells: a picture of unknown origin may have been mirrored.

    Example:
        >>> from dataclasses import replace
        >>> unplaced = Geometry.of_spacing((8.0, 1.4, 1.4))
        >>> is_seen_from_apex(unplaced), is_seen_from_apex(replace(unplaced, as_shown=Known.DATA_SET))
        (None, True)
    """
    if geometry.is_oriented:
        # A plane that lies otherwise was not cut across a heart, or its header is wrong: either way it tells nothing.
        return float(towards_viewer(geometry) @ TYPICAL_AXIS) > 0 if lies_as_hearts_do(geometry) else None
    return None if geometry.as_shown is Known.UNKNOWN else True


def towards_viewer(geometry: Geometry) -> Direction:
    """The direction out of an image whose rows run down and columns to the right."""
    down, right = geometry.affine[:3, 1], geometry.affine[:3, 2]
    out = np.cross(down, right)
    return np.asarray(out / np.linalg.norm(out))
