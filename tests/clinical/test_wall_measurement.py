"""What the wall does in several beats: each is measured as if it were alone, and every value is their mean."""

from functools import cache

import numpy as np
import pytest

from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, View
from tests.clinical.ventricle import Ventricle, image_of, label_map

VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER)
DEPTHS = (1.0, 0.6, 0.8)
"""How far each beat ejects."""
FRAMES = 20


@cache
def film() -> LabelMap:
    """Three unlike beats and the beginning of a fourth; the base rises as the cavity shrinks, the wall thickens."""
    planes = []
    for number in range(len(DEPTHS) * FRAMES + 3):
        depth = (*DEPTHS, 1.0)[number // FRAMES]
        share = depth * (1 - np.cos(2 * np.pi * number / FRAMES)) / 2
        drawn = Ventricle(25 - 7 * share, 80 - 12 * share, wall_mm=9 + 3 * share).draw((1.0, 1.0))
        planes.append(np.roll(drawn, -round(8 * share), axis=0))
    return label_map(planes, (1.0, 1.0, 1.0))


@cache
def measured(phases: tuple[tuple[Phase, int], ...] = ()) -> Measures:
    images = tuple(image_of(view.value, film(), view=view, phases=dict(phases)) for view in VIEWS)
    return measure(Exam("p", images), {image.name: film() for image in images})


def test_every_value_of_the_wall_is_the_mean_over_beats_and_each_beat_is_as_if_alone() -> None:
    together = measured()
    beats = [beat for beat in together.beats if beat.view == "A4C"]
    assert len(beats) == len(DEPTHS)
    alone = [measured(((Phase.ED, beat.end_diastole), (Phase.ES, beat.end_systole))) for beat in beats]
    names = {
        "mitral_annular_plane_systolic_excursion",
        "mitral_annular_plane_systolic_excursion_septal",
        "mitral_annular_plane_systolic_excursion_lateral",
        "left_ventricular_end_diastolic_wall_thickness",
        "left_ventricular_end_systolic_wall_thickness",
        "left_ventricular_end_diastolic_sphericity_index",
        "left_ventricular_end_systolic_sphericity_index",
        "left_ventricular_global_longitudinal_strain",
        "left_ventricular_peak_systolic_longitudinal_strain",
        "left_ventricular_longitudinal_strain_drift",
        "left_ventricular_mass",
    }
    checked = set()
    for item in together:
        is_mean_of_views = item.view == "A4C+A2C" and "strain" in item.name
        if item.name not in names or is_mean_of_views:
            continue
        of_beats = [each.find(item.name, view=item.view, method=item.method) for each in alone]
        assert item.by_beat == pytest.approx([each.value for each in of_beats if each is not None])
        assert item.value == pytest.approx(np.mean(item.by_beat))
        assert set(item.frames) == {frame for each in of_beats if each is not None for frame in each.frames}
        checked.add(item.name)
    assert checked == names


def test_beats_that_are_unlike_have_unlike_values_and_segments_their_means() -> None:
    together = measured()
    moved = together.find("mitral_annular_plane_systolic_excursion", view="A4C")
    assert moved is not None
    assert moved.by_beat == pytest.approx([8 * depth for depth in DEPTHS], abs=1.1)
    assert moved.by_beat[0] > moved.by_beat[2] > moved.by_beat[1]
    beats = [beat for beat in together.beats if beat.view == "A4C"]
    alone = [measured(((Phase.ED, beat.end_diastole), (Phase.ES, beat.end_systole))) for beat in beats]
    for name in ("end_systolic_wall_thickness", "longitudinal_strain"):
        found, *of_beats = (
            next(item for item in each.segments if (item.name, item.view) == (name, "A4C"))
            for each in (together, *alone)
        )
        for number, value in found.values.items():
            assert value == pytest.approx(np.mean([each.values[number] for each in of_beats]))


def test_strain_of_several_views_has_no_beats_of_its_own() -> None:
    """The films of two views are of different beats."""
    mean = measured().find("left_ventricular_global_longitudinal_strain", view="A4C+A2C")
    assert mean is not None
    assert mean.by_beat == ()
    views = [measured().find(mean.name, view=view) for view in ("A4C", "A2C")]
    assert mean.value == pytest.approx(np.mean([item.value for item in views if item is not None]))
