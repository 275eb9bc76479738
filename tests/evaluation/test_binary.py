"""A single long thin structure: field of view, probabilities, threshold and a second observer."""

import dataclasses
import math

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import CAMUS, LV_ONLY, VESSEL
from cardiotrace.evaluation import best_threshold, compare, evaluate_observer, evaluate_predictor
from cardiotrace.evaluation.case_table import HEADLINE, THIN_HEADLINE
from cardiotrace.evaluation.table import headline_rows
from cardiotrace.inference import Predictor
from cardiotrace.metrics import skeleton
from tests.evaluation.cases import label_map, make_case, square
from tests.fake.models import make_model, make_spec, threshold_network

INSIDE = np.zeros((1, 40, 40), bool)
INSIDE[:, :, :30] = True


def vessel(*, rows=slice(18, 21)):
    plane = np.zeros((40, 40), np.uint8)
    plane[rows] = 1
    return plane


def case(name="eye", *, brightness=200, second=None) -> Case:
    reference = vessel()
    made = make_case(name, reference, scheme=VESSEL, image=(reference * brightness).astype(np.uint8))
    other = label_map(vessel(rows=slice(18, 20)) if second is None else second, VESSEL)
    return dataclasses.replace(made, read_field_of_view=lambda: INSIDE, read_second_labels=lambda: other)


def predictor(steepness=1000.0, scheme=VESSEL, **changes) -> Predictor:
    return Predictor.of(make_model(threshold_network(0.5, steepness=steepness), make_spec(scheme, **changes)))


def test_only_the_field_of_view_counts() -> None:
    image = vessel() * np.uint8(200)
    image[30:35, 32:] = 250  # a bright spot that does not count
    image[5, 5] = 250  # one that does
    table = evaluate_predictor(
        predictor(), [dataclasses.replace(case(), read_image=make_case("x", vessel(), image=image).read_image)]
    )
    (row,) = table.rows
    assert row.score("precision") == pytest.approx(90 / 91)
    assert row.score("specificity") == pytest.approx(1 - 1 / (37 * 30))
    assert row.score("accuracy") == pytest.approx(1 - 1 / (40 * 30))
    assert row.score("roc_auc") == pytest.approx(1 - 0.5 / 1110, abs=1e-3)
    # The spot is a centre line of one pixel by itself; that of the band counts the whole prediction but for it.
    line = int(skeleton(vessel()[:, :30] > 0).sum())
    assert line == 29
    assert row.score("cldice") == pytest.approx(2 * line / (2 * line + 1))


def test_a_field_of_view_of_another_shape_is_told() -> None:
    wrong = dataclasses.replace(case(), read_field_of_view=lambda: INSIDE[:, 1:])
    with pytest.raises(InputError, match="the field of view has shape"):
        evaluate_predictor(predictor(), [wrong])


def test_second_observer_is_one_more_method() -> None:
    cases = [case("a"), case("b"), make_case("alone", vessel(), scheme=VESSEL)]
    observer = evaluate_observer(cases)
    assert observer is not None
    assert observer.cases == ("a", "b")
    assert observer.rows[0].score("recall") == pytest.approx(2 / 3)
    assert math.isnan(observer.rows[0].score("roc_auc"))
    (compared,) = compare({"model": evaluate_predictor(predictor(), cases), "human": observer}, score="recall")
    assert (compared.count, compared.first_mean, compared.second_mean) == (2, 1.0, pytest.approx(2 / 3))
    assert evaluate_observer(cases[2:]) is None


def test_thin_structures_have_a_headline_of_their_own() -> None:
    table = evaluate_predictor(predictor(), [case()])
    assert set(table.headline()) == set(THIN_HEADLINE)
    (row,) = headline_rows(table)
    assert row["roc_auc"].startswith("1.000")
    assert "hausdorff_mm" not in row
    heart = evaluate_predictor(
        predictor(scheme=LV_ONLY), [make_case("h", square(5, 5, 9), image=square(5, 5, 9, value=200))]
    )
    assert heart.headline("LV") == HEADLINE
    assert list(headline_rows(heart)[0]) == ["region", "phase", "dice", "hausdorff_mm", "mean_absolute_mm", "n",
                                             "absent", "false negative", "false positive"]  # fmt: skip


def test_threshold_is_that_of_the_best_dice() -> None:
    # Vessels of value 102 have a probability of 1 / (1 + e) = 0.27, the background of 0 one of 0.0067.
    soft = predictor(steepness=10.0)
    dim = case(brightness=102)
    assert evaluate_predictor(soft, [dim]).rows[0].score("dice") == 0.0
    threshold = best_threshold(soft, [dim])
    assert 0.01 <= threshold < 0.27
    tuned = predictor(steepness=10.0, threshold=threshold)
    table = evaluate_predictor(tuned, [dim])
    assert table.rows[0].score("dice") == 1.0
    assert table.rows[0].confidence == pytest.approx(1 / (1 + math.e), abs=1e-3)


def test_threshold_needs_one_structure_that_is_there() -> None:
    several = Predictor.of(make_model(threshold_network(0.3, 0.5, 0.7), make_spec(CAMUS)))
    with pytest.raises(InputError, match="several structures"):
        best_threshold(several, [case()])
    with pytest.raises(InputError, match="no case to choose"):
        best_threshold(predictor(), [])
