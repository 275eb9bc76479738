"""What is adopted is what helps held-out labels."""

import numpy as np
import pytest

from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import ACDC, LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.evaluation.adoption import DICE_GAIN, HeldOut, Trial, adopt, candidate_steps

GEOMETRY = Geometry.of_spacing((8.0, 1.0, 1.0))


def heart() -> np.ndarray:
    labels = np.zeros((3, 24, 24), np.uint8)
    labels[:, 4:12, 4:12] = 2
    labels[:, 6:10, 6:10] = 3
    labels[:, 4:12, 13:18] = 1
    return labels


def held_out(predicted: np.ndarray, reference: np.ndarray) -> HeldOut:
    return HeldOut("a", LabelMap(predicted[None], ACDC, GEOMETRY), LabelMap(reference[None], ACDC, GEOMETRY))


def adopted(trials: tuple[Trial, ...]) -> list[tuple[str, str]]:
    return [(trial.step.name, str(trial.structure)) for trial in trials if trial.is_adopted]


def test_a_stray_piece_speaks_for_components_of_its_structure_only() -> None:
    predicted = heart()
    predicted[1, 20:22, 20:22] = 3
    result = adopt([held_out(predicted, heart())], ACDC)
    assert adopted(result.trials) == [("largest-component", "LV")]
    (step,) = result.postprocessing.choices
    assert step.options["space"] == "volume"
    trial = next(trial for trial in result.trials if trial.is_adopted)
    assert trial.dice == (pytest.approx(2 * 48 / (48 + 52)), 1.0)
    assert trial.hausdorff_mm[1] == 0 < trial.hausdorff_mm[0]


def test_nothing_is_adopted_where_labels_are_right() -> None:
    assert adopt([held_out(heart(), heart())], ACDC).postprocessing.choices == ()


def test_a_true_second_piece_speaks_against_components() -> None:
    reference = heart()
    reference[1, 20:22, 20:22] = 1
    result = adopt([held_out(reference.copy(), reference)], ACDC)
    assert not adopted(result.trials)
    trial = result.trials[0]
    assert (trial.structure, trial.changed) == (Structure.RV, 1)
    assert trial.dice_gain < 0


def test_a_right_ventricle_beyond_the_base_speaks_for_removing_it() -> None:
    reference = heart()
    reference[0] = 0
    predicted = reference.copy()
    predicted[0, 4:12, 13:18] = 1
    assert ("remove-alone", "RV") in adopted(adopt([held_out(predicted, reference)], ACDC).trials)


def test_a_step_that_costs_a_neighbour_is_left_out() -> None:
    """A vote mends a ragged edge of the cavity, and takes from the wall what is as thin as a pixel."""
    reference = np.zeros((3, 64, 64), np.uint8)
    reference[:, 8:56, 8:50] = 2
    reference[:, 12:52, 12:50] = 3
    reference[:, 20:50:10, 12] = 2
    predicted = reference.copy()
    predicted[:, 14:50:4, 49] = 0
    trial = next(
        trial
        for trial in adopt([held_out(predicted, reference)], ACDC).trials
        if (trial.step.name, trial.structure) == ("smooth", Structure.LV)
    )
    assert trial.dice_gain > DICE_GAIN
    assert trial.harmed == (Structure.MYO,)
    assert not trial.is_adopted


def test_a_reference_that_lacks_a_structure_says_nothing_of_it() -> None:
    """Joined data sets may label different structures: what one does not tell of is not absent there."""
    ring = LabelScheme("ring", {Structure.MYO: 2})
    wall = LabelMap(np.where(heart() == 2, 2, 0).astype(np.uint8)[None], ring, GEOMETRY)
    predicted = heart()
    predicted[1, 20:22, 20:22] = 3
    partly = HeldOut("b", LabelMap(predicted[None], ACDC, GEOMETRY), wall)
    result = adopt([partly, held_out(predicted, heart())], ACDC)
    assert adopted(result.trials) == [("largest-component", "LV")]
    cases = {str(trial.structure): trial.cases for trial in result.trials}
    assert cases == {"RV": 1, "MYO": 2, "LV": 1}


def test_every_structure_is_tried() -> None:
    tried = {(step.name, structure) for step, structure in candidate_steps(ACDC)}
    assert {name for name, _ in tried} == {"largest-component", "remove-alone", "trim-ends", "fill-holes", "smooth"}
    assert {structure for _, structure in tried} == set(ACDC.structures)
