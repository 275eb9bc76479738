"""Beyond which distance, and below which simplicity or convexity, an outline is an outlier: limits as data."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Structure, View
from cardiotrace.metrics import LV_EPI, ShapeLimits

Limit = TypeVar("Limit")


@dataclass(frozen=True)
class DistanceLimits:
    """The largest distances from the reference that still pass."""

    mean_absolute_mm: float
    hausdorff_mm: float


@dataclass(frozen=True)
class OutlierLimits:
    """Limits beyond which an outline is an outlier; they hold for the regions and phases that they name.

    Example:
        >>> limits = preset("leclerc-2019")
        >>> limits.distances["LV"]["ES"]
        DistanceLimits(mean_absolute_mm=4.0, hausdorff_mm=8.8)
        >>> limits.shapes
        {}
    """

    name: str = ""
    """What tables call them."""
    distances: dict[str, dict[str, DistanceLimits]] = field(default_factory=dict)
    """By region and phase: beyond them an outline is a geometrical outlier."""
    shapes: dict[str, ShapeLimits] = field(default_factory=dict)
    """By region: below them an outline is an anatomical outlier, whatever the reference is."""
    views: tuple[View, ...] = ()
    """Views that the distances hold for; empty for all."""

    def of_regions(self, regions: Sequence[str]) -> "OutlierLimits":
        """The same limits, of some regions only."""
        return replace(
            self,
            distances={region: limit for region, limit in self.distances.items() if region in regions},
            shapes={region: limit for region, limit in self.shapes.items() if region in regions},
        )


def combined(limits: Iterable[OutlierLimits]) -> OutlierLimits:
    """Several limits as one: where two limit the same, the laxer counts.

    The lesser of two fitted shape limits is what a fit on the references of both would have given.

    Example:
        >>> both = combined([preset("leclerc-2019"), preset("ru-net-transposed")])
        >>> both.name, both.shapes["LV"].convexity, both.distances["LV_EPI"]["ED"].hausdorff_mm
        ('leclerc-2019, ru-net-transposed', 0.96, 8.2)
    """
    return functools.reduce(_laxer, limits, OutlierLimits())


def preset(name: str) -> OutlierLimits:
    """Limits with a name.

    Raises:
        InputError: there are none of that name.
    """
    if name not in PRESETS:
        raise InputError(f"there are no outlier limits {name!r}", remedy=f"choose from: {', '.join(PRESETS)}.")
    return PRESETS[name]


def model_limits(name: str, shape_limits: Mapping[str, Mapping[str, float]]) -> OutlierLimits:
    """Distances of `DEFAULT`, and shapes of the references that a model was made with.

    Args:
        name: of the model.
        shape_limits: what its file holds; empty in files older than such limits.

    Raises:
        ConfigError: the file's limits lack a number.
    """
    own = {region: from_plain(ShapeLimits, values, path=region) for region, values in shape_limits.items()}
    return combined([preset(DEFAULT), OutlierLimits(f"references of {name}" if own else "", shapes=own)])


def shape_limits_to_plain(limits: OutlierLimits) -> dict[str, dict[str, float]]:
    """The shape limits as a model file holds them; `model_limits` reads them."""
    return {region: to_plain(shape) for region, shape in limits.shapes.items()}


def _laxer(first: OutlierLimits, second: OutlierLimits) -> OutlierLimits:
    names = dict.fromkeys(name for item in (first, second) for name in item.name.split(", ") if name)
    distances = {
        region: _merged(first.distances.get(region, {}), second.distances.get(region, {}), _farther)
        for region in first.distances | second.distances
    }
    views = _joined_views([item.views for item in (first, second) if item.distances])
    return OutlierLimits(", ".join(names), distances, _merged(first.shapes, second.shapes, _less_shapely), views)


def _joined_views(limited: Sequence[tuple[View, ...]]) -> tuple[View, ...]:
    """Views that any of several limits hold for; no views are all views."""
    return () if not all(limited) else tuple(dict.fromkeys(view for views in limited for view in views))


def _merged(
    first: dict[str, Limit], second: dict[str, Limit], choose: Callable[[Limit, Limit], Limit]
) -> dict[str, Limit]:
    shared = first.keys() & second.keys()
    return first | second | {key: choose(first[key], second[key]) for key in shared}


def _farther(first: DistanceLimits, second: DistanceLimits) -> DistanceLimits:
    return DistanceLimits(
        max(first.mean_absolute_mm, second.mean_absolute_mm), max(first.hausdorff_mm, second.hausdorff_mm)
    )


def _less_shapely(first: ShapeLimits, second: ShapeLimits) -> ShapeLimits:
    return ShapeLimits(min(first.simplicity, second.simplicity), min(first.convexity, second.convexity))


DEFAULT = "leclerc-2019"
"""The preset that is used where none is asked for."""
_INTER_OBSERVER = {"ED": DistanceLimits(3.5, 8.2), "ES": DistanceLimits(4.0, 8.8)}
PRESETS: Mapping[str, OutlierLimits] = {
    # The highest mean distance between two of the three observers of CAMUS (Leclerc et al. 2019, RU-Net table I).
    "leclerc-2019": OutlierLimits(
        "leclerc-2019",
        distances={str(Structure.LV): _INTER_OBSERVER, LV_EPI.name: _INTER_OBSERVER},
        views=(View.TWO_CHAMBER, View.FOUR_CHAMBER),
    ),
    # RU-Net table I as it stands. No myocardium, a thin horseshoe, reaches a simplicity of .96 or a convexity of .694.
    "ru-net-printed": OutlierLimits(
        "ru-net-printed",
        shapes={str(Structure.LV): ShapeLimits(0.741, 0.529), str(Structure.MYO): ShapeLimits(0.960, 0.694)},
    ),
    # The same with rows and columns exchanged, which a left ventricle can meet and a myocardium still cannot.
    "ru-net-transposed": OutlierLimits("ru-net-transposed", shapes={str(Structure.LV): ShapeLimits(0.741, 0.960)}),
}
"""Named limits. Those of a data set's own shapes are not among them: `outlier.fit_limits` makes them."""
