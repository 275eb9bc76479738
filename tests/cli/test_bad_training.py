"""Trainings that cannot be: one clear message, the right exit status, and nothing lost."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest
import tomli_w

from cardiotrace.core.catalog import choices_from_plain
from cardiotrace.inference.model_file import read_spec
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import portable, read_recipe
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.train import run_training
from tests.fake.camus import write_camus
from tests.fake.models import write_camus_model
from tests.learning.training.tiny import RECIPE


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A fake CAMUS of four patients, a tiny recipe, and a finished run of one epoch."""
    folder = tmp_path_factory.mktemp("training")
    write_camus(folder / "camus", patients=4, views=("4CH",))
    training = {**RECIPE["training"], "epochs": 1}
    (folder / "recipe.toml").write_text(tomli_w.dumps({**RECIPE, "training": training}))
    return folder


@pytest.fixture
def train(command, place, monkeypatch):
    """Train with changes of the recipe, without export: status, output, what stands on standard error."""
    monkeypatch.setattr("cardiotrace.workflows.train.run_training", lambda *words: run_training(*words) and None)

    def run(out: Path, *words, **changes):
        settings = [f"{key.replace('__', '.')}={json.dumps(value)}" for key, value in changes.items()]
        where = ("--data", place / "camus", "--cache", place / "cache", "--accelerator", "cpu")
        more = ("--set", *settings) if settings else ()
        return command("train", place / "recipe.toml", "--out", out, *where, *words, *more)

    return run


@pytest.fixture(scope="module")
def finished(place):
    return place / "finished"


@pytest.fixture
def trained(finished, train):
    if not finished.exists():
        assert train(finished)[0] == 0
    return finished


def refused(answer, status, *said):
    assert answer[0] == status
    lines = answer[2].strip().splitlines()
    problem = [line for line in lines if line.startswith("cardiotrace: ")]
    assert len(problem) == 1
    assert len(lines) - lines.index(problem[0]) <= 2, "a message is one line and a remedy"
    assert "Traceback" not in answer[2]
    for text in said:
        assert text in "\n".join(lines)


def test_a_size_that_the_network_cannot_halve(train, tmp_path):
    answer = train(tmp_path / "run", preprocessing__0__height=30)
    refused(answer, 3, "images of 30x32 do not fit", "the nearest sizes are 28x32 and 32x32")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("lists", "said"),
    [
        (
            {"training": ["patient0001", "patient9999"], "validation": ["patient0002"]},
            "patient 'patient9999' of the split",
        ),
        ({"training": ["patient0001"], "validation": ["patient0001"]}, "the split leaks"),
        ({"validation": ["patient0001"]}, "is not a split"),
    ],
)
def test_a_list_of_patients_that_cannot_be(train, tmp_path, lists, said):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(lists))
    refused(train(tmp_path / "run", data__split=str(path)), 3, said, "mine.json")
    assert not (tmp_path / "run").exists()


def test_a_split_of_ones_own_is_trained_on(train, tmp_path):
    path = tmp_path / "mine.json"
    path.write_text(json.dumps({"training": ["patient0003"], "validation": ["patient0001"]}))
    assert train(tmp_path / "run", data__split=str(path))[0] == 0
    assert json.loads(RunFolder(tmp_path / "run").split.read_text())["training"] == ["patient0003"]
    refused(train(tmp_path / "fold", "--fold", 1, data__split=str(path)), 2, "there is no fold 1")


def test_no_place_of_this_machine_is_written_down(train, tmp_path, command, place):
    """A split beside the recipe, a split by its whole path, a teacher by its path: names alone are kept."""
    write_camus_model(
        tmp_path / "teacher.onnx", preprocessing=Preprocessing(choices_from_plain(RECIPE["preprocessing"], ""))
    )
    lists = {"training": ["patient0003"], "validation": ["patient0001"], "testing": ["patient0002"]}
    (tmp_path / "mine.json").write_text(json.dumps(lists))
    taught = {"distillation__teachers": [str(tmp_path / "teacher.onnx")]}
    out = tmp_path / "run"
    assert train(out, data__split=str(tmp_path / "mine.json"), **taught)[0] == 0
    assert train(out, "--resume", data__split=str(tmp_path / "mine.json"), **taught)[0] == 0
    assert command("export", out, "--data", place / "camus", "--cache", place / "cache")[0] == 0
    for path in out.iterdir():
        assert str(tmp_path.parent).encode() not in path.read_bytes(), path.name
    spec = read_spec(out / "model.onnx").training
    assert spec.recipe["data"]["split"] == "mine.json"
    assert spec.recipe["distillation"]["teachers"] == ["teacher.onnx"]
    assert spec.split == "mine.json (1 patients for training, 1 for validation)"


def test_a_split_beside_the_recipe(train, tmp_path):
    refused(train(tmp_path / "run", data__split="nowhere.json"), 3, "nowhere.json: no such file")
    (tmp_path / "beside.json").write_text(json.dumps({"training": ["patient0002"], "validation": ["patient0001"]}))
    recipe = tmp_path / "recipe.toml"
    recipe.write_text(tomli_w.dumps({**RECIPE, "data": {**RECIPE["data"], "split": "beside.json"}}))
    assert read_recipe(recipe).data.split == str((tmp_path / "beside.json").resolve())
    assert portable(read_recipe(recipe)).data.split == "beside.json"
    assert read_recipe(recipe).digest() == portable(read_recipe(recipe)).digest()


def test_a_disk_that_fills_at_the_journal(train, tmp_path, monkeypatch):
    changes = {"training__epochs": 3}
    assert train(tmp_path / "whole", **changes)[0] == 0
    flush, calls = os.fsync, []

    def full_at_the_second(descriptor):
        if Path(f"/proc/self/fd/{descriptor}").readlink().name == "journal.jsonl":
            calls.append(descriptor)
            if len(calls) == 2:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        flush(descriptor)

    out = tmp_path / "run"
    with monkeypatch.context() as patch:
        patch.setattr("os.fsync", full_at_the_second)
        refused(train(out, **changes), 4, "journal.jsonl: could not be written", "the disk is full")
    assert [row["epoch"] for row in TrainingLog(RunFolder(out).journal).rows()] == [1]
    assert train(out, "--resume", **changes)[0] == 0
    ours, whole = (
        [row["loss"] for row in TrainingLog(tmp_path / name / "journal.jsonl").rows()] for name in ("run", "whole")
    )
    assert ours == whole


def test_patients_of_a_published_list_that_are_not_there_are_told(train, tmp_path, place):
    thinner = tmp_path / "camus"
    shutil.copytree(place / "camus", thinner)
    shutil.rmtree(thinner / "database_nifti" / "patient0001")
    status, out, error = train(tmp_path / "run", "--data", thinner)
    assert status == 0, error
    # The fake's own lists name a patient who is not there either.
    assert "2 patients of the split are not in the data and are left out: patient0001, patient0999" in out


def test_a_model_is_not_exported_from_other_patients(trained, tmp_path, command, place):
    others = tmp_path / "camus"
    shutil.copytree(place / "camus", others)
    gone = json.loads(RunFolder(trained).split.read_text())["validation"][0]
    shutil.rmtree(others / "database_nifti" / gone)
    answer = command("export", trained, "--data", others, "--cache", tmp_path / "cache", "--out", tmp_path / "m.onnx")
    refused(answer, 3, f"split.json: patient '{gone}' of the split is not in the data set")
    assert not (tmp_path / "m.onnx").exists()


def test_a_word_on_first_weights_needs_a_run_to_take_them_from(train, trained, tmp_path):
    said = "has no effect: no run is given with --start-from"
    assert said in train(tmp_path / "alone", training__initial_weights="fitting")[1]
    assert said not in train(tmp_path / "run", "--start-from", trained, training__initial_weights="fitting")[1]


def test_a_run_folder_of_another_recipe(train, trained):
    before = {path.name: path.read_bytes() for path in trained.iterdir()}
    refused(train(trained, "--resume", seed=8), 2, "holds a run of another recipe: seed differs")
    refused(train(trained), 2, "holds a run already")
    assert {path.name: path.read_bytes() for path in trained.iterdir()} == before


def test_weights_of_another_architecture(train, trained, tmp_path, command, place):
    answer = train(tmp_path / "run", "--start-from", trained, architecture__width=4)
    refused(answer, 3, "weights of another architecture", "of another shape, such as encoder.0.0.weight")
    copy = tmp_path / "copy"
    shutil.copytree(trained, copy)
    recipe = copy / "recipe.toml"
    recipe.write_text(recipe.read_text().replace("levels = 2", "levels = 3"))
    exported = command("export", copy, "--data", place / "camus", "--cache", place / "cache")
    refused(exported, 3, "weights of another architecture", "missing, such as", "change architecture in the recipe")


def test_a_checkpoint_of_another_architecture(train, trained, tmp_path):
    other = tmp_path / "other"
    assert train(other, architecture__width=4)[0] == 0
    shutil.copy(RunFolder(trained).checkpoint, RunFolder(other).checkpoint)
    answer = train(other, "--resume", architecture__width=4)
    refused(answer, 3, "the checkpoint belongs to another recipe")


def test_a_loss_that_is_no_number(train, tmp_path):
    # The first epoch is harmless: its only step is at the lowest rate.
    changes = {"optimiser__rate": 1e30, "schedule": "one-cycle", "training__epochs": 6, "training__steps_per_epoch": 1}
    answer = train(tmp_path / "run", **changes)
    refused(answer, 4, "in epoch", "patient000", "the state after the last complete epoch is kept")
    folder = RunFolder(tmp_path / "run")
    rows = TrainingLog(folder.journal).rows()
    assert all(row["loss"] == row["loss"] for row in rows)
    again = train(tmp_path / "run", "--resume", **changes)
    assert again[2].splitlines()[-2] == answer[2].splitlines()[-2]
    assert TrainingLog(folder.journal).rows() == rows
