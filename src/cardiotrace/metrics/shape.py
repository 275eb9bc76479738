"""How heart-like an outline is, and the limits beyond which it is an outlier.

Area and perimeter are those of the largest sub-pixel contour of the mask, corners cut at half a pixel.
Counting pixels gives longer perimeters and so lower simplicities: limits hold only for the estimator
they were fitted with, which is why `ShapeLimits.fit` and `ShapeLimits.violations` share it.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import check_spacing
from cardiotrace.geometry.contour import convex_hull_area, largest_contour, polygon_area, polygon_perimeter
from cardiotrace.metrics.pair import as_mask


def simplicity(mask: ArrayLike, *, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> float:
    """How close an outline comes to a circle: Sp = sqrt(4 pi A) / P, the root of the circularity.

    Args:
        mask: height x width, boolean or zeros and ones; its largest contour is judged, holes in it are not.
        spacing_mm: pixel size (row, column), mm, > 0; only its ratio matters.

    Returns:
        0 to 1, 1 for a circle; a large disc of pixels gets 0.948, as its contour runs in straight and diagonal steps.
        NaN for an empty mask.

    Raises:
        InputError: not a mask of two axes, or a bad spacing.

    Example:
        >>> import numpy as np
        >>> square = np.zeros((102, 102), bool)
        >>> square[1:101, 1:101] = True
        >>> round(simplicity(square), 3)  # a true square has sqrt(pi) / 2 = 0.886
        0.889

    Source:
        Leclerc et al. 2019, IEEE Int Ultrasonics Symp, 1160 (RU-Net), equations 2 and 3.
    """
    check_spacing(spacing_mm)
    return _simplicity(largest_contour(_planar(mask)), spacing_mm)


def convexity(mask: ArrayLike) -> float:
    """Share of its convex hull that an outline fills: Cx = A / A_hull. Pixel size cancels out.

    Args:
        mask: height x width, boolean or zeros and ones; its largest contour is judged, holes in it are not.

    Returns:
        0 to 1, 1 for a convex outline; NaN for an empty mask.

    Raises:
        InputError: not a mask of two axes.

    Example:
        >>> import numpy as np
        >>> corner = np.zeros((42, 42), bool)
        >>> corner[1:41, 1:21] = corner[21:41, 1:41] = True
        >>> round(convexity(corner), 2)  # three quarters of a square in seven eighths of it: 6/7
        0.86

    Source:
        Leclerc et al. 2019, IEEE Int Ultrasonics Symp, 1160 (RU-Net), equations 2 and 3.
    """
    return _convexity(largest_contour(_planar(mask)))


def shape_of(mask: ArrayLike, *, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> tuple[float, float]:
    """`simplicity` and `convexity` of a mask from one contour, at half the cost of asking for each.

    Example:
        >>> import numpy as np
        >>> corner = np.zeros((42, 42), bool)
        >>> corner[1:41, 1:21] = corner[21:41, 1:41] = True
        >>> shape_of(corner) == (simplicity(corner), convexity(corner))
        True
    """
    check_spacing(spacing_mm)
    contour = largest_contour(_planar(mask))
    # No pixel size for convexity: stretching changes the areas of outline and hull alike.
    return _simplicity(contour, spacing_mm), _convexity(contour)


@dataclass(frozen=True)
class ShapeLimits:
    """The least simplicity and convexity that still pass as a heart; plain data, kept in model files.

    Example:
        >>> ShapeLimits.least([(0.80, 0.97), (0.75, 0.98)])
        ShapeLimits(simplicity=0.75, convexity=0.97)
    """

    simplicity: float
    convexity: float

    @classmethod
    def fit(cls, masks: Iterable[ArrayLike], *, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> "ShapeLimits":
        """The minimum over reference masks, which is how the paper says it found its limits.

        Args:
            masks: height x width each; empty ones have no shape and are skipped.
            spacing_mm: pixel size (row, column) of all of them, mm.

        Raises:
            InputError: there is no mask with anything in it.
        """
        return cls.least(shape_of(mask, spacing_mm=spacing_mm) for mask in masks)

    @classmethod
    def least(cls, shapes: Iterable[tuple[float, float]]) -> "ShapeLimits":
        """The minimum over simplicities and convexities, as `shape_of` gives them; NaN, of empty masks, is skipped.

        Raises:
            InputError: there is none.
        """
        known = [shape for shape in shapes if not math.isnan(shape[0])]
        if not known:
            raise InputError("shape limits need at least one reference mask that is not empty")
        return cls(min(shape[0] for shape in known), min(shape[1] for shape in known))

    def violations(self, mask: ArrayLike, *, spacing_mm: tuple[float, float] = (1.0, 1.0)) -> tuple[str, ...]:
        """Which limits a mask falls below, in words; an empty mask has no shape and violates none.

        Example:
            >>> import numpy as np
            >>> cross = np.zeros((32, 32), bool)
            >>> cross[14:18, 2:30] = cross[2:30, 14:18] = True
            >>> ShapeLimits(0.741, 0.960).violations(cross)
            ('simplicity 0.47 below 0.74', 'convexity 0.44 below 0.96')
        """
        got_simplicity, got_convexity = shape_of(mask, spacing_mm=spacing_mm)
        measured = {
            "simplicity": (got_simplicity, self.simplicity),
            "convexity": (got_convexity, self.convexity),
        }
        return tuple(f"{name} {got:.2f} below {limit:.2f}" for name, (got, limit) in measured.items() if got < limit)


def _simplicity(contour: NDArray[np.float64], spacing_mm: tuple[float, float]) -> float:
    perimeter = polygon_perimeter(contour, spacing_mm)
    return math.sqrt(4 * math.pi * polygon_area(contour, spacing_mm)) / perimeter if perimeter else math.nan


def _convexity(contour: NDArray[np.float64]) -> float:
    hull = convex_hull_area(contour)
    # The hull of a convex contour is the contour, and rounding may make it the smaller of the two.
    return min(polygon_area(contour) / hull, 1.0) if hull else math.nan


def _planar(mask: ArrayLike) -> NDArray[np.bool_]:
    planar = as_mask(mask)
    if planar.ndim != 2:
        raise InputError(f"shape is judged on masks of 2 axes, got shape {planar.shape}")
    return planar
