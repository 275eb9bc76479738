"""How far the surfaces of two masks lie apart, in millimetres.

All scores are read from one `SurfaceDistances`, computed once: the distance of every surface voxel to
the nearest surface voxel of the other mask, both ways. A surface voxel has a face neighbour outside its
mask, and beyond the image everything is outside.

Where other libraries differ: MONAI and surface-distance take the larger of the two directed percentiles
for HD95, MedPy (and this module by default) the percentile of both directions pooled; surface-distance
measures between boundary elements and weights them by their size; SimpleITK's usual recipe measures to
the zero level of a signed distance, about half a voxel nearer.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import check_spacing
from cardiotrace.geometry.surface import surface_to_surface_mm
from cardiotrace.metrics.pair import mask_pair


@dataclass(frozen=True)
class SurfaceDistances:
    """Distances from each surface voxel of one mask to the surface of the other.

    If both masks are empty every score is NaN (absent); if one is, distances are infinite and the
    surface Dice is 0 (missed).

    Args:
        predicted_to_reference_mm: one for each surface voxel of the prediction, mm.
        reference_to_predicted_mm: one for each surface voxel of the reference, mm.

    Example:
        >>> distances = SurfaceDistances(np.array([0.0, 1.0]), np.array([0.0, 0.0, 0.0, 2.0]))
        >>> distances.hausdorff_mm, distances.mean_absolute_mm, distances.average_symmetric_mm
        (2.0, 0.5, 0.5)
    """

    predicted_to_reference_mm: NDArray[np.float64]
    reference_to_predicted_mm: NDArray[np.float64]

    @property
    def hausdorff_mm(self) -> float:
        """Hausdorff distance HD, mm: the largest distance in either direction."""
        return self.hausdorff_percentile_mm(100.0)

    @property
    def hausdorff95_mm(self) -> float:
        """HD95, mm: the 95th percentile of both directions pooled, as MedPy computes it."""
        return self.hausdorff_percentile_mm(95.0)

    def hausdorff_percentile_mm(self, percentile: float, *, pooled: bool = True) -> float:
        """Hausdorff distance with the largest distances left out.

        Args:
            percentile: 0 to 100, linear between ranks; 100 is the Hausdorff distance.
            pooled: of both directions together (MedPy), or the larger of one percentile for each
                direction (MONAI, surface-distance).

        Returns:
            Distance, mm.

        Raises:
            InputError: the percentile is not within 0 to 100.
        """
        if not 0 <= percentile <= 100:
            raise InputError(f"a percentile lies within 0 to 100, got {percentile}")
        if not self._is_comparable:
            return self._incomparable
        if pooled:
            return _percentile(self._pooled_mm, percentile)
        return max(_percentile(directed, percentile) for directed in self._directed_mm)

    @property
    def mean_absolute_mm(self) -> float:
        """MAD or d_m, mm: the mean of the two directed mean distances, as in the CAMUS tables."""
        if not self._is_comparable:
            return self._incomparable
        # Each direction weighs half, however many voxels a surface has; pooled they would weigh by size (see below).
        first, second = self._directed_mm
        return float((first.mean() + second.mean()) / 2)

    @property
    def average_symmetric_mm(self) -> float:
        """ASSD, mm: the mean over both directions pooled, as MedPy 0.5 computes it."""
        return float(self._pooled_mm.mean()) if self._is_comparable else self._incomparable

    def surface_dice(self, tolerance_mm: float) -> float:
        """Share of both surfaces that lies within a tolerance of the other, 0 to 1.

        Args:
            tolerance_mm: how far apart still counts as the same, mm, >= 0.

        Returns:
            0 to 1. Every surface voxel weighs the same; surface-distance weights boundary elements by
            their area, which differs most where voxels are far from cubes.

        Raises:
            InputError: the tolerance is negative.

        Source:
            Nikolov et al. 2021, J Med Internet Res 23:e26151.
        """
        if not tolerance_mm >= 0:
            raise InputError(f"a tolerance is zero or positive, got {tolerance_mm} mm")
        pooled = self._pooled_mm
        # A missed structure needs no case of its own: its infinite distances are within no tolerance, which makes 0.
        return float(np.count_nonzero(pooled <= tolerance_mm) / pooled.size) if pooled.size else math.nan

    @property
    def _directed_mm(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.predicted_to_reference_mm, self.reference_to_predicted_mm

    @property
    def _pooled_mm(self) -> NDArray[np.float64]:
        return np.concatenate(self._directed_mm)

    @property
    def _is_comparable(self) -> bool:
        return all(directed.size > 0 for directed in self._directed_mm)

    @property
    def _incomparable(self) -> float:
        return math.inf if any(directed.size > 0 for directed in self._directed_mm) else math.nan


def surface_distances(predicted: ArrayLike, reference: ArrayLike, *, spacing_mm: Sequence[float]) -> SurfaceDistances:
    """Distances between the surfaces of two masks, from which HD, HD95, MAD and surface Dice are read.

    Args:
        predicted: a mask of two or three axes, boolean or zeros and ones.
        reference: a mask of the same shape.
        spacing_mm: pixel size along each axis in the order of the array, (height, width) or
            (depth, height, width), mm, > 0. A stack of slices needs the distance between slice
            centres, not the slice thickness.

    Returns:
        The distances both ways.

    Raises:
        InputError: shapes that differ, not two or three axes, no mask, or a spacing that does not fit.

    Example:
        >>> square = np.zeros((8, 8), bool)
        >>> square[2:5, 2:5] = True
        >>> distances = surface_distances(np.roll(square, 2, axis=1), square, spacing_mm=(1.0, 0.5))
        >>> distances.hausdorff_mm
        1.0
    """
    first, second = mask_pair(predicted, reference)
    if first.ndim not in (2, 3):
        raise InputError(f"surfaces need masks of 2 or 3 axes, got shape {first.shape}")
    if len(spacing_mm) != first.ndim:
        raise InputError(f"masks of {first.ndim} axes need {first.ndim} pixel sizes, got {tuple(spacing_mm)}")
    check_spacing(tuple(spacing_mm))
    return SurfaceDistances(*surface_to_surface_mm(first, second, spacing_mm))


def _percentile(values: NDArray[np.float64], percentile: float) -> float:
    """Linear between ranks, as `np.percentile`, which takes five times as long on a few hundred values."""
    # Only two of the values need to be in place, so a partition replaces the sort.
    rank = (values.size - 1) * percentile / 100
    below = min(math.floor(rank), values.size - 1)
    above = min(below + 1, values.size - 1)
    ordered = np.partition(values, (below, above))
    return float(ordered[below] + (rank - below) * (ordered[above] - ordered[below]))
