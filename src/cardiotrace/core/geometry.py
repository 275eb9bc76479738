"""Where the voxels of an image lie in the patient, and how that is known."""

from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError

Spacing = tuple[float, float, float]
"""(depth, height, width), mm; the depth is NaN in a stack whose slice distance is not known, so that no volume can be
had from it by mistake."""

COORDINATES = "RAS+"
"""Patient coordinates of every affine here: x grows to the patient's right, y to the front, z to the head, in mm, as in
NIfTI. DICOM and MetaImage count x and y the other way round (LPS+); their readers turn the signs."""

_TILT = 1e-4
"""Share of a slice distance by which rounding may make it differ from the distance of the planes."""
_POSITIVE, _NEGATIVE = "RAS", "LPI"


class Known(StrEnum):
    """How a fact about an image is known."""

    FILE = "file"
    """Its header states it."""
    DATA_SET = "data set"
    """The data set's tables or rules state it, also where they correct the file."""
    GIVEN = "given"
    """Whoever runs the program said so."""
    NAME = "name"
    """The name of the file states it."""
    ASSUMED = "assumed"
    """Taken for want of anything better, and said wherever it matters."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where voxels lie: an affine map from array indices to patient millimetres, and how far it can be relied on.

    Example:
        >>> stack = Geometry.of_spacing((8.0, 1.4, 1.4))
        >>> stack.spacing_mm, stack.is_oriented
        ((8.0, 1.4, 1.4), False)
        >>> stack.point_mm((1, 0, 0)).tolist()
        [0.0, 0.0, 8.0]

    Raises:
        InputError: the affine is not a 4 x 4 matrix of finite numbers, or a voxel has no size.
    """

    affine: Float[np.ndarray, "4 4"]
    """From (depth, height, width, 1) of a voxel's centre to (x, y, z, 1) in `COORDINATES`, mm."""
    pixel_size: Known = Known.FILE
    """How height and width of a pixel are known."""
    slice_distance: Known = Known.FILE
    """How the distance between slices is known; it says nothing in an image of one slice."""
    orientation: Known = Known.UNKNOWN
    """How position and direction in the patient are known; the sizes hold without them."""
    doubts: tuple[str, ...] = ()
    """In words, where the file contradicts itself about sizes or place."""
    as_shown: Known = Known.UNKNOWN
    """How it is known that rows and columns run as a scanner shows them, so that nothing is mirrored, where the place
    in the patient is not known."""

    def __post_init__(self) -> None:
        if self.affine.shape != (4, 4) or not np.isfinite(self.affine).all():
            raise InputError("the affine map to the patient is not a 4 x 4 matrix of finite numbers")
        if self.pixel_size is not Known.UNKNOWN:
            check_spacing(self._lengths)

    @classmethod
    def of_spacing(
        cls, spacing_mm: Spacing | None, known: Known = Known.FILE, *, where: str | Path | None = None
    ) -> "Geometry":
        """Voxel sizes without a place in the patient: rows run to his back, columns to his left, slices upwards.

        Args:
            spacing_mm: (depth, height, width), mm; NaN in depth where the slice distance is not known, None where no
                size is.
            known: how it is known.
            where: the file, for messages.

        Raises:
            InputError: a size is zero, negative or infinite.
        """
        if spacing_mm is None:
            return NO_GEOMETRY
        check_spacing(spacing_mm, where=where, may_lack_depth=True)
        depth, height, width = spacing_mm
        affine = np.zeros((4, 4))
        affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = (1.0 if np.isnan(depth) else depth), -height, -width, 1
        return cls(affine, known, Known.UNKNOWN if np.isnan(depth) else known)

    @property
    def _lengths(self) -> Spacing:
        """Sizes of a voxel, the depth across its plane: slices shifted sideways lie no farther apart for it."""
        height, width = (float(length) for length in np.linalg.norm(self.affine[:3, 1:3], axis=0))
        return distance_across(*self.affine[:3, :3].T), height, width

    @cached_property
    def spacing_mm(self) -> Spacing | None:
        """(depth, height, width) of a voxel, mm; None where the pixel size is not known.

        The depth is NaN in a stack whose slice distance is not known.
        """
        if self.pixel_size is Known.UNKNOWN:
            return None
        # Lengths of columns carry the rounding of a square root: 0.308 comes back as 0.30800000000000005.
        depth, height, width = (float(f"{length:.9g}") for length in self._lengths)
        return (float("nan") if self.slice_distance is Known.UNKNOWN else depth), height, width

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """(height, width) of a pixel, mm; (1, 1) where it is not known, so that ratios can still be had."""
        return (1.0, 1.0) if self.spacing_mm is None else self.spacing_mm[1:]

    @property
    def is_oriented(self) -> bool:
        """Whether it is known where in the patient the image lies."""
        return self.orientation is not Known.UNKNOWN

    def point_mm(self, index: tuple[float, float, float]) -> Float[np.ndarray, "3"]:
        """Patient coordinates of a voxel's centre (depth, height, width), mm."""
        return np.asarray((self.affine @ np.array([*index, 1.0]))[:3])

    @property
    def axis_codes(self) -> str:
        """The patient's direction that each axis (depth, height, width) runs to most nearly, such as "SPL".

        Example:
            >>> Geometry.of_spacing((8.0, 1.4, 1.4)).axis_codes
            'SPL'
        """
        columns = self.affine[:3, :3]
        axes = np.abs(columns).argmax(axis=0)
        return "".join(
            (_POSITIVE if columns[axis, column] > 0 else _NEGATIVE)[axis] for column, axis in enumerate(axes)
        )

    def with_pixel_size(
        self, height_mm: float, width_mm: float, depth_mm: float | None = None, *, known: Known = Known.GIVEN
    ) -> "Geometry":
        """The same place with other sizes of a pixel, and of the slice distance where one is given.

        Raises:
            InputError: a size is zero, negative or not a number.
        """
        check_spacing((height_mm, width_mm) if depth_mm is None else (depth_mm, height_mm, width_mm))
        lengths = self._lengths
        wanted = (lengths[0] if depth_mm is None else depth_mm, height_mm, width_mm)
        affine = self.affine.copy()
        affine[:3, :3] *= np.divide(wanted, lengths, out=np.ones(3), where=np.asarray(lengths) > 0)
        distance = self.slice_distance if depth_mm is None else known
        return replace(self, affine=affine, pixel_size=known, slice_distance=distance, doubts=())

    def moved(self, first: tuple[int, int, int]) -> "Geometry":
        """The geometry of a part of the image that begins at voxel `first` (depth, height, width)."""
        affine = self.affine.copy()
        affine[:3, 3] = self.point_mm(first)
        return replace(self, affine=affine)


NO_GEOMETRY = Geometry(
    np.array([[0.0, 0.0, -1.0, 0.0], [0.0, -1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 1.0]]),
    Known.UNKNOWN,
    Known.UNKNOWN,
)
"""Of an image whose pixel size nobody knows: one unit a pixel."""


def distance_across(
    step: Float[np.ndarray, "3"], rows: Float[np.ndarray, "3"], columns: Float[np.ndarray, "3"]
) -> float:
    """Distance of two planes that lie one step apart; the step's length, unless it leads aside.

    Args:
        step: from a voxel of one plane to that of the other.
        rows: a direction in the plane.
        columns: another one.

    Example:
        >>> distance_across(np.array([3.0, 0.0, 4.0]), np.array([1.4, 0.0, 0.0]), np.array([0.0, 1.4, 0.0]))
        4.0
    """
    length = float(np.linalg.norm(step))
    normal = np.cross(rows, columns)
    area = float(np.linalg.norm(normal))
    across = abs(float(normal @ step)) / area if area > 0 else length
    # What rounding in a header tilts is no shift, and its length is the number that was meant.
    return across if across < (1 - _TILT) * length else length


def check_spacing(
    spacing_mm: tuple[float, ...], *, where: str | Path | None = None, may_lack_depth: bool = False
) -> None:
    """Refuse pixel sizes that cannot be: zero, negative, infinite or not a number.

    Args:
        spacing_mm: sizes, mm.
        where: the file, for the message.
        may_lack_depth: the first may be NaN: a slice distance that is not known.

    Raises:
        InputError: naming the sizes.
    """
    checked = spacing_mm[1:] if may_lack_depth and np.isnan(spacing_mm[0]) else spacing_mm
    if not all(np.isfinite(value) and value > 0 for value in checked):
        raise InputError(
            f"pixel spacing must be positive millimetres, got {tuple(float(v) for v in spacing_mm)}",
            where=where,
            remedy="correct the header, or give the true size with --spacing-mm HEIGHT WIDTH [DEPTH].",
        )
