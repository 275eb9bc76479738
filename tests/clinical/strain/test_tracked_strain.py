"""Tracked strain of a phantom against its truth, beside that of its contour, and of what cannot be tracked."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.clinical.strain.contour_strain import DRIFT, GLS, SEGMENTAL
from cardiotrace.clinical.strain.tracked_strain import SERIES, side_by_side
from cardiotrace.clinical.strain.tracking import _at_all, _thinned
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.view_measurement import measure_view
from cardiotrace.clinical.wall_measurement import WallMeasurement, measure_walls
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.phantoms import sample_heart
from cardiotrace.phantoms.echo.exam import EchoExam, echo_exam
from cardiotrace.phantoms.echo.phantom import EchoPhantom

NAME = "phantom_4CH"


@cache
def phantom() -> EchoExam:
    heart = sample_heart("normal", 7).as_keywords()
    return echo_exam(EchoPhantom(**heart, frame_count=40, spacing_mm=0.6, seed=7))


@cache
def measured() -> Measures:
    made = phantom()
    return measure(made.exam, made.labels, tracking=True)


def film(frames: np.ndarray, labels: np.ndarray, phases: bool = True) -> tuple[ExamImage, LabelMap]:
    """The phantom's image with other frames and labels."""
    image = phantom().exam.images[0]
    held = image.image
    changed = Image(frames, held.geometry, view=held.view, modality=held.modality)
    place = phantom().labels[NAME].geometry
    return ExamImage(NAME, changed, image.phases if phases else {}), LabelMap(labels, CAMUS, place)


def walls(image: ExamImage, labels: LabelMap, beats: tuple[Beat, ...] = ()) -> WallMeasurement:
    view = measure_view([TracedCine(image, labels, np.zeros(len(labels.array), bool))])
    assert view is not None
    return measure_walls([view], beats=beats, tracking=True)


def tracked(found: WallMeasurement, name: str = GLS) -> Quantity | None:
    return next((item for item in found.quantities if (item.name, item.method) == (name, Method.TRACKED)), None)


def test_tracked_strain_is_that_of_the_phantom() -> None:
    found = measured().find(GLS, method=Method.TRACKED)
    assert found is not None
    true = phantom().truth.global_longitudinal_strain_percent
    assert true < -15
    assert found.value == pytest.approx(true, abs=1.5)


def test_only_the_labels_of_end_diastole_count() -> None:
    made = phantom()
    image, labels = made.exam.images[0], made.labels[NAME]
    array = labels.array.copy()
    first = image.phases[next(phase for phase in image.phases if phase.name == "ED")]
    # End-systole is labelled as end-diastole is: the contour does not shorten, the tracked wall does.
    array[:] = array[first]
    found = measure(made.exam, {NAME: replace(labels, array=array)}, tracking=True)
    contour, followed = (found.find(GLS, method=method) for method in (Method.ENDOCARDIAL_CONTOUR, Method.TRACKED))
    assert contour is not None
    assert followed is not None
    assert contour.value == pytest.approx(0, abs=1e-6)
    usual = measured().find(GLS, method=Method.TRACKED)
    assert usual is not None
    # A curve that is flat has no beat whose end is known: the drift stays in.
    assert followed.value == pytest.approx(usual.value, abs=1)
    for item in (contour, followed):
        (doubt,) = [flag for flag in item.flags if flag.rule == "tracking-disagrees"]
        assert f"0.0 % by the contour and {followed.value:.1f} % by tracking" in doubt.text


def test_methods_that_agree_have_no_flag() -> None:
    assert "tracking-disagrees" not in {flag.rule for flag in measured().flags}


def test_contour_stands_first() -> None:
    found = measured().find(GLS)
    assert found is not None
    assert found.method is Method.ENDOCARDIAL_CONTOUR


def test_curve_begins_at_zero_and_is_deepest_in_systole() -> None:
    (curve,) = measured().curves
    values = curve.series[SERIES]
    known = [value for value in values if value is not None]
    assert values[0] == 0
    assert len(known) > 12
    found = measured().find(GLS, method=Method.TRACKED)
    assert found is not None
    assert min(known) == pytest.approx(found.value, abs=1.0)


def test_segments_are_of_the_muscle() -> None:
    values = next(item for item in measured().segments if (item.name, item.method) == (SEGMENTAL, Method.TRACKED))
    assert set(values.values) <= {3, 9, 14, 6, 12, 16}
    assert len(values.values) >= 5
    assert all(-40 < value < 10 for value in values.values.values())


def test_without_tracking_nothing_is_tracked() -> None:
    made = phantom()
    found = measure(made.exam, made.labels)
    assert found.find(GLS, method=Method.TRACKED) is None
    assert SERIES not in found.curves[0].series
    assert not any(flag.rule.startswith("tracking") for flag in found.flags)


def test_labels_alone_cannot_be_tracked() -> None:
    made = phantom()
    with pytest.raises(InputError, match="cannot be tracked"):
        measure(made.exam, made.labels, has_images=False, tracking=True)


def test_a_beat_that_ends_has_a_drift_and_no_word_about_its_end() -> None:
    made = phantom()
    frames, labels = made.exam.images[0].image.frames, made.labels[NAME].array
    again = film(np.concatenate([frames, frames[:1]]), np.concatenate([labels, labels[:1]]))
    systole = made.truth.end_systolic_frame
    found = walls(*again, beats=(Beat(NAME, "A4C", 0, systole, len(frames)),))
    drift, strain = tracked(found, DRIFT), tracked(found)
    assert drift is not None
    assert strain is not None
    assert 0 < abs(drift.value) < 5
    assert strain.value == pytest.approx(made.truth.global_longitudinal_strain_percent, abs=1.5)
    assert "tracking-open" not in {flag.rule for flag in strain.flags}
    assert found.series[NAME][SERIES][0] == 0


def test_a_gated_film_goes_round() -> None:
    made = phantom()
    image, shift = made.exam.images[0], 7
    frames, labels = (np.roll(array, shift, axis=0) for array in (image.image.frames, made.labels[NAME].array))
    systole = made.truth.end_systolic_frame + shift
    found = walls(*film(frames, labels, phases=False), beats=(Beat(NAME, "A4C", shift, systole, shift),))
    strain = tracked(found)
    assert strain is not None
    assert strain.value == pytest.approx(made.truth.global_longitudinal_strain_percent, abs=1.5)
    values = found.series[NAME][SERIES]
    assert values[shift] == 0
    assert all(value is not None for value in values)


def test_many_frames_are_thinned_with_end_systole_among_them() -> None:
    chosen = _thinned(131, 50)
    assert len(chosen) < 62
    assert {0, 50, 130} <= set(chosen)
    motion = np.array(chosen, float)[:, None, None, None] * np.ones((1, 3, 2, 2))
    assert np.allclose(_at_all(motion, chosen, 131)[:, 0, 0, 0], np.arange(131))


def test_too_few_frames_are_said_to_be_too_few() -> None:
    made = phantom()
    systole = made.truth.end_systolic_frame
    chosen = [0, systole // 2, systole, systole + 2]
    frames, labels = made.exam.images[0].image.frames[chosen], made.labels[NAME].array[chosen]
    found = walls(*film(frames, labels, phases=False))
    assert tracked(found) is None
    assert "tracking-no-film" in {flag.rule for flag in found.flags}


def test_noise_that_is_not_found_again_leaves_segments_out() -> None:
    made = phantom()
    frames = made.exam.images[0].image.frames.copy()
    half = frames.shape[3] // 2
    frames[..., half:] = np.random.default_rng(0).integers(0, 255, frames[..., half:].shape, np.uint8)
    found = walls(*film(frames, made.labels[NAME].array))
    values = next(item for item in found.segments if (item.name, item.method) == (SEGMENTAL, Method.TRACKED))
    assert {6, 12, 16}.isdisjoint(values.values)
    assert any(flag.rule == "tracking-poor" and "anterolateral" in flag.text for flag in values.flags)


@pytest.mark.parametrize(("other", "flagged"), [(-17.1, False), (-16.9, True), (-23.1, True)])
def test_more_than_three_points_apart_is_flagged_on_both(other: float, flagged: bool) -> None:
    pair = [
        Quantity(GLS, -20.0, "percent", Method.ENDOCARDIAL_CONTOUR, "A4C", ()),
        Quantity(GLS, -5.0, "percent", Method.MIDWALL_CONTOUR, "A4C", ()),
        Quantity(GLS, other, "percent", Method.TRACKED, "A4C", ()),
        Quantity(GLS, -40.0, "percent", Method.TRACKED, "A2C", ()),
    ]
    flags = [len(item.flags) for item in side_by_side(pair)]
    assert flags == [flagged, 0, flagged, 0]
