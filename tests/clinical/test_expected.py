"""The model of large errors: what it looks at, what it says, and what it leaves alone."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical import expected, measure
from cardiotrace.clinical.expected import WORDS, Linear, error_flags, error_model, error_probability, first_signs
from cardiotrace.clinical.long_axis_trace import EMPTY, LongAxisTrace, trace_long_axis
from cardiotrace.clinical.scale import UNKNOWN
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase
from tests.clinical.ventricle import Ventricle, image_of, label_map

WIDE, NARROW = Ventricle(radius_mm=25, length_mm=80), Ventricle(radius_mm=19, length_mm=70)


def of(ventricle: Ventricle) -> LongAxisTrace:
    return trace_long_axis(label_map([ventricle.draw()]), 0)


def exam() -> tuple[Exam, dict[str, LabelMap]]:
    images: list[ExamImage] = []
    labels = {}
    for phase, ventricle in ((Phase.ED, WIDE), (Phase.ES, NARROW)):
        labels[phase.value] = label_map([ventricle.draw()])
        images.append(image_of(phase.value, labels[phase.value], phases={phase: 0}))
    return Exam("p1", tuple(images)), labels


def test_signs_are_what_the_outlines_show() -> None:
    signs = first_signs(of(WIDE), of(NARROW))
    assert signs["ejection"] == pytest.approx(100 * (1 - NARROW.volume_ml / WIDE.volume_ml), abs=0.3)
    assert signs["length"] == pytest.approx(8.0, abs=0.05)
    # The atria are alike but for their width, that of the ventricle less 5 mm to each side.
    assert signs["atrium"] == pytest.approx(np.log(14 / 20), abs=0.02)
    # Half an ellipse has no dents but the stairs of its pixels.
    assert signs["dents"] < np.log(0.03)
    assert set(signs) == set(error_model().error.signs) <= set(WORDS)


def test_without_pixel_size_or_atrium_their_signs_are_missing_and_add_nothing() -> None:
    signs = first_signs(replace(of(WIDE), atrium_area=0.0, scale=UNKNOWN), of(NARROW))
    assert [name for name, value in signs.items() if np.isnan(value)] == ["atrium", "length"]
    assert np.isfinite(error_model().error.value(signs))
    assert first_signs(EMPTY, of(NARROW)) == {}


def test_a_linear_step_by_hand() -> None:
    step = Linear(-1.0, {"a": (2.0, 4.0, 3.0), "b": (0.0, 1.0, 0.5)})
    assert step.value({"a": 6.0, "b": float("nan")}) == pytest.approx(-1 + 3 * (6 - 2) / 4)
    assert step.parts({"b": 2.0}) == {"a": 0.0, "b": 1.0}


def test_doubt_makes_an_error_likelier_and_is_told_in_words() -> None:
    sure = error_probability(of(WIDE), of(NARROW), 0.2)
    unsure = error_probability(of(WIDE), of(NARROW), 3.0)
    assert sure[0] < error_model().limit < unsure[0]
    assert unsure[2] == WORDS["unsure"]
    (flag,) = error_flags(of(WIDE), of(NARROW), 3.0)
    assert flag.rule == "ejection-error"
    assert "may be off by more than 10 points" in flag.text
    assert "doubt at end-systole" in flag.text
    assert error_flags(of(WIDE), of(NARROW), 0.2) == ()


def test_only_a_models_labels_are_judged() -> None:
    given, labels = exam()
    unsure = {name: np.array([3.0]) for name in labels}
    by_model, by_hand = measure(given, labels, doubts=unsure), measure(given, labels)
    assert [flag.rule for flag in by_model.flags] == ["ejection-error"]
    assert by_hand.flags == ()
    found, volume = (
        by_model.find("left_ventricular_ejection_fraction"),
        by_model.find("left_ventricular_end_diastolic_volume"),
    )
    assert found is not None
    assert volume is not None
    assert [flag.rule for flag in found.flags] == ["ejection-error"]
    assert volume.flags == ()
    assert found.value == pytest.approx(by_hand.ejection_fraction_percent)


def test_the_fitted_file_is_whole() -> None:
    model = expected.error_model()
    assert 0 < model.limit < 1
    assert set(model.large.signs) == set(expected.second_signs(1.0, of(WIDE), of(NARROW), 0.5))
    assert {"error", "unsure"} <= set(WORDS) & set(model.large.signs)
    assert all(deviation > 0 for _, deviation, _ in (*model.error.signs.values(), *model.large.signs.values()))
