import json

import pytest
import torch
from safetensors.torch import load_file

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.datasets.split import Split
from cardiotrace.learning.training.journal import Journal
from cardiotrace.learning.training.run import Hardware, Material, RunFolder, RunWatch, train
from tests.learning.training.tiny import material, recipe

CPU = Hardware("cpu", 1)


def unheard(*_):
    pass


def run(folder, some_recipe, some_material=None, *, resume=False, on_epoch=unheard):
    told = RunWatch(unheard, on_epoch)
    return train(some_recipe, some_material or material(), folder, watch=told, hardware=CPU, resume=resume)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = RunFolder(tmp_path_factory.mktemp("run"))
    assert run(folder, recipe(training={"epochs": 2})) is True
    return folder


def test_folder_tells_everything_about_the_run(finished):
    rows = Journal(finished.journal).rows()
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
    with pytest.raises(UsageError, match=r"another recipe: optimiser\.rate, training\.epochs differs"):
        run(finished, recipe(training={"epochs": 3}, optimiser={"rate": 0.5}), resume=True)


def test_other_patients_are_refused(finished):
    swapped = material()
    split = Split(swapped.split.validation, swapped.split.training)
    other = Material(swapped.packed, split, swapped.scheme, swapped.mirror_axes)
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
    some = material()
    empty = Material(some.packed, Split(some.split.training, ("patient99",)), some.scheme, ())
    with pytest.raises(InputError, match="the validation part of the split has no labelled image"):
        run(RunFolder(tmp_path), recipe(), empty)


@pytest.mark.parametrize("stopped_after", [1, 2])
def test_stopped_run_ends_as_an_unbroken_one(stopped_after, tmp_path):
    some = recipe(
        training={"epochs": 3, "average_decay": 0.9},
        augmentation={"rotation_degrees": {"probability": 0.9, "low": -20, "high": 20}},
        schedule={"name": "plateau", "patience": 0},
    )
    whole, broken = RunFolder(tmp_path / "whole"), RunFolder(tmp_path / "broken")
    for folder in (whole, broken):
        folder.path.mkdir()
    run(whole, some)

    def stop(row, is_best):
        if row["epoch"] == stopped_after:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(broken, some, on_epoch=stop)
    run(broken, some, resume=True)
    assert broken.best.read_bytes() == whole.best.read_bytes()
    assert broken.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    assert rows_without_times(broken) == rows_without_times(whole)


def rows_without_times(folder):
    times = ("seconds", "images_per_second")
    return [{key: row[key] for key in row if key not in times} for row in Journal(folder.journal).rows()]
