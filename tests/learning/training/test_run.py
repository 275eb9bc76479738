import dataclasses
import json
import re

import pytest
import torch
from safetensors.torch import load_file

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.licence import Terms
from cardiotrace.datasets.split import Split
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.run import (
    Hardware,
    RunCallbacks,
    TrainingData,
    TrainingResult,
    best_of,
    check_run,
    finished_weights,
    train,
)
from cardiotrace.learning.training.training_log import TrainingLog
from tests.learning.training.tiny import recipe, student, training_data

CPU = Hardware("cpu", 1)


def unheard(*_):
    pass


def run(folder, some_recipe, data=None, *, resume=False, on_epoch=unheard, say=unheard, **options):
    data = data or training_data()
    checked = check_run(some_recipe, folder, data.split, student(some_recipe), resume=resume)
    return train(checked, data, callbacks=RunCallbacks(unheard, on_epoch, say), hardware=CPU, **options)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    result = run(folder, recipe(training={"epochs": 2}))
    rows = TrainingLog(folder.journal).rows()
    best = max(rows, key=lambda row: row["score"])
    assert result == TrainingResult(True, best["epoch"], best["score"])
    return folder


def test_folder_tells_everything_about_the_run(finished):
    rows = TrainingLog(finished.journal).rows()
    assert [row["epoch"] for row in rows] == [1, 2]
    environment = json.loads(finished.environment.read_text())
    assert environment["seed"] == 3
    assert environment["packages"]["torch"] == torch.__version__.split("+")[0] or torch.__version__
    assert json.loads(finished.split.read_text())["validation"] == [f"patient{index}" for index in range(4, 8)]
    assert not [path for path in finished.path.iterdir() if path.name.startswith(".")]


def test_weights_have_plain_names(finished):
    names = load_file(finished.best).keys()
    assert "head.weight" in names
    assert all(name.split(".")[0] in ("encoder", "up", "decoder", "head") for name in names)


def test_run_is_not_overwritten(finished):
    with pytest.raises(UsageError, match=r"holds a run already\n.*--resume"):
        run(finished, recipe(training={"epochs": 2}))


def test_another_recipe_is_named_by_what_differs(finished):
    with pytest.raises(UsageError, match=r"another recipe: optimiser\.learning_rate, training\.epochs differs"):
        run(finished, recipe(training={"epochs": 3}, optimiser={"learning_rate": 0.5}), resume=True)


def test_other_patients_are_refused(finished):
    swapped = training_data()
    split = Split(swapped.split.validation, swapped.split.training)
    other = TrainingData(swapped.packed, split, swapped.scheme, swapped.mirror_axes)
    with pytest.raises(UsageError, match="other patients"):
        run(finished, recipe(training={"epochs": 2}), other, resume=True)


def test_damaged_checkpoint_is_refused(tmp_path):
    folder = RunFolder(tmp_path)
    run(folder, recipe(training={"epochs": 1}))
    folder.checkpoint.write_bytes(folder.checkpoint.read_bytes()[:-100])
    with pytest.raises(InputError, match="is not a checkpoint"):
        run(folder, recipe(training={"epochs": 1}), resume=True)


def test_name_and_post_processing_may_change_when_resuming(finished):
    before = finished.best.read_bytes()
    run(finished, recipe(training={"epochs": 2}, summary="told anew"), resume=True)
    assert finished.best.read_bytes() == before


def test_part_without_images_is_refused(tmp_path):
    some = training_data()
    empty = TrainingData(some.packed, Split(some.split.training, ("patient99",)), some.scheme, ())
    with pytest.raises(InputError, match="the validation part of the split has no labelled image"):
        run(RunFolder(tmp_path), recipe(), empty)


@pytest.mark.parametrize("stopped_after", [1, 2])
def test_stopped_run_ends_as_an_unbroken_one(stopped_after, tmp_path):
    some = recipe(
        training={"epochs": 3, "ema_decay": 0.9},
        augmentation={"rotation_degrees": {"probability": 0.9, "low": -20, "high": 20}},
        schedule={"name": "plateau", "patience": 0},
    )
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    for folder in (whole, broken):
        folder.path.mkdir()
    run(whole, some)

    def stop(rows, is_best):
        if rows[-1]["epoch"] == stopped_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(broken, some, on_epoch=stop)
    run(broken, some, resume=True)
    assert broken.best.read_bytes() == whole.best.read_bytes()
    assert broken.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    assert rows_without_times(broken) == rows_without_times(whole)


def rows_without_times(folder):
    times = ("seconds", "images_per_second")
    return [{key: row[key] for key in row if key not in times} for row in TrainingLog(folder.journal).rows()]


def test_run_starts_from_the_best_weights_of_another(finished, tmp_path):
    started, anew = RunFolder(tmp_path / "started"), RunFolder(tmp_path / "anew")
    still = recipe(training={"epochs": 1}, optimiser={"learning_rate": 1e-9})
    start = finished_weights(finished)
    for folder, given in ((started, dataclasses.replace(training_data(), start=start)), (anew, training_data())):
        folder.path.mkdir()
        run(folder, still, given)
    before, after, other = (load_file(folder.best)["head.weight"] for folder in (finished, started, anew))
    assert torch.allclose(before, after, atol=1e-6)
    assert not torch.allclose(before, other, atol=1e-2)
    assert json.loads(started.environment.read_text())["started_from"].startswith("tiny (camus), weights with sha256 ")


def test_terms_of_what_it_started_from_are_kept(finished, tmp_path):
    first = RunFolder(tmp_path / "first")
    first.path.mkdir()
    data = dataclasses.replace(training_data(), terms=Terms("CC BY 4.0", "A 2001."))
    run(first, recipe(training={"epochs": 1}), data)
    second = dataclasses.replace(training_data(), start=finished_weights(first), terms=Terms("CC0", "B 2002."))
    assert second.all_terms == Terms("CC0; CC BY 4.0", "B 2002. A 2001.")


def test_weights_of_another_network_are_refused(finished, tmp_path):
    wider = recipe(training={"epochs": 1}, architecture={"width": 16})
    with pytest.raises(InputError, match="weights of another architecture"):
        run(RunFolder(tmp_path), wider, dataclasses.replace(training_data(), start=finished_weights(finished)))


def test_folder_without_weights_is_no_start(tmp_path):
    with pytest.raises(InputError, match="holds no finished run to start from"):
        finished_weights(RunFolder(tmp_path))


def test_weights_that_fit_are_taken_and_the_others_told(finished, tmp_path):
    """The same network with other widths above: what both have alike comes from the first run."""
    norm = recipe(
        training={"epochs": 1, "initial_weights": "fitting"},
        architecture={"norm": "batch"},
        optimiser={"learning_rate": 1e-9},
    )
    start, said = finished_weights(finished), []
    run(RunFolder(tmp_path), norm, dataclasses.replace(training_data(), start=start), say=said.append)
    before, after = load_file(finished.best), load_file(tmp_path / "best.safetensors")
    assert torch.allclose(before["head.weight"], after["head.weight"], atol=1e-6)
    assert len(said) == 1
    assert re.match(r"initial weights: \d+ of \d+ weights were taken; .*drawn anew: ", said[0])
    assert json.loads((tmp_path / "environment.json").read_text())["started_from"].endswith(said[0].split(": ", 1)[1])


def test_a_resumed_run_does_not_look_at_what_it_started_from(finished, tmp_path):
    folder, start = RunFolder(tmp_path), finished_weights(finished)
    data = dataclasses.replace(training_data(), start=start)
    run(folder, recipe(training={"epochs": 1}), data)
    gone = dataclasses.replace(data, start=dataclasses.replace(start, weights=tmp_path / "gone.safetensors"))
    result = run(folder, recipe(training={"epochs": 1}), gone, resume=True)
    assert result.best_epoch == 1


def test_the_best_epoch_is_known_with_and_without_the_checkpoint(tmp_path):
    folder = RunFolder(tmp_path)
    with pytest.raises(InputError, match="holds no finished epoch"):
        best_of(folder)
    result = run(folder, recipe(training={"epochs": 3}))
    with_it = best_of(folder)
    folder.checkpoint.unlink()
    assert with_it == best_of(folder)
    assert (with_it.epoch, with_it.score) == (result.best_epoch, result.best_score)


def test_callbacks_get_all_rows_so_far_also_after_a_break(tmp_path):
    folder, seen = RunFolder(tmp_path), []

    def stop(rows, is_best):
        seen.append([row["epoch"] for row in rows])
        if rows[-1]["epoch"] == 1:
            raise KeyboardInterrupt

    some = recipe(training={"epochs": 3})
    with pytest.raises(KeyboardInterrupt):
        run(folder, some, on_epoch=stop)
    run(folder, some, resume=True, on_epoch=stop)
    assert seen == [[1], [1, 2], [1, 2, 3]]


def test_where_nobody_validates_the_best_weights_cannot_be_kept(tmp_path):
    alone = dataclasses.replace(training_data(), split=Split(("patient0", "patient1", "patient2", "patient3")))
    with pytest.raises(InputError, match="the validation part of the split has no labelled image"):
        run(RunFolder(tmp_path), recipe(), data=alone)
    (tmp_path / "last").mkdir()
    run(RunFolder(tmp_path / "last"), recipe(training={"keep": "last"}), data=alone)
    assert RunFolder(tmp_path / "last").best.exists()
