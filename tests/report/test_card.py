import dataclasses
import shlex

import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.label import CAMUS
from cardiotrace.core.terms import View
from cardiotrace.inference.spec import ModelSpec, SchemeSpec, TrainingSpec
from cardiotrace.preparation import Preparation
from cardiotrace.report.card import model_card

PARTS = [{"name": "camus", "views": ["4CH"]}, {"name": "phantom", "count": 3}]


def spec(data, *, fold=None):
    scores = {"regions": {"LV": {"all": {"dice": {"mean": 0.9, "sd": 0.1}, "n": 2, "absent": 0, "missed": 1}}}}
    return ModelSpec(
        name="some",
        summary="Something.",
        scheme=SchemeSpec(CAMUS.name, {str(key): value for key, value in CAMUS.values.items()}),
        views=(View.FOUR_CHAMBER,),
        classes=4,
        preparation=Preparation([Choice("resample", {"height_mm": 1.5, "width_mm": 1.25}), Choice("z-score")]),
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


def test_limits_and_outliers_are_told_where_there_are_any():
    assert "Limits of shapes" not in model_card(spec({"dataset": {"name": "camus"}}))
    described = spec({"dataset": {"name": "camus"}})
    row = {"phase": "all", "images": 40, "geometrical": 3, "geometrical_percent": 7.5}
    described.scores["validation"]["outliers"] = [row]
    limits = {"LV": {"simplicity": 0.69889, "convexity": 0.82647}}
    card = model_card(dataclasses.replace(described, shape_limits=limits))
    assert "| LV | 0.699 | 0.826 |" in card
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
