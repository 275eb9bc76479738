"""Excursion of the valves, thickness, shape and mass of the wall, against shapes and phantoms."""

import numpy as np
import pytest

from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Measures
from cardiotrace.clinical.shape.echo_mass import area_length_mass_g, truncated_ellipsoid_mass_g
from cardiotrace.clinical.shape.excursion import LATERAL, MITRAL, SEPTAL, TRICUSPID
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CHAMBERS, LabelMap
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.phantoms import sample_heart
from cardiotrace.phantoms.echo.exam import labelled_view, view_of
from cardiotrace.phantoms.echo.phantom import EchoPhantom
from cardiotrace.phantoms.heart.heart import MYOCARDIAL_DENSITY_G_PER_ML
from tests.clinical.analytic import Shape, label_map

SIZE = 0.5


def moving(
    labels: LabelMap, *, view: View = View.FOUR_CHAMBER, modality: Modality = Modality.US, name: str = "loop"
) -> ExamImage:
    nothing = np.broadcast_to(np.uint8(0), labels.array.shape)
    phases = {Phase.ED: 0, Phase.ES: len(labels.array) - 1}
    return ExamImage(name, Image(nothing, labels.geometry, view=view, modality=modality), phases)


def measured(*pairs: tuple[ExamImage, LabelMap]) -> Measures:
    exam = Exam("p", tuple(image for image, _ in pairs))
    return measure(exam, {image.name: labels for image, labels in pairs}, has_images=False)


def four_chambers(rises_mm: tuple[float, float], *, right_first: bool = True) -> LabelMap:
    """A ventricle whose base rises by so much on the left and right of the image; that of a right one rises by 6 mm."""
    frames = []
    for left, right in ((0.0, 0.0), rises_mm):
        slope, dome = (right - left) / 50, (left + right) / 2
        drawn = Shape(length_mm=80, slope=slope).draw((SIZE, SIZE))
        if dome:
            # Raised by cutting: apex and walls stay where they are.
            full = Shape(length_mm=80).draw((SIZE, SIZE))
            height = np.arange(len(drawn))[:, None]
            aside = (np.arange(drawn.shape[1]) - drawn.shape[1] / 2) * SIZE
            base = len(drawn) / 2 + (40 - (dome + slope * aside)) / SIZE
            drawn = np.where(height < base, full, 0)
        plane = np.zeros_like(drawn)
        plane[drawn == 1], plane[drawn == 2] = CHAMBERS.value(Structure.LV), CHAMBERS.value(Structure.MYO)
        middle, bottom = drawn.shape[1] // 2, round((80 + 40 - (6 if rises_mm and (left or right) else 0)) / SIZE)
        offset = -1 if right_first else 1
        columns = sorted((middle + offset * round(40 / SIZE), middle + offset * round(75 / SIZE)))
        for row in range(round(70 / SIZE), bottom):
            share = (row - 70 / SIZE) / (120 / SIZE - 70 / SIZE)
            reach = round((columns[1] - columns[0]) * min(share, 1.0))
            start = columns[1] - reach if right_first else columns[0]
            plane[row, start : start + reach] = CHAMBERS.value(Structure.RV)
        frames.append(plane)
    return LabelMap(np.stack(frames)[:, None], CHAMBERS, Geometry.of_spacing((1.0, SIZE, SIZE)))


@pytest.mark.parametrize("right_first", [True, False])
def test_septal_and_lateral_excursion_follow_the_right_ventricle(right_first: bool) -> None:
    labels = four_chambers((8.0, 14.0), right_first=right_first)
    found = measured((moving(labels, modality=Modality.MR), labels))
    on_left, on_right = (SEPTAL, LATERAL) if right_first else (LATERAL, SEPTAL)
    for name, true in ((MITRAL, 11.0), (on_left, 8.0), (on_right, 14.0)):
        item = found.find(name)
        assert item is not None, name
        assert (item.value, item.unit) == (pytest.approx(true, abs=0.7), "mm")
    tricuspid = found.find(TRICUSPID)
    assert tricuspid is not None
    assert tricuspid.value == pytest.approx(6.0, abs=1.0)


def test_two_images_of_other_places_have_no_excursion() -> None:
    labels = four_chambers((8.0, 14.0))
    stills = []
    for phase, frame, size in ((Phase.ED, 0, SIZE), (Phase.ES, 1, SIZE * 1.05)):
        held = LabelMap(labels.array[[frame]], CHAMBERS, Geometry.of_spacing((1.0, size, size)))
        nothing = np.broadcast_to(np.uint8(0), held.array.shape)
        image = Image(nothing, held.geometry, view=View.FOUR_CHAMBER, modality=Modality.US)
        stills.append((ExamImage(phase.value, image, {phase: 0}), held))
    found = measured(*stills)
    assert found.find(MITRAL) is None
    assert "excursion-other-place" in [item.rule for item in found.flags]


def test_a_valve_plane_that_moves_away_is_flagged() -> None:
    labels = four_chambers((8.0, 8.0))
    swapped = LabelMap(labels.array[::-1].copy(), CHAMBERS, labels.geometry)
    item = measured((moving(swapped, modality=Modality.MR), swapped)).find(MITRAL)
    assert item is not None
    assert item.value < -5
    assert "excursion-extreme" in [each.rule for each in item.flags]


def test_thickness_and_sphericity_of_a_phantom() -> None:
    heart = sample_heart("hypertrophic", 3)
    config = EchoPhantom(**heart.as_keywords())
    states = config.at(np.array([0.0, 0.5, 1.0]) * heart.cycle.end_systole_ms)
    labels, truth = labelled_view(config, states, view_of(config, states, View.FOUR_CHAMBER))
    found = measured((moving(labels), labels))
    first = states[0]
    # At the equator of the septum, a point of the inner border and the nearest of the outer one.
    outline = first.endocardium_outline(2001), first.epicardium_outline(2001)
    index = 500
    true = float(np.linalg.norm(outline[1] - outline[0][index], axis=1).min())
    septum = next(item for item in found.segments if item.name == "end_diastolic_wall_thickness")
    assert min(septum.values[number] for number in (3, 9)) - 1.5 < true < max(septum.values.values()) + 1.5
    index_found = found.find("left_ventricular_end_diastolic_sphericity_index")
    assert index_found is not None
    line = outline[0]
    height = (line[:, 1].max()) / 2
    width = np.ptp(line[np.abs(line[:, 1] - height) < 0.2][:, 0])
    assert index_found.value == pytest.approx(width / line[:, 1].max(), abs=0.02)
    thickening = next(item for item in found.segments if item.name == "wall_thickening")
    assert all(value > 0 for value in thickening.values.values())
    assert truth.ejection_fraction_percent > 50


@pytest.mark.parametrize("pathology", ["normal", "hypertrophic", "infarct"])
def test_mass_of_phantoms(pathology: str) -> None:
    heart = sample_heart(pathology, 4)
    config = EchoPhantom(**heart.as_keywords(), spacing_mm=0.7)
    states = config.at(np.array([0.0, heart.cycle.end_systole_ms]))
    true_g = states[0].wall_ml * MYOCARDIAL_DENSITY_G_PER_ML
    pairs = []
    for view in (View.FOUR_CHAMBER, View.TWO_CHAMBER, View.SAX):
        labels, _ = labelled_view(config, states, view_of(config, states, view))
        pairs.append((moving(labels, view=view, name=view.value), labels))
    both = measured(*pairs[:2])
    (mass,) = [item for item in both if item.name == "left_ventricular_mass"]
    # Two planes see little of one thick septum.
    assert mass.value == pytest.approx(true_g, rel=0.15 if pathology == "hypertrophic" else 0.03)
    assert (mass.method, mass.view) == (Method.BIPLANE_WALL, "A4C+A2C")
    whole = {item.method: item for item in measured(*pairs) if item.name == "left_ventricular_mass"}
    assert list(whole) == [Method.BIPLANE_WALL, Method.AREA_LENGTH_WALL, Method.TRUNCATED_ELLIPSOID]
    for method in (Method.AREA_LENGTH_WALL, Method.TRUNCATED_ELLIPSOID):
        assert whole[method].value == pytest.approx(true_g, rel=0.25)
        assert "mass-level" in [item.rule for item in whole[method].flags]


def test_no_mass_from_one_plane_or_without_pixel_size() -> None:
    labels = label_map([Shape().draw(), Shape(length_mm=70).draw()])
    assert measured((moving(labels), labels)).find("left_ventricular_mass") is None


def test_formulas_of_mass() -> None:
    # A half ball of 3 cm in one of 4 cm: L = a = 3, d = 0, t = 1.
    outer, inner = np.pi * 16, np.pi * 9
    assert truncated_ellipsoid_mass_g(outer, inner, 3.0, 0.0) == pytest.approx(1.05 * 2 / 3 * np.pi * (64 - 27))
    # 5/6 A L is the volume of a bullet, between a cone's 1/3 and a cylinder's 1.
    assert area_length_mass_g(outer, inner, 3.0) == pytest.approx(1.05 * 5 / 6 * np.pi * (16 * 4 - 9 * 3))
