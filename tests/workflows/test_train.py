import dataclasses

import pytest
import tomli_w

from cardiotrace.core.errors import ConfigError, InputError, UsageError
from cardiotrace.core.label import CAMUS
from cardiotrace.datasets.split import Split
from cardiotrace.learning.training.run import Hardware
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.workflows import train as module
from cardiotrace.workflows.train import TrainConfig, default_folder, drawn, epoch_line, run_training
from tests.fake.camus import write_camus
from tests.learning.training.tiny import RECIPE, packed, recipe

ROW = {
    "epoch": 2,
    "step": 4,
    "rate": 0.01,
    "loss": 0.5,
    "score": 0.75,
    "dice": {"LV": 0.8, "MYO": 0.7},
    "seconds": 61.2,
    "images_per_second": 6.54,
}


@pytest.fixture
def place(tmp_path):
    write_camus(tmp_path / "camus", patients=4, views=("4CH",))
    return tmp_path


def config(place, *, fold=None, resume=False, out="run", **overrides):
    path = place / "recipe.toml"
    path.write_text(tomli_w.dumps({**RECIPE, "training": {**RECIPE["training"], "epochs": 2}}))
    return TrainConfig(
        recipe=path,
        data=place / "camus",
        out=place / out,
        fold=fold,
        resume=resume,
        overrides=overrides,
        cache=place / "cache",
        hardware=Hardware("cpu", 1),
    )


@pytest.mark.parametrize(
    ("overrides", "kind", "message"),
    [
        ({"architecture": "unet9"}, ConfigError, "no architecture 'unet9'"),
        ({"preprocessing.0.height": 30}, ConfigError, "images of 30x32 do not fit"),
        ({"loss.smoth": 1}, ConfigError, r"loss\.smoth"),
        ({"data.split": "offical"}, InputError, "no split 'offical'"),
        ({"data.dataset.views": ["5CH"]}, ConfigError, r"data\.dataset\.views"),
    ],
)
def test_mistakes_are_found_before_anything_is_packed_or_written(overrides, kind, message, place, monkeypatch):
    monkeypatch.setattr(module, "pack", lambda *_, **__: pytest.fail("packed"))
    with pytest.raises(kind, match=message):
        run_training(config(place, **overrides))
    assert not (place / "run").exists()
    assert not (place / "cache").exists()


def test_curves_are_drawn_after_every_epoch(place, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "draw_curves", lambda rows, path: seen.append((len(rows), path.name)))
    folder = run_training(config(place))
    assert seen == [(1, "curves.png"), (2, "curves.png")]
    assert len(TrainingLog(folder.journal).rows()) == 2

    monkeypatch.setattr(module, "pack", lambda *_, **__: pytest.fail("packed"))
    with pytest.raises(UsageError, match="holds a run already"):
        run_training(config(place))


def test_structures_without_a_single_label_are_told_before_training():
    data = packed(4)
    split = Split(("patient0", "patient1"), ("patient2", "patient3"))
    assert module._unlabelled(data, split, CAMUS) == []
    labels = data.labels.copy()
    labels[:2][labels[:2] == 3] = 0
    labels[2:] = 0
    lines = module._unlabelled(dataclasses.replace(data, labels=labels), split, CAMUS)
    assert lines == [
        "warning: no label of the training part holds LA",
        "warning: no label of the validation part holds anything: look with `cardiotrace data lint`",
    ]


def test_curves_hold_loss_dice_and_rate(tmp_path):
    assert drawn(ROW) == {
        "epoch": 2,
        "loss": 0.5,
        "LV Dice": 0.8,
        "MYO Dice": 0.7,
        "mean Dice": 0.75,
        "learning_rate": 0.01,
    }
    from cardiotrace.report.figure import _log_lines

    assert set(_log_lines([drawn(ROW)], ("dice",))) == {"LV Dice", "MYO Dice", "mean Dice"}
    assert set(_log_lines([drawn(ROW)], ("learning_rate",))) == {"learning_rate"}


def test_epoch_in_one_line():
    line = epoch_line(ROW, True, epochs=24)
    assert line == "epoch   2/24  loss 0.5000  Dice LV 0.8000  MYO 0.7000  61 s (6.5 images/s)  best so far"


def test_runs_have_a_place_of_their_own():
    assert default_folder(recipe(), None).as_posix() == "runs/tiny"
    assert default_folder(recipe(), 3).as_posix() == "runs/tiny/fold-3"


def test_a_run_writes_over_nothing_of_the_data_or_of_the_user(place):
    with pytest.raises(UsageError, match="is the folder of the data set itself"):
        run_training(config(place, out="camus"))
    (place / "mine").mkdir()
    (place / "mine" / "split.json").write_text("my split")
    with pytest.raises(UsageError, match=r"holds split\.json, which no run wrote"):
        run_training(config(place, out="mine"))
    assert (place / "mine" / "split.json").read_text() == "my split"
