"""Longitudinal strain of phantoms against their truth, and of what cannot be measured."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.measure import LabelledView, measure, measure_labels
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.strain.contour_strain import DRIFT, GLS, PEAK_SYSTOLIC, POST_SYSTOLIC
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.clinical.view_measurement import measure_view
from cardiotrace.clinical.wall_measurement import measure_walls
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LV_ONLY, LabelMap
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.io import read_labels
from cardiotrace.phantoms import Pathology, sample_heart
from cardiotrace.phantoms.echo.exam import labelled_view, view_of
from cardiotrace.phantoms.echo.phantom import EchoPhantom
from cardiotrace.phantoms.heart.heart import Heart
from tests.clinical.analytic import Shape, label_map

VIEWS = (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.THREE_CHAMBER)


@cache
def phantom(heart: Heart, view: View, spacing_mm: float = 0.45) -> tuple[LabelMap, float]:
    """Labels of four instants, and the true strain at end-systole, percent."""
    config = EchoPhantom(**heart.as_keywords(), spacing_mm=spacing_mm)
    end = heart.cycle.end_systole_ms
    states = config.at(np.array([0.0, 0.6 * end, end, end + 150]))
    labels, truth = labelled_view(config, states, view_of(config, states, view))
    return labels, float(100 * (truth.contour_length_mm[2] / truth.contour_length_mm[0] - 1))


def unseen(labels: LabelMap, name: str, view: View, phases: dict[Phase, int] | None = None) -> ExamImage:
    nothing = np.broadcast_to(np.uint8(0), labels.array.shape)
    return ExamImage(name, Image(nothing, labels.geometry, view=view, modality=Modality.US), phases or {})


def measured(films: dict[View, LabelMap]) -> Measures:
    images = tuple(unseen(labels, view.value, view) for view, labels in films.items())
    return measure(Exam("p", images), {view.value: labels for view, labels in films.items()}, has_images=False)


@pytest.mark.parametrize("pathology", list(Pathology))
def test_gls_of_every_pathology(pathology: Pathology) -> None:
    heart = sample_heart(pathology, 5)
    made = {view: phantom(heart, view, 0.6) for view in VIEWS}
    found = measured({view: labels for view, (labels, _) in made.items()})
    mean = found.find(GLS, method="endocardial")
    assert mean is not None
    # Four frames do not tell whether the first is as full as the heart becomes.
    assert (mean.view, {item.rule for item in mean.flags}) == ("A4C+A2C+A3C", {"beat-few"})
    assert mean.value == pytest.approx(np.mean([true for _, true in made.values()]), abs=0.2)
    for name, (_, true) in zip(("A4C", "A2C", "A3C"), made.values(), strict=True):
        one = found.find(GLS, view=name, method="endocardial")
        assert one is not None
        assert one.value == pytest.approx(true, abs=0.3)
    middle = found.find(GLS, method=Method.MIDWALL_CONTOUR)
    assert middle is not None
    assert mean.value < middle.value < 0
    assert sorted(found.segments[0].values) == list(range(1, 17))


def test_a_film_has_peaks_and_a_curve() -> None:
    labels, true = phantom(sample_heart("normal", 1), View.FOUR_CHAMBER)
    found = measured({View.FOUR_CHAMBER: labels})
    peak = found.find(PEAK_SYSTOLIC)
    assert peak is not None
    assert peak.value == pytest.approx(true, abs=0.3)
    # One view is not called a mean of views, and the end of the beat is not shown.
    assert (peak.view, found.find(DRIFT), found.find(POST_SYSTOLIC)) == ("A4C", None, None)
    (curve,) = found.curves
    series = curve.series["left_ventricular_longitudinal_strain_percent"]
    assert series[0] == 0
    assert series[2] == pytest.approx(true, abs=0.3)
    assert -1 > series[1] > series[2] < series[3]


def test_stills_have_end_systolic_strain_alone() -> None:
    labels, true = phantom(sample_heart("dilated", 2), View.TWO_CHAMBER)
    stills = {
        phase: LabelMap(labels.array[[frame]], CAMUS, labels.geometry)
        for phase, frame in ((Phase.ED, 0), (Phase.ES, 2))
    }
    images = tuple(unseen(held, phase.value, View.TWO_CHAMBER, {phase: 0}) for phase, held in stills.items())
    found = measure(Exam("p", images), {phase.value: held for phase, held in stills.items()}, has_images=False)
    strain = found.find(GLS)
    assert strain is not None
    assert strain.value == pytest.approx(true, abs=0.3)
    assert [str(frame) for frame in strain.frames] == ["ED:0", "ES:0"]
    assert found.find(PEAK_SYSTOLIC) is None
    # Of stills of one place the valve's way can be told.
    assert found.find("mitral_annular_plane_systolic_excursion") is not None


def test_beats_that_were_found_are_averaged() -> None:
    labels, true = phantom(sample_heart("normal", 1), View.FOUR_CHAMBER)
    twice = LabelMap(labels.array[[0, 2, 0, 1, 0]], CAMUS, labels.geometry)
    cine = TracedCine(unseen(twice, "loop", View.FOUR_CHAMBER), twice, np.zeros(5, bool))
    view = measure_view([cine])
    assert view is not None
    beats = (Beat("loop", "A4C", 0, 1, 2), Beat("loop", "A4C", 2, 3, 4), Beat("other", "A4C", 0, 1, 2))
    both = {
        item.name: item
        for item in measure_walls([view], (), beats).quantities
        if item.method.value == "endocardial contour"
    }
    first = {item.name: item for item in measure_walls([view]).quantities if item.method.value == "endocardial contour"}
    assert first[GLS].value == pytest.approx(true, abs=0.3)
    assert true < both[GLS].value < 0.4 * true
    assert both[DRIFT].value == 0
    assert both[GLS].by_beat == pytest.approx((first[GLS].value, 2 * both[GLS].value - first[GLS].value))
    assert [str(frame) for frame in both[GLS].frames] == ["loop:0", "loop:1", "loop:2", "loop:3"]


def test_drift_is_flagged_above_its_limit() -> None:
    planes = [Shape(length_mm=length).draw() for length in (80, 68, 76.0)]
    labels = label_map(planes)
    cine = TracedCine(unseen(labels, "loop", View.FOUR_CHAMBER), labels, np.zeros(3, bool))
    view = measure_view([cine])
    assert view is not None
    found = measure_walls([view], (), (Beat("loop", "A4C", 0, 1, 2),))
    drift = next(item for item in found.quantities if item.name == DRIFT)
    assert drift.value < -3
    assert [item.rule for item in drift.flags] == ["beat-few", "strain-drift"]


def test_views_that_disagree_are_flagged() -> None:
    strong, weak = ([Shape(length_mm=80).draw(), Shape(length_mm=end).draw()] for end in (58, 78))
    found = measured({View.FOUR_CHAMBER: label_map(strong), View.TWO_CHAMBER: label_map(weak)})
    mean = found.find(GLS)
    assert mean is not None
    assert mean.view == "A4C+A2C"
    assert "strain-views-differ" in [item.rule for item in mean.flags]


def test_a_ventricle_that_grows_is_flagged() -> None:
    labels = label_map([Shape(length_mm=70).draw(), Shape(length_mm=80).draw()])
    image = unseen(labels, "pair", View.FOUR_CHAMBER, {Phase.ED: 0, Phase.ES: 1})
    found = measure(Exam("p", (image,)), {"pair": labels}, has_images=False).find(GLS)
    assert found is not None
    assert not found.is_usable or "strain-extreme" in [item.rule for item in found.flags]


def test_an_apex_beyond_the_picture_is_flagged() -> None:
    whole = [Shape(length_mm=length).draw((1.0, 1.0)) for length in (80, 70)]
    cut = label_map([plane[52:] for plane in whole], (1.0, 1.0))
    found = measured({View.FOUR_CHAMBER: cut})
    strain = found.find(GLS)
    assert strain is None or {"apex-cut", "ventricle-cut"} <= {item.rule for item in strain.flags}
    assert {"apex-cut", "ventricle-cut"} <= {item.rule for item in found.flags}


def test_masks_of_one_pixel_give_no_number() -> None:
    planes = np.zeros((2, 40, 40), np.uint8)
    planes[:, 20, 20] = 1
    found = measured({View.FOUR_CHAMBER: label_map(list(planes))})
    assert not [item for item in found if "strain" in item.name or "excursion" in item.name]
    assert "no-wall" in [item.rule for item in found.flags]


def test_without_a_myocardium_a_note_says_what_is_missing() -> None:
    labels, true = phantom(sample_heart("normal", 1), View.FOUR_CHAMBER)
    found = measured({View.FOUR_CHAMBER: labels.to(LV_ONLY)})
    strain = found.find(GLS)
    assert strain is not None
    assert strain.value == pytest.approx(true, abs=1.0)
    assert found.find(GLS, method="mid") is None
    assert ("no-outer-border", Grade.NOTE) in [(item.rule, item.grade) for item in found.flags]


def test_pixels_of_unknown_size_are_taken_for_square_and_that_is_said() -> None:
    labels, true = phantom(sample_heart("normal", 1), View.FOUR_CHAMBER)
    found = measured({View.FOUR_CHAMBER: LabelMap(labels.array, CAMUS, Geometry.of_spacing(None))})
    strain = found.find(GLS)
    assert strain is not None
    assert strain.value == pytest.approx(true, abs=0.3)
    assert [item.rule for item in strain.flags] == ["beat-few", "strain-square-pixels"]
    assert not [item for item in found if item.unit == "mm"]
    assert [item.name for item in found.segments] == ["longitudinal_strain"]


def test_a_frame_that_lost_the_ventricle_is_told() -> None:
    labels, _ = phantom(sample_heart("normal", 1), View.FOUR_CHAMBER)
    array = labels.array.copy()
    array[1] = 0
    found = measured({View.FOUR_CHAMBER: LabelMap(array, CAMUS, labels.geometry)}).find(GLS)
    assert found is not None
    assert [item.rule for item in found.flags] == ["beat-few", "strain-frames-without"]


def test_two_walls_of_segments_lie_where_they_are() -> None:
    """An infarct of the anterior wall is seen in two chambers, on the right."""
    heart = sample_heart("infarct", 1)  # in the land of the anterior artery
    assert heart.scar is not None
    assert 80 < heart.scar.patch.angle_deg < 125
    labels, _ = phantom(heart, View.TWO_CHAMBER)
    mirrored = LabelMap(labels.array[..., ::-1].copy(), CAMUS, labels.geometry)
    upright, turned = (measured({View.TWO_CHAMBER: held}).segments[0].values for held in (labels, mirrored))
    assert upright[13] > upright[15] + 2  # shortens less
    # By convention alone a mirrored image cannot be told: that is what the flag of the segments says.
    assert turned[15] == pytest.approx(upright[13], abs=1.5)


@pytest.mark.data
def test_strain_of_real_tracings(data_root: Path) -> None:
    """Two CAMUS patients, pixels twice as wide as high: deeper where the ejection fraction is higher, in each view."""
    found = []
    for name in ("patient0001", "patient0002"):
        labelled = {
            f"{view.value}_{phase.value}": LabelledView(
                read_labels(
                    data_root / "camus" / "legacy_mhd" / name / f"{name}_{view.value}_{phase.value}_gt.mhd", CAMUS
                ),
                view,
                phase,
                Modality.US,
            )
            for view in VIEWS[:2]
            for phase in (Phase.ED, Phase.ES)
        }
        found.append(measure_labels(labelled))
    for view in ("A4C", "A2C"):
        first, second = (item.find(GLS, view=view, method="endocardial") for item in found)
        assert first is not None
        assert second is not None
        assert -27 < first.value < second.value < -15
    moved = [item.find("mitral_annular_plane_systolic_excursion", view="A4C") for item in found]
    assert all(each is not None and 8 < each.value < 16 for each in moved)
    assert sorted(found[0].segments[0].values) == [1, 3, 4, 6, 7, 9, 10, 12, 13, 14, 15, 16]
