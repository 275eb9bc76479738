"""Scores of whole films: curves and instants."""

import math

import numpy as np
import pytest

from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import LEFT_VENTRICLE, LabelMap
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.evaluation.beats import curve_error_percent, instant_errors, score_beat
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_labels
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.evaluation.table import beat_rows, read_case_table, readable_beats, table_to_json
from tests.fake.heart import apical, write_metaimage
from tests.fake.ted import ES, FRAMES, beat_sizes

GEOMETRY = Geometry.of_spacing((1.0, 0.5, 0.5))


def film(sizes) -> LabelMap:
    labels = np.stack([apical((60, 80), size=size) for size in sizes])[:, np.newaxis]
    return LabelMap(np.where(labels == 3, 0, labels).astype(np.uint8), LEFT_VENTRICLE, GEOMETRY)


def predicted(sizes, reference, modality=Modality.US) -> CasePrediction:
    case = Case("a", View.FOUR_CHAMBER, Phase.OTHER, {"patient": "a"}, lambda: None, modality=modality)
    return CasePrediction(case, film(sizes), film(reference))


def rows_of(prediction):
    return {row.region: row for row in score_beat(prediction, score_case(prediction))}


def test_a_film_that_is_right_has_no_error():
    rows = rows_of(predicted(beat_sizes(), beat_sizes()))
    assert list(rows) == ["LV", "MYO"]
    cavity = rows["LV"]
    assert (cavity.dice, cavity.worst_dice, cavity.curve_error_percent) == (1.0, 1.0, 0.0)
    assert cavity.curve_correlation == pytest.approx(1.0)
    assert (cavity.end_diastole_off_frames, cavity.end_systole_off_frames) == (0.0, 0.0)
    assert math.isnan(rows["MYO"].end_systole_off_frames)
    assert cavity.frames == FRAMES


def test_a_beat_that_runs_late_is_late():
    beats = 100 + 40 * np.cos(np.arange(48) * 2 * np.pi / 24)
    late = np.roll(beats, 2)
    assert instant_errors(late, beats) == (2.0, 2.0)
    assert instant_errors(beats, late) == (-2.0, -2.0)
    delayed = np.concatenate([[1.0, 1.0], beat_sizes(20, systole=7)[:-2]])
    cavity = rows_of(predicted(delayed, beat_sizes(20, systole=7)))["LV"]
    assert cavity.end_systole_off_frames == pytest.approx(2, abs=1)  # the finder rounds off a kink
    assert cavity.curve_error_percent > 3
    assert cavity.curve_correlation < 0.95


def test_the_worst_frame_is_told():
    sizes = beat_sizes()
    sizes[5] *= 0.6
    cavity = rows_of(predicted(sizes, beat_sizes()))["LV"]
    assert cavity.worst_frame == 5
    assert cavity.worst_dice < 0.8
    assert cavity.dice == pytest.approx((cavity.worst_dice + FRAMES - 1) / FRAMES, abs=1e-9)


def test_a_smaller_curve_of_the_same_form_correlates_and_errs():
    sizes = np.array([100.0, 80.0, 60.0, 90.0])
    assert curve_error_percent(sizes - 10, sizes) == pytest.approx(10.0)
    assert math.isnan(curve_error_percent(sizes, 0 * sizes))
    assert instant_errors(sizes - 10, sizes) == (0.0, 0.0)
    assert all(map(math.isnan, instant_errors(0 * sizes, sizes)))


def test_half_a_beat_is_known_in_either_direction():
    half = np.linspace(100.0, 60.0, 14)
    for reference in (half, half[::-1].copy()):
        trembling = reference + 0.5 * (-1.0) ** np.arange(14)
        assert all(abs(error) <= 2 for error in instant_errors(trembling, reference))


def test_a_gathered_beat_goes_round():
    beat = 100 + 40 * np.cos(np.arange(20) * 2 * np.pi / 20)
    early = np.roll(beat, -1)
    assert instant_errors(early, beat, is_round=True) == (-1.0, -1.0)


def test_stills_have_no_row():
    assert score_beat(predicted([1.0], [1.0]), []) == []


def test_a_structure_that_is_nowhere_has_no_scores():
    lost = predicted(beat_sizes(), beat_sizes())
    empty = LabelMap(0 * lost.predicted.array, LEFT_VENTRICLE, GEOMETRY)
    nothing = CasePrediction(lost.case, empty, empty)
    cavity = rows_of(nothing)["LV"]
    assert cavity.worst_frame is None
    assert math.isnan(cavity.dice)
    missed = rows_of(CasePrediction(lost.case, empty, lost.reference))["LV"]
    assert (missed.dice, missed.worst_dice) == (0.0, 0.0)
    assert math.isnan(missed.end_systole_off_frames)


@pytest.fixture
def table(tmp_path) -> CaseTable:
    """Two films, one of which is predicted with its systole two frames late and smaller."""
    cases = []
    for name, sizes in (("a", beat_sizes()), ("b", beat_sizes(systole=ES + 1) * 0.95)):
        reference = film(beat_sizes())
        case = Case(name, View.FOUR_CHAMBER, Phase.OTHER, {"patient": name}, lambda: None, lambda r=reference: r)
        cases.append(case)
        write_metaimage(tmp_path / f"{name}_labels.mhd", film(sizes).array[:, 0], (1.0, 0.5, 0.5))
    return evaluate_labels(tmp_path, cases, LEFT_VENTRICLE)


def test_films_are_scored_as_such_and_their_ejection_fraction_too(table):
    assert table.problems == ()
    assert [(row.case, row.region) for row in table.beats] == [(name, r) for name in "ab" for r in ("LV", "MYO")]
    assert len(table.rows) == 2 * 2 * FRAMES
    assert table.beats[2].end_systole_off_frames == 2.0
    ejection = [item for item in table.quantities if item.key == "left_ventricular_ejection_fraction_percent"]
    assert [item.patient for item in ejection] == ["a", "b"]
    assert ejection[0].predicted == pytest.approx(ejection[0].traced)
    assert 30 < ejection[0].traced < 60
    cavity = readable_beats(table)[0]
    assert (cavity["region"], cavity["films"], cavity["ES off"]) == ("LV", 2, "1.0 ± 1.4")


def test_rows_are_written_and_read(table, tmp_path):
    (tmp_path / "table.json").write_text(table_to_json(table))
    again = read_case_table(tmp_path / "table.json")
    assert again.beats[0] == table.beats[0]
    assert [row.case for row in again.where(lambda row: row.case == "b").beats] == ["b", "b"]
    assert list(beat_rows(again)[0])[:5] == ["case", "patient", "view", "region", "frames"]
    assert Structure.LV.value == beat_rows(again)[0]["region"]
