"""Labels and images meet in the patient's space: another voxel order is undone exactly, anything else is refused."""

from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Grid
from cardiotrace.core.label import LabelMap

Pixels = TypeVar("Pixels", bound=np.generic)
Axes = tuple[int, int, int]
Flips = tuple[bool, bool, bool]
Vector = Float[np.ndarray, "3"]
Matrix = Float[np.ndarray, "3 3"]

SAME_SIZE = 0.01
"""Relative difference up to which two voxel sizes are one: headers round them."""
SAME_PLACE = 0.25
"""Part of a voxel by which a place may be off: rounding in headers moves it by less, a wrong origin by more."""


@dataclass(frozen=True)
class VoxelOrder:
    """How the voxels of one grid are put into the order of another: axes exchanged first, then turned round.

    Example:
        >>> VoxelOrder((0, 2, 1), (False, False, True)).applied(np.array([[[1, 2], [3, 4]]])).tolist()
        [[[3, 1], [4, 2]]]
    """

    axes: Axes = (0, 1, 2)
    """For each axis (depth, height, width) of the result, which axis of the given array it is."""
    flipped: Flips = (False, False, False)
    """For each axis of the result, whether it runs the other way."""
    note: str = ""
    """In words, where something had to be assumed."""

    @property
    def is_same(self) -> bool:
        """Whether nothing is to be done."""
        return self.axes == (0, 1, 2) and not any(self.flipped)

    def applied(self, array: NDArray[Pixels]) -> NDArray[Pixels]:
        """An array ([time,] depth, height, width) in the other order.

        Args:
            array: three spatial axes, after one of time or none.
        """
        if self.is_same:
            return array
        lead = array.ndim - 3
        moved = array.transpose(*range(lead), *(lead + axis for axis in self.axes))
        turned = tuple(slice(None, None, -1) if flip else slice(None) for flip in self.flipped)
        return np.ascontiguousarray(moved[(slice(None),) * lead + turned])


def aligned(labels: LabelMap, grid: Grid) -> LabelMap:
    """Labels in the voxel order of the image that they belong to, with its geometry.

    Args:
        labels: as their file holds them.
        grid: of the image; the number of frames is not looked at.

    Returns:
        The same labels where the order is the same; else turned, with the image's source for writing. `notes` say what
        was assumed.

    Raises:
        InputError: they do not lie on the image's grid; the message names both orders.

    Example:
        >>> from cardiotrace.core.label import LV_ONLY
        >>> image = Geometry.of_spacing((1.0, 0.5, 0.5))
        >>> mirrored = Geometry(image.affine @ np.diag([1, 1, -1, 1]) + [[0, 0, 0, -0.5], *[[0, 0, 0, 0]] * 3])
        >>> labels = LabelMap(np.array([[[[0, 1]]]], np.uint8), LV_ONLY, mirrored)
        >>> aligned(labels, Grid(image, (1, 1, 1, 2))).array.tolist()
        [[[[1, 0]]]]
    """
    if labels.geometry is grid.geometry and labels.array.shape[1:] == grid.shape[1:]:
        return labels
    order = voxel_order(labels.grid, grid)
    notes = (*labels.notes, order.note) if order.note else labels.notes
    source = labels.source if order.is_same else grid.source
    return replace(labels, array=order.applied(labels.array), geometry=grid.geometry, source=source, notes=notes)


def voxel_order(own: Grid, target: Grid) -> VoxelOrder:
    """How to put voxels of one grid into the order of another that holds the same places.

    The affine maps decide, however they are known, if they agree that both grids hold the same voxels. Where they do
    not, and one of the two is what writers fall back on, such as an identity, pixels are taken as they lie. Sizes of
    1 mm that nobody set and slice distances that nobody knows are no evidence in either case.

    Args:
        own: of the array to be put in order.
        target: of the image.

    Raises:
        InputError: the grids hold other places, or other numbers of voxels.
    """
    as_they_lie = _Pair(own, target)
    if as_they_lie.is_same:
        return VoxelOrder()
    # Voxel orders come down to whole quarter turns and mirrors. So there is one candidate, the order whose axes point
    # most nearly alike, and the question is only whether it is exact.
    nearest = _Pair.nearest(own, target)
    if nearest is not None and nearest.is_exact:
        return VoxelOrder(nearest.axes, nearest.flipped)
    if as_they_lie.may_be_assumed:
        return VoxelOrder(note=_assumption(as_they_lie))
    raise _refusal(own, target, nearest if nearest is not None and as_they_lie.has_place else as_they_lie)


@dataclass(frozen=True)
class _Pair:
    """Two grids, and the voxel order in which the one is thought to be the other."""

    own: Grid
    target: Grid
    axes: Axes = (0, 1, 2)
    flipped: Flips = (False, False, False)

    @classmethod
    def nearest(cls, own: Grid, target: Grid) -> "_Pair | None":
        """In the order that comes nearest by directions; None where two axes come nearest to the same one."""
        turned = _turned(own, target)
        # Each row of a rotation is largest where the two axes point most nearly alike, and its sign there says which
        # way.
        order = np.abs(turned).argmax(axis=1)
        if len(set(order.tolist())) < 3:
            return None
        backwards = turned[range(3), order] < 0
        axes: Axes = (int(order[0]), int(order[1]), int(order[2]))
        return cls(own, target, axes, (bool(backwards[0]), bool(backwards[1]), bool(backwards[2])))

    @property
    def is_same(self) -> bool:
        """Whether both say the same of shape and place, digit by digit."""
        own, target = self.own, self.target
        return own.shape[1:] == target.shape[1:] and np.array_equal(own.geometry.affine, target.geometry.affine)

    @property
    def has_place(self) -> bool:
        """Whether both know where in the patient they lie."""
        return self.own.geometry.is_oriented and self.target.geometry.is_oriented

    @property
    def may_be_assumed(self) -> bool:
        """Whether equal shapes and sizes are all that can be asked: a map that some writer made up tells no place."""
        return not self.has_place and self.shape == self.target.shape[1:] and not self.differing_sizes

    @property
    def is_exact(self) -> bool:
        """Whether both grids hold the same voxels."""
        return (
            self.shape == self.target.shape[1:]
            and not self.differing_sizes
            and bool((np.abs(self.apart) <= SAME_PLACE).all())
            and bool((self.turn <= SAME_PLACE).all())
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the own grid in the order of the target: (depth, height, width)."""
        return tuple(self.own.shape[1:][axis] for axis in self.axes)

    @property
    def differing_sizes(self) -> bool:
        """Whether voxel sizes that are known contradict each other; the thickness of a plane is none of them."""
        own = _known_sizes(self.own, mere_is_none=True)[list(self.axes)]
        target = _known_sizes(self.target)
        both = ~np.isnan(own) & ~np.isnan(target)
        return not np.allclose(own[both], target[both], rtol=SAME_SIZE, atol=0)

    @property
    def apart(self) -> Vector:
        """How far the own grid's voxels lie from the target's along each axis of the target, in voxels.

        A flip was made by a program that believed its own sizes, and where the last voxel came to lie depends on them:
        those of the own grid, the true ones, or, in files like ACDC's, an affine of 1 mm whose sizes stand elsewhere.
        The nearest counts.
        """
        affine, sizes = self.target.geometry.affine, _sizes(self.target.geometry)
        first = np.linalg.pinv(affine[:3, :3]) @ (self.own.geometry.affine[:3, 3] - affine[:3, 3])
        own = _sizes(self.own.geometry)[list(self.axes)]
        last = np.where(self.flipped, np.array(self.target.shape[1:]) - 1, 0)
        steps = (own, sizes) if self.target.geometry.is_oriented else (own, sizes, np.ones(3))
        choices = np.stack([first - last * step / sizes for step in steps])
        nearest: Vector = choices[np.abs(choices).argmin(axis=0), range(3)]
        return np.where(self._is_plane, 0.0, nearest)

    @property
    def turn(self) -> Vector:
        """How far the grids are turned against each other beyond their order, in voxels at the far corner."""
        left = _turned(self.own, self.target)
        # Less what the order itself turns. What remains moves voxels the more the farther they are from the first, so
        # the far corner tells.
        left[range(3), self.axes] -= np.where(self.flipped, -1, 1)
        left = left[:, list(self.axes)]
        sizes = _sizes(self.target.geometry)
        extents = (np.array(self.target.shape[1:]) - 1) * sizes
        return np.where(self._is_plane, 0.0, np.abs(left) @ extents / sizes)

    @property
    def _is_plane(self) -> NDArray[np.bool_]:
        """Along which axis nothing is to be compared, as there is one voxel and its place says nothing."""
        return np.array([self.target.shape[1] == 1, False, False])


def _turned(own: Grid, target: Grid) -> Matrix:
    """Directions of the own grid's axes (columns) along those of the target (rows)."""
    rows, columns = (grid.geometry.affine[:3, :3] / _sizes(grid.geometry) for grid in (target, own))
    turned: Matrix = np.linalg.pinv(rows) @ columns
    return turned


def _sizes(geometry: Geometry) -> Vector:
    sizes: Vector = np.linalg.norm(geometry.affine[:3, :3], axis=0)
    return sizes


def _known_sizes(grid: Grid, *, mere_is_none: bool = False) -> Vector:
    """(depth, height, width), mm; NaN where the size is not known or means nothing."""
    sizes = np.array(grid.geometry.spacing_mm or (np.nan, np.nan, np.nan))
    if grid.shape[1] == 1:
        sizes[0] = np.nan
    return np.where(sizes == 1, np.nan, sizes) if mere_is_none else sizes


def _assumption(pair: _Pair) -> str:
    """What is assumed of pixels that are taken as they lie; nothing where their directions agree anyway."""
    if (pair.turn <= SAME_PLACE).all():
        return ""
    own, target = pair.own.geometry, pair.target.geometry
    lacking = "the labels state" if not own.is_oriented else "the image states"
    return f"{lacking} no orientation: the labels were taken as they lie ({_codes(own)} against {_codes(target)})"


def _refusal(own: Grid, target: Grid, pair: _Pair) -> InputError:
    codes = f"axes {_codes(own.geometry)} against {_codes(target.geometry)}, "
    if pair.shape != target.shape[1:] and own.geometry.axis_codes == target.geometry.axis_codes:
        codes = ""  # the numbers say all
    image = "the image" if target.source is None else target.source.path.name
    return InputError(
        f"does not lie on the grid of {image}: {codes}{_difference(pair)}",
        where=None if own.source is None else own.source.path,
        remedy=_remedy(pair),
    )


def _difference(pair: _Pair) -> str:
    own, target = pair.own, pair.target
    if pair.shape != target.shape[1:]:
        first = 2 if own.shape[1] == target.shape[1] == 1 else 1
        return f"{_listed(own.shape[: first - 1 : -1])} voxels against {_listed(target.shape[: first - 1 : -1])}"
    if pair.differing_sizes:
        return f"a pixel size of {_millimetres(own)} mm against {_millimetres(target)} mm"
    if (pair.turn > SAME_PLACE).any():
        return "turned by no whole quarter"
    apart = [
        f"{abs(value):.3g} in {name}"
        for name, value in zip(("depth", "height", "width"), pair.apart, strict=True)
        if abs(value) > SAME_PLACE
    ]
    return f"voxels apart: {', '.join(apart)}"


def _remedy(pair: _Pair) -> str:
    if pair.shape == pair.target.shape[1:] and pair.differing_sizes:
        return "find out which header is right and copy it to the other, or give the true size with --spacing-mm."
    return "resample the labels onto the image, by nearest label."


def _codes(geometry: Geometry) -> str:
    """Directions of (x, y, z), as viewers name them."""
    return geometry.axis_codes[::-1]


def _millimetres(grid: Grid) -> str:
    """(x, y[, z]); the thickness of a plane is left out."""
    spacing = grid.geometry.spacing_mm or (np.nan, np.nan, np.nan)
    return _listed(tuple(f"{size:.4g}" for size in spacing[::-1][: 2 if grid.shape[1] == 1 else 3]))


def _listed(values: tuple[object, ...]) -> str:
    return " x ".join(str(value) for value in values)
