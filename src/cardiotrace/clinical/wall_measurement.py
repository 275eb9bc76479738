"""All that the wall of the left ventricle tells in the long-axis views of an exam."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.films.average import over_beats
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import flag
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.clinical.shape.echo_mass import mass_quantities
from cardiotrace.clinical.shape.excursion import excursions
from cardiotrace.clinical.shape.wall_shape import shape_quantities, shape_segments
from cardiotrace.clinical.strain.contour_strain import segment_strains, strain_quantities, strain_series
from cardiotrace.clinical.strain.tracked_strain import (
    side_by_side,
    track_views,
    tracked_quantities,
    tracked_segments,
    tracked_series,
)
from cardiotrace.clinical.strain.walled_view import WalledView, walled_views
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.clinical.view_measurement import ViewMeasurement
from cardiotrace.core.flag import Flag

Series = Mapping[str, tuple[float | None, ...]]


@dataclass(frozen=True)
class WallMeasurement:
    """What was measured of the wall in long-axis views."""

    quantities: tuple[Quantity, ...] = ()
    segments: tuple[SegmentValues, ...] = ()
    series: Mapping[str, Series] = field(default_factory=dict)
    """Curves of each film, by image name."""
    flags: tuple[Flag, ...] = ()
    """What could not be measured, and why."""

    def added_to(self, curves: Sequence[Curve]) -> tuple[Curve, ...]:
        """The exam's curves with those of the wall."""
        return tuple(replace(curve, series=curve.series | dict(self.series.get(curve.image, {}))) for curve in curves)


def measure_walls(
    views: Sequence[ViewMeasurement],
    stacks: Sequence[TracedStack] = (),
    beats: Sequence[Beat] = (),
    *,
    tracking: bool = False,
) -> WallMeasurement:
    """Strain, excursion of the valve planes, thickness, shape and mass from the wall's borders in long-axis views.

    Args:
        views: measured long-axis views.
        stacks: short-axis images, of which a parasternal one serves the mass.
        beats: those found in the exam's films.
        tracking: follow the wall through the grey values as well, and measure its strain a second time.
    """
    walled = walled_views(views, beats)
    lost = [view for view in views if view.key_frames not in [each.measured.key_frames for each in walled]]
    tracked, untracked = track_views(walled) if tracking else ([], ())
    moved = [[excursions(beat) for beat in view.by_beat] for view in walled]
    quantities = (
        *side_by_side([*strain_quantities(walled), *tracked_quantities(tracked)]),
        *(item for beats in moved for item in over_beats([found for found, _ in beats])),
        *(item for view in walled for item in over_beats([shape_quantities(beat) for beat in view.by_beat])),
        *mass_quantities(walled, stacks),
    )
    flags = (
        *(item for view in walled for item in (*view.exam_flags, *_wall_flags(view))),
        *(item for beats in moved for _, words in beats for item in words),
        *untracked,
        *(flag("no-wall", "no wall could be followed from hinge to hinge").of(view.view_name) for view in lost),
    )
    segments = (*segment_strains(walled), *tracked_segments(tracked), *shape_segments(walled))
    series = {view.film.name: strain_series(view) for view in walled if view.film is not None}
    for each in tracked:
        series[each.view.beats[0].image] |= tracked_series(each)
    return WallMeasurement(quantities, segments, series, tuple(dict.fromkeys(flags)))


def _wall_flags(view: WalledView) -> tuple[Flag, ...]:
    """What of the wall is not there."""
    if any(wall.epicardium is not None for wall in view.walls.values()):
        return ()
    text = "no outer border of the myocardium: no thickness, no strain of the middle of the wall, no mass"
    return (flag("no-outer-border", text).of(view.name),)
