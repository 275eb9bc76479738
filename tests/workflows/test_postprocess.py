"""Steps are chosen by labels of patients that each fold's model has not seen, and travel into model files."""

import json

import numpy as np
import pytest

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import ACDC, LabelMap
from cardiotrace.evaluation.adoption import HeldOut
from cardiotrace.workflows import postprocess as module
from cardiotrace.workflows.postprocess import PostprocessConfig, choose_postprocessing
from cardiotrace.workflows.services.steps import read_postprocessing


def with_speck() -> HeldOut:
    reference = np.zeros((1, 2, 16, 16), np.uint8)
    reference[:, :, 3:9, 3:9] = 3
    predicted = reference.copy()
    predicted[0, 1, 14, 14] = 3
    geometry = Geometry.of_spacing((8.0, 1.0, 1.0))
    return HeldOut("a", LabelMap(predicted, ACDC, geometry), LabelMap(reference, ACDC, geometry))


@pytest.fixture
def folds(tmp_path, monkeypatch):
    """A cross-validation of one finished fold whose labels are known."""
    run = tmp_path / "run"
    (run / "fold-1").mkdir(parents=True)
    for name in ("testing.json", "model.onnx"):
        (run / "fold-1" / name).write_text("{}")

    class Opened:
        scheme = ACDC

    class Read:
        class data:
            dataset = None

    monkeypatch.setattr(module, "read_recipe", lambda path: Read)
    monkeypatch.setattr(module, "open_dataset", lambda choice, root: Opened)
    monkeypatch.setattr(module, "_held_out", lambda *_: iter([with_speck()]))
    return run


def test_what_is_chosen_is_written_as_a_recipe_holds_it(folds):
    adoption = choose_postprocessing(PostprocessConfig(run=folds))
    path = folds / "postprocessing.toml"
    assert [choice.name for choice in adoption.postprocessing.choices] == ["largest-component"]
    assert read_postprocessing(path).choices == adoption.postprocessing.choices
    assert "LV largest-component space=volume: adopted, Dice 0.9931 to 1.0000" in path.read_text()


def test_another_file_in_its_place_stays(folds):
    path = folds / "mine.toml"
    path.write_text("name = 1\n")
    with pytest.raises(UsageError, match=r"mine\.toml"):
        choose_postprocessing(PostprocessConfig(run=folds, out=path))
    assert path.read_text() == "name = 1\n"


def test_a_folder_without_finished_folds_is_told_in_one_line(tmp_path):
    with pytest.raises(InputError, match="no finished fold"):
        choose_postprocessing(PostprocessConfig(run=tmp_path))
    with pytest.raises(InputError, match="no finished fold"):  # of the run, not of a place for what is not chosen yet
        choose_postprocessing(PostprocessConfig(run=tmp_path / "none"))


def test_a_file_without_steps_is_told_in_one_line(tmp_path):
    (tmp_path / "other.toml").write_text("name = 1\n")
    with pytest.raises(InputError, match="no post-processing"):
        read_postprocessing(tmp_path / "other.toml")


def test_the_command_prints_every_trial(folds, capsys):
    from cardiotrace.cli.main import main

    assert main(["postprocess", str(folds), "--json"]) == 0
    told = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert sum(trial["adopted"] for trial in told["trials"]) == 1
    # What is in no case has no mean, for which JSON has no number.
    assert [trial["dice"] for trial in told["trials"] if trial["structure"] == "RV"] == [[None, None]] * 6
    assert main(["postprocess", str(folds)]) == 0
    assert "trim-ends" in capsys.readouterr().out
