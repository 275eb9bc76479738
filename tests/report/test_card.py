import dataclasses
import shlex

import pytest

from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.calibration import ErrorCalibration, IntervalCalibration
from cardiotrace.clinical.intervals.widening import Widening
from cardiotrace.clinical.method import Method
from cardiotrace.core.catalog import Choice
from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import Modality, View
from cardiotrace.inference.model_file import read_spec
from cardiotrace.inference.spec import Calibration, ModelSpec, SchemeSpec, TrainingSpec
from cardiotrace.inference.zoo import find_model, list_models
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.report.card import KEPT_APART, LOOKED_AT, model_card

PARTS = [{"name": "camus", "views": ["4CH"]}, {"name": "phantom", "count": 3}]


def spec(data, *, fold=None):
    scores = {"regions": {"LV": {"all": {"dice": {"mean": 0.9, "sd": 0.1}, "n": 2, "absent": 0, "missed": 1}}}}
    return ModelSpec(
        name="some",
        summary="Something.",
        scheme=SchemeSpec(CAMUS.name, {str(key): value for key, value in CAMUS.values.items()}),
        views=(View.FOUR_CHAMBER,),
        classes=4,
        preprocessing=Preprocessing([Choice("resample", {"height_mm": 1.5, "width_mm": 1.25}), Choice("z-score")]),
        training=TrainingSpec(data_set="camus", fold=fold, recipe={"seed": 7, "data": data}),
        scores={"validation": scores},
    )


def command_on(card):
    (line,) = [line for line in card.splitlines() if line.startswith("    cardiotrace evaluate")]
    return shlex.split(line)


def test_the_command_names_the_split_that_was_validated_on():
    words = command_on(model_card(spec({"dataset": {"name": "camus"}, "split": "official"})))
    assert words == ["cardiotrace", "evaluate", "some.onnx", "PATH", "--dataset", "camus", "--part", "validation"]


@pytest.mark.parametrize(("data_seed", "seed"), [({}, "7"), ({"seed": 3}, "3")])
def test_the_command_finds_the_same_fold_again(data_seed, seed):
    data = {"dataset": {"name": "acdc"}, "split": "k-fold", "folds": 8, **data_seed}
    words = command_on(model_card(spec(data, fold=2)))
    expected = ["--split", "k-fold", "--folds", "8", "--fold", "2", "--fold-seed", seed, "--part", "validation"]
    assert words[6:] == expected


def test_options_of_the_data_set_can_be_read_back():
    from cardiotrace.cli.settings import settings

    words = command_on(model_card(spec({"dataset": {"name": "joined", "parts": PARTS}, "split": "official"})))
    (option,) = [word.removeprefix("--option=") for word in words if word.startswith("--option=")]
    assert settings([option]) == {"parts": PARTS}


def test_steps_and_start_are_told():
    described = spec({"dataset": {"name": "camus"}})
    started = dataclasses.replace(described.training, started_from="first (phantom)", epochs=3)
    card = model_card(dataclasses.replace(described, training=started))
    assert "| Input | resample to 1.5 x 1.25 mm then z-score |" in card
    assert "| Started from | first (phantom) |" in card
    assert "| LV | all | 0.900 ± 0.100 | 2 | 1 |" in card


def test_neighbouring_slices_are_told_where_they_are_seen():
    alone = spec({"dataset": {"name": "camus"}})
    assert "Neighbouring slices" not in model_card(alone)
    assert "2 on each side" in model_card(dataclasses.replace(alone, channels=5, neighbours=2))


def test_limits_and_outliers_are_told_where_there_are_any():
    assert "Limits of shapes" not in model_card(spec({"dataset": {"name": "camus"}}))
    described = spec({"dataset": {"name": "camus"}})
    row = {"phase": "all", "images": 40, "geometrical": 3, "geometrical_percent": 7.5}
    described.scores["validation"]["outliers"] = [row]
    limits = {"LV": {"simplicity": 0.69889, "convexity": 0.82647}}
    card = model_card(dataclasses.replace(described, calibration=Calibration(shape_limits=limits)))
    assert "| LV | 0.699 | 0.826 |" in card
    assert "The least of all references of the training" in card
    newer = Calibration(shape_limits=limits, shape_quantile=0.01)
    assert "The lowest 1 % of all references" in model_card(dataclasses.replace(described, calibration=newer))
    assert "| phase | images | geometrical outliers |" in card
    assert "| all | 40 | 3 (7.5 %) |" in card


def test_an_ensemble_shows_its_members_and_their_scores():
    described = spec({"dataset": {"name": "camus"}})
    made = dataclasses.replace(described.training, started_from="mean of a, b")
    scores = {"members": described.scores["validation"]}
    card = model_card(dataclasses.replace(described, training=made, scores=scores))
    assert "| Made of | mean of a, b |" in card
    assert "Scores on the members' testing parts" in card
    assert "Kept" not in card
    assert "cardiotrace evaluate" not in card
    assert "| LV | all | 0.900" in card


def test_patients_kept_apart_stand_beside_the_validation_part():
    apart = [
        {"data": "one place", "patients": 50, "dice": {"LV": 0.9, "RV": 0.8},
         "mean_absolute_error": {"right_ventricular_ejection_fraction_percent": 9.6}},
        {"data": "another", "dice": {"LV": 0.77, "RV": 0.63}},
    ]  # fmt: skip
    described = spec({"dataset": {"name": "camus"}})
    card = model_card(dataclasses.replace(described, scores={**described.scores, KEPT_APART: apart}))
    part = card[card.index("## Scores on patients kept apart") :]
    assert "| one place | 50 | 0.90 | 0.80 | 9.6 |" in part
    assert "| another |  | 0.77 | 0.63 |  |" in part
    assert "patients of | n | Dice LV | Dice RV | right ventricular ejection fraction MAE, percent" in part
    assert "kept apart" not in model_card(described)


def test_patients_who_were_looked_at_are_not_called_kept_apart():
    seen = [{"data": "one place, ED", "patients": 1, "dice": {"LV": 0.88}}]
    described = spec({"dataset": {"name": "phantom", "kind": "cmr"}})
    card = model_card(dataclasses.replace(described, citation="", scores={**described.scores, LOOKED_AT: seen}))
    part = card[card.index("## Scores on patients looked at") :]
    assert "| one place, ED | 1 | 0.88 |" in part
    assert "Expect less on new patients" in part
    assert "kept apart" not in card
    assert "\n> " not in card


def test_one_patient_alone_has_no_correlation():
    described = spec({"dataset": {"name": "camus"}})
    one = {"n": 1, "correlation": None, "bias": -0.0, "sd": None, "mean_absolute_error": 0.0}
    traced = {"left_ventricular_mass_g": {**one, "bias": 12.34}}
    percent = {"left_ventricular_ejection_fraction_percent": one}
    scores = {"validation": {"regions": {}, **percent, "against_reference_labels": traced}}
    card = model_card(dataclasses.replace(described, scores=scores))
    assert "1 patients, percent: correlation -, bias 0.0, SD -, mean absolute error 0.0." in card
    assert "| left ventricular mass | g | 1 | - | 12.3 | - | 0.0 |" in card


def test_what_is_no_number_is_left_out_of_a_model_file():
    """As where one image alone was validated on."""
    groups = {"ED": {"dice": {"mean": 0.27}, "n": 1, "absent": 0, "missed": 0, "false_positive": 0}}
    scores = {
        "validation": {"regions": {"LV": groups}, "left_ventricular_ejection_fraction_percent": {"n": 1, "bias": 2.0}}
    }
    card = model_card(dataclasses.replace(spec({"dataset": {"name": "camus"}}), scores=scores))
    assert "| LV | ED | 0.270 | 1 | 0 | 0 |" in card
    assert "correlation -, bias +2.0, SD -, mean absolute error -." in card


@pytest.mark.parametrize("name", [listed.name for listed in list_models() if listed.path.with_suffix(".md").exists()])
def test_cards_beside_models_are_what_the_models_say(name):
    path = find_model(name)
    assert path.with_suffix(".md").read_text(encoding="utf-8") == model_card(read_spec(path), file_name=path.name)


def test_the_cine_mri_model_tells_of_its_right_ventricle():
    card = model_card(read_spec(find_model("cine-mri-unet1")))
    assert "| ACDC | 50 | 0.90 | 0.84 | 0.80 | 9.6 |" in card
    assert "| scanners of other vendors |  | 0.77 | 0.69 | 0.63 |  |" in card


def test_a_card_says_where_its_intervals_end():
    described = spec({"dataset": {"name": "camus"}, "split": "official"})
    error = ErrorCalibration(
        "left_ventricular_ejection_fraction_percent", "A4C", Method.SINGLE_PLANE_DISKS, Error.READING, 0.9,
        {"": (-9.0, 9.0)}, widening=Widening(((2.0, 1.3), (6.0, 2.7))),
    )  # fmt: skip
    calibration = Calibration(intervals=IntervalCalibration((error,), basis="50 patients"))
    views = (View.FOUR_CHAMBER, View.TWO_CHAMBER)
    card = model_card(dataclasses.replace(described, modality=Modality.US, views=views, calibration=calibration))
    assert "There is none in A2C, nor of values from several views together such as biplane" in card
    assert "up to 2.7 times as wide; beyond 6 times the limit" in card
    alone = model_card(dataclasses.replace(described, modality=Modality.US, views=views[:1], calibration=calibration))
    assert "There is none in" not in alone
