"""All scores of one label map against its reference, region by region."""

import functools
import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.box import bounding_box
from cardiotrace.metrics.centreline import cldice
from cardiotrace.metrics.overlap import Confusion, Presence
from cardiotrace.metrics.surface import surface_distances


@dataclass(frozen=True)
class Region:
    """What a row of a results table speaks of: one structure, or several taken together.

    Example:
        >>> Region.of(Structure.LA)
        Region(name='LA', structures=(<Structure.LA: 'LA'>,))
    """

    name: str
    structures: tuple[Structure, ...]

    @property
    def is_thin(self) -> bool:
        """Whether all of it is long and thin."""
        return all(structure.is_thin for structure in self.structures)

    @classmethod
    def of(cls, structure: Structure) -> "Region":
        """One structure under its own name."""
        return cls(structure.value, (structure,))

    def mask(self, array: NDArray[np.uint8], scheme: LabelScheme) -> NDArray[np.bool_]:
        """Where the region is in an array of the scheme's values.

        Raises:
            InputError: the scheme lacks one of the structures.
        """
        return functools.reduce(operator.or_, (array == scheme.value(structure) for structure in self.structures))


LV_EPI = Region("LV_EPI", (Structure.LV, Structure.MYO))
"""All that the epicardium encloses: cavity and myocardium."""

CAMUS_REGIONS: tuple[Region, ...] = (Region.of(Structure.LV), LV_EPI, Region.of(Structure.LA))
"""The rows of every CAMUS table: LV endocardium, LV epicardium (a union, not the myocardium), left atrium."""


def regions_of(scheme: LabelScheme) -> tuple[Region, ...]:
    """The regions a data set's tables are made of: CAMUS's own, else one for each structure.

    Example:
        >>> from cardiotrace.core.label import ACDC, CAMUS
        >>> [region.name for region in regions_of(CAMUS)], [region.name for region in regions_of(ACDC)]
        (['LV', 'LV_EPI', 'LA'], ['RV', 'MYO', 'LV'])
    """
    if set(scheme.structures) == {Structure.LV, Structure.MYO, Structure.LA}:
        return CAMUS_REGIONS
    return tuple(Region.of(structure) for structure in scheme.structures)


@dataclass(frozen=True)
class RegionScores:
    """The scores of one region of one image.

    Distances are NaN for an absent region and infinite for a missed one; without a known pixel size, and in a stack
    without a known distance of its slices, all of them are NaN. `cldice` is NaN but for long thin structures in a
    planar image.
    """

    presence: Presence
    dice: float
    jaccard: float
    precision: float
    recall: float
    specificity: float
    accuracy: float
    cldice: float
    hausdorff_mm: float
    hausdorff95_mm: float
    mean_absolute_mm: float
    average_symmetric_mm: float


def measure_case(
    predicted: LabelMap,
    reference: LabelMap,
    structures: Sequence[Region | Structure] | None = None,
    *,
    field_of_view: Bool[np.ndarray, "depth height width"] | None = None,
) -> dict[str, RegionScores]:
    """Score one still image: in the plane if it has a depth of one, else as one volume.

    Args:
        predicted: labels of one frame.
        reference: labels on the same grid, in any scheme that holds the same structures.
        structures: regions or single structures; `regions_of` the reference's scheme if None.
        field_of_view: the pixels that count; what is labelled outside is left out of both. All of them if None.

    Returns:
        Scores for each region's name, in order.

    Raises:
        InputError: grids that differ, several frames, or a structure that a scheme lacks.

    Example:
        >>> from cardiotrace.core.geometry import Geometry
        >>> from cardiotrace.core.label import CAMUS
        >>> array = np.zeros((1, 1, 20, 20), np.uint8)
        >>> array[..., 5:10, 5:10] = CAMUS.value(Structure.LV)
        >>> labels = LabelMap(array, CAMUS, Geometry.of_spacing((1.0, 0.5, 0.5)))
        >>> shifted = LabelMap(np.roll(array, 1, axis=3), CAMUS, Geometry.of_spacing((1.0, 0.5, 0.5)))
        >>> scores = measure_case(shifted, labels, [Structure.LV])["LV"]
        >>> scores.dice, scores.hausdorff_mm
        (0.8, 0.5)
    """
    if predicted.array.shape[0] != 1:
        raise InputError(f"one frame at a time, got {predicted.array.shape[0]}", remedy="use measure_frames.")
    return measure_frames(predicted, reference, structures, field_of_view=field_of_view)[0]


def measure_frames(
    predicted: LabelMap,
    reference: LabelMap,
    structures: Sequence[Region | Structure] | None = None,
    *,
    field_of_view: Bool[np.ndarray, "depth height width"] | None = None,
) -> list[dict[str, RegionScores]]:
    """Score each frame of a cine as an image of its own; see `measure_case`.

    Returns:
        One dictionary for each frame, in order.
    """
    _require_one_grid(predicted, reference, field_of_view)
    regions = regions_of(reference.scheme) if structures is None else [_as_region(item) for item in structures]
    spacing_mm = _common_spacing(predicted, reference)
    schemes = (predicted.scheme, reference.scheme)
    voxels = reference.array[0].size if field_of_view is None else int(np.count_nonzero(field_of_view))
    pairs = zip(_inside(predicted.array, field_of_view), _inside(reference.array, field_of_view), strict=True)
    return [_measure_volume(pair, schemes, regions, spacing_mm, voxels=voxels) for pair in pairs]


def _require_one_grid(
    predicted: LabelMap, reference: LabelMap, field_of_view: Bool[np.ndarray, "depth height width"] | None
) -> None:
    if predicted.array.shape != reference.array.shape:
        raise InputError(
            f"the grids differ: predicted {predicted.array.shape}, reference {reference.array.shape}",
            where=None if predicted.source is None else predicted.source.path,
        )
    if field_of_view is not None and field_of_view.shape != reference.array.shape[1:]:
        raise InputError(f"the field of view has shape {field_of_view.shape}, the labels {reference.array.shape[1:]}")


def _inside(
    array: NDArray[np.uint8], field_of_view: Bool[np.ndarray, "depth height width"] | None
) -> NDArray[np.uint8]:
    """Labels, 0 where pixels do not count."""
    return array if field_of_view is None else array * field_of_view


def _measure_volume(
    pair: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    schemes: tuple[LabelScheme, LabelScheme],
    regions: Sequence[Region],
    spacing_mm: tuple[float, ...] | None,
    *,
    voxels: int,
) -> dict[str, RegionScores]:
    """Scores of (depth, height, width) arrays; a single slice is measured in its plane; `voxels` of them count."""
    if pair[0].shape[0] == 1:
        pair = pair[0][0], pair[1][0]
        spacing_mm = None if spacing_mm is None else spacing_mm[1:]
    # Most of an image is background on both sides: only what is labelled on either is looked at again and again.
    box = bounding_box((pair[0] | pair[1]) != 0)
    small = pair[0][box], pair[1][box]
    return {region.name: _measure_region(region, small, schemes, spacing_mm, voxels=voxels) for region in regions}


def _measure_region(
    region: Region,
    pair: tuple[NDArray[np.uint8], NDArray[np.uint8]],
    schemes: tuple[LabelScheme, LabelScheme],
    spacing_mm: tuple[float, ...] | None,
    *,
    voxels: int,
) -> RegionScores:
    predicted, reference = (region.mask(labels, scheme) for labels, scheme in zip(pair, schemes, strict=True))
    counts = Confusion.count(predicted, reference)
    # What was cut off is background on both sides, and right.
    counts = replace(counts, true_negative=counts.true_negative + voxels - predicted.size)
    # The published centre-line Dice is one of planes, and a compact region has no centre line to follow.
    is_thin = region.is_thin and predicted.ndim == 2
    return RegionScores(
        presence=counts.presence,
        dice=counts.dice,
        jaccard=counts.jaccard,
        precision=counts.precision,
        recall=counts.recall,
        specificity=counts.specificity,
        accuracy=counts.accuracy,
        cldice=cldice(predicted, reference) if is_thin else math.nan,
        **_distances(predicted, reference, spacing_mm),
    )


def _distances(
    predicted: NDArray[np.bool_], reference: NDArray[np.bool_], spacing_mm: tuple[float, ...] | None
) -> dict[str, float]:
    """Surface distances by name; NaN without a pixel size, or a stack's slice distance."""
    if spacing_mm is None or any(map(math.isnan, spacing_mm)):
        return dict.fromkeys(_DISTANCES, math.nan)
    surfaces = surface_distances(predicted, reference, spacing_mm=spacing_mm)
    return {name: getattr(surfaces, name) for name in _DISTANCES}


_DISTANCES = ("hausdorff_mm", "hausdorff95_mm", "mean_absolute_mm", "average_symmetric_mm")
"""Those of `SurfaceDistances` that stand in `RegionScores`."""


def _common_spacing(predicted: LabelMap, reference: LabelMap) -> tuple[float, ...] | None:
    """The voxel size both agree on, or that of the one that knows it; NaN where none knows the slice distance."""
    if predicted.spacing_mm is None or reference.spacing_mm is None:
        return predicted.spacing_mm or reference.spacing_mm
    pairs = list(zip(predicted.spacing_mm, reference.spacing_mm, strict=True))
    # The thickness of a single plane takes part in no score.
    is_plane = reference.array.shape[1] == 1
    if any(_differ(mine, other) for mine, other in pairs[1 if is_plane else 0 :]):
        raise InputError(
            f"the pixel sizes differ: predicted {predicted.spacing_mm} mm, reference {reference.spacing_mm} mm",
            where=None if predicted.source is None else predicted.source.path,
        )
    # The reference's, where both know one: what is scored lies on its grid.
    return tuple(mine if math.isnan(other) else other for mine, other in pairs)


def _differ(mine: float, other: float) -> bool:
    """Whether two sizes are known and not the same.

    Headers round: one file through NIfTI's float32 and MetaImage's text differs in the seventh digit.
    """
    return not (math.isnan(mine) or math.isnan(other) or math.isclose(mine, other, rel_tol=1e-4))


def _as_region(item: Region | Structure) -> Region:
    return item if isinstance(item, Region) else Region.of(item)
