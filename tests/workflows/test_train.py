import dataclasses
import signal
import subprocess
import sys

import numpy as np
import pytest
import tomli_w
from safetensors.torch import load_file

from cardiotrace.core.errors import ConfigError, InputError, UsageError
from cardiotrace.core.label import CAMUS
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.table import read_case_table
from cardiotrace.inference.spec import spec_from_plain, spec_to_plain
from cardiotrace.inference.zoo import load_model
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.run import best_of
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.report.card import model_card
from cardiotrace.workflows import data_opener, export, training_report
from cardiotrace.workflows.configs import TrainConfig
from cardiotrace.workflows.train import default_folder, run_training, train_model
from cardiotrace.workflows.training_report import EpochReport, curve_row, epoch_line, unlabelled_remarks
from tests.command import command_line, environment
from tests.fake.camus import write_camus
from tests.learning.training.tiny import RECIPE, packed, recipe
from tests.parallel.test_processes import children_of, command, wait_for

ROW = {
    "epoch": 2,
    "step": 4,
    "learning_rate": 0.01,
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
        accelerator="cpu",
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
    monkeypatch.setattr(data_opener, "pack", lambda *_, **__: pytest.fail("packed"))
    with pytest.raises(kind, match=message):
        run_training(config(place, **overrides))
    assert not (place / "run").exists()
    assert not (place / "cache").exists()


def test_curves_are_drawn_after_every_epoch(place, monkeypatch):
    seen = []
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: seen.append((len(rows), path.name)))
    folder = run_training(config(place)).folder
    assert seen == [(1, "curves.png"), (2, "curves.png")]
    assert len(TrainingLog(folder.journal).rows()) == 2

    monkeypatch.setattr(data_opener, "pack", lambda *_, **__: pytest.fail("packed"))
    with pytest.raises(UsageError, match="holds a run already"):
        run_training(config(place))


def test_a_run_that_goes_on_ends_as_one_that_was_never_stopped(place, monkeypatch):
    drawn = []
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: drawn.append([row["epoch"] for row in rows]))
    whole = run_training(config(place, out="whole")).folder
    reporter = Stopping(after=1)
    with pytest.raises(KeyboardInterrupt):
        run_training(config(place, out="broken"), reporter)
    drawn.clear()
    broken = run_training(config(place, out="broken", resume=True)).folder
    assert drawn[-1] == [1, 2], "the epochs before the stop are in the curves, each once"
    assert broken.best.read_bytes() == whole.best.read_bytes()
    assert broken.checkpoint.read_bytes() == whole.checkpoint.read_bytes()
    losses = [[row["loss"] for row in TrainingLog(folder.journal).rows()] for folder in (whole, broken)]
    assert losses[0] == losses[1]


class Stopping(SilentReporter):
    """Interrupts in the line about an epoch, when its checkpoint is written."""

    def __init__(self, after):
        self.after = after

    def say(self, text):
        if text.startswith(f"epoch   {self.after}/"):
            raise KeyboardInterrupt


def test_each_epoch_is_a_line_and_curves_of_all_so_far(tmp_path, monkeypatch):
    drawn, said = [], []
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: drawn.append([row["epoch"] for row in rows]))
    reporter = SilentReporter()
    reporter.say = said.append
    report = EpochReport(RunFolder(tmp_path), 4, reporter)
    rows = [{**ROW, "epoch": epoch} for epoch in (1, 2, 3)]
    report(rows[:2], True)
    report(rows, False)
    assert drawn == [[1, 2], [1, 2, 3]]
    assert [line.split("  ")[-1] for line in said] == ["best so far", "61 s (6.5 images/s)"]
    assert [line.split()[1] for line in said] == ["2/4", "3/4"]


def test_training_ends_in_a_sealed_and_scored_model_and_reads_nothing_again(place, monkeypatch):
    opened, original = [], data_opener.pack
    monkeypatch.setattr(data_opener, "pack", lambda *words, **more: opened.append(1) or original(*words, **more))
    monkeypatch.setattr(export, "read_run", lambda *_, **__: pytest.fail("read from disk what was in memory"))
    model = train_model(config(place, **{"training.epochs": 1}))
    assert len(opened) == 1
    assert model.path == model.run.folder.model
    # Numbers that JSON lacks come back as none.
    assert spec_to_plain(load_model(model.path).spec) == spec_to_plain(spec_from_plain(spec_to_plain(model.spec)))
    assert read_case_table(model.run.folder.validation).cases == model.validation.cases
    validating = {row.case.split("_")[0] for row in model.validation.rows}
    assert validating == set(model.run.split.validation)
    assert model.spec.scores["validation"]["regions"]["LV"]["all"]["dice"]["mean"] == pytest.approx(
        np.mean([row.scores["dice"] for row in model.validation.rows if row.region == "LV"]), abs=1e-6
    )


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_to_a_training_in_several_processes_reaches_all_of_them(place, number):
    one = config(place)
    words = ("train", one.recipe, "--data", one.data, "--out", one.out, "--cache", one.cache)
    more = ("--accelerator", "cpu", "--processes", 2, "--set", "training.epochs=5000")
    process = subprocess.Popen(
        command_line(*words, *more), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: list(one.out.glob("checkpoint.safetensors")), count=1)
    further = children_of(process.pid)
    assert len(further) == 1
    process.send_signal(number)
    _, said = process.communicate(timeout=60)
    wait_for(lambda: [pid for pid in further if command(pid)], count=0)
    if number == signal.SIGTERM:
        assert process.returncode == 128 + number
        assert said == "cardiotrace: interrupted; nothing is left half-written\n"
    assert load_file(RunFolder(one.out).checkpoint), "it can be resumed"


def test_structures_without_a_single_label_are_told_before_training():
    data = packed(4)
    split = Split(("patient0", "patient1"), ("patient2", "patient3"))
    assert unlabelled_remarks(data, split, CAMUS) == []
    labels = data.labels.copy()
    labels[:2][labels[:2] == 3] = 0
    labels[2:] = 0
    lines = unlabelled_remarks(dataclasses.replace(data, labels=labels), split, CAMUS)
    assert lines == [
        "warning: no label of the training part holds LA",
        "warning: no label of the validation part holds anything: look with `cardiotrace data lint`",
    ]


def test_curves_hold_loss_dice_and_rate(tmp_path):
    assert curve_row(ROW) == {
        "epoch": 2,
        "loss": 0.5,
        "LV Dice": 0.8,
        "MYO Dice": 0.7,
        "mean Dice": 0.75,
        "learning_rate": 0.01,
    }
    from cardiotrace.report.figure import _log_lines

    assert set(_log_lines([curve_row(ROW)], ("dice",))) == {"LV Dice", "MYO Dice", "mean Dice"}
    assert set(_log_lines([curve_row(ROW)], ("learning_rate",))) == {"learning_rate"}


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


def test_with_nobody_to_validate_all_others_are_learned_from_and_the_last_epoch_is_kept(place, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    said = []
    reporter = SilentReporter()
    reporter.say = said.append
    folds = {"data.split": "k-fold", "data.folds": 2, "data.validation_patients": 0, "training.keep": "last"}
    model = train_model(config(place, fold=1, **folds), reporter)
    split = model.run.split
    assert (len(split.training), split.validation, len(split.testing)) == (2, (), 2)
    assert (model.validation.rows, model.spec.scores) == ((), {})
    assert not model.run.folder.validation.exists()
    assert (model.spec.training.epochs, model.spec.calibration.lowest_confidence) == (2, None)
    assert model.spec.calibration.learned is not None  # what the training images are like needs nobody to validate
    assert "0 for validation" in model.spec.training.split
    assert "| Kept | epoch 2, the last, as the recipe says |" in model_card(model.spec)
    epochs = [line for line in said if line.startswith("epoch")]
    assert len(epochs) == 2
    assert not any("Dice" in line or "best" in line for line in epochs)
    model.run.folder.checkpoint.unlink()
    assert best_of(model.run.folder).epoch == 2


def test_a_part_of_those_who_are_not_tested_validates(place, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    folds = {"data.split": "k-fold", "data.folds": 2, "data.validation_patients": 1, "training.epochs": 1}
    run = run_training(config(place, fold=2, **folds))
    assert [len(part) for part in (run.split.training, run.split.validation, run.split.testing)] == [1, 1, 2]


def test_a_left_out_group_is_tested_on_and_never_learned_from(place, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    left_out = {"data.leave_out": {"key": "sex", "value": "M"}, "training.epochs": 1}
    run = run_training(config(place, **left_out))
    assert run.split.testing == ("patient0002", "patient0004")
    assert sorted(run.split.training + run.split.validation) == ["patient0001", "patient0003"]
    with pytest.raises(UsageError, match="there is no fold 2"):
        run_training(config(place, fold=2, out="other", **left_out))


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"data.validation_patients": 0}, r'leaves nobody to choose by: set training\.keep = "last"'),
        (
            {"data.validation_patients": 0, "training.keep": "last", "schedule": "plateau"},
            'choose a schedule but "plateau"',
        ),
        ({"data.validation_patients": -1}, "must not be negative"),
        ({"training.keep": "last", "training.patience": 2}, 'keep = "last" keeps none'),
        ({"data.leave_out": {"key": "sex"}}, r"missing key 'data\.leave_out\.value'"),
    ],
)
def test_what_cannot_be_chosen_by_is_refused(place, overrides, message):
    with pytest.raises(ConfigError, match=message):
        run_training(config(place, **overrides))
