import dataclasses
import json
import shutil

import pytest

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.licence import Terms
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.datasets.split import read_split, write_split
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.table import read_case_table, table_to_json
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.run import InitialWeights
from cardiotrace.workflows import crossval as module
from cardiotrace.workflows import data_opener, training_report
from cardiotrace.workflows import train as training
from cardiotrace.workflows.configs import CrossvalConfig
from cardiotrace.workflows.crossval import FoldResult, crossval, plan_folds
from cardiotrace.workflows.data_opener import DataOpener
from tests.workflows.test_train import config, place

__all__ = ["place"]

EMPTY = CaseTable(())


@pytest.mark.slow
def test_every_patient_is_tested_once_by_a_network_that_never_saw_it(place, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    one = config(place, **{"training.epochs": 1})
    folds = three_folds(one, place)
    table = crossval(folds)
    tested = [read_split(RunFolder(place / "folds" / f"fold-{fold}").split).testing for fold in (1, 2, 3)]
    assert sorted(sum(tested, ())) == [f"patient{number:04d}" for number in range(1, 5)]
    assert {row.case for row in table.rows} == {
        f"patient{number:04d}_4CH_{phase}" for number in range(1, 5) for phase in ("ED", "ES")
    }
    groups = {row.case: row.groups["fold"] for row in table.rows}
    assert {groups[f"{patient}_4CH_ED"] for patient in tested[1]} == {"02"}
    together = json.loads((place / "folds" / "testing.json").read_text())

    monkeypatch.setattr(module, "train_planned", lambda *_: pytest.fail("trained again"))
    assert len(crossval(folds).rows) == len(table.rows)
    assert json.loads((place / "folds" / "testing.json").read_text()) == together
    with pytest.raises(UsageError, match=r"another recipe: training\.epochs"):
        crossval(dataclasses.replace(folds, overrides={**folds.overrides, "training.epochs": 2}))


@pytest.mark.slow
def test_folds_in_processes_are_those_of_one_process(place):
    one = three_folds(config(place, **{"training.epochs": 1}), place)
    two = dataclasses.replace(one, out=place / "other", jobs=2)
    said = []
    reporter = SilentReporter()
    reporter.say = said.append
    crossval(one)
    crossval(two, reporter)
    assert len(read_case_table(two.out / "testing.json").cases) == len(
        crossval(dataclasses.replace(one, only=(2,))).cases
    )
    alone, beside = ((config.out / "testing.json").read_text() for config in (one, two))
    assert alone == beside
    assert any(line.endswith("3 of 3 folds are finished") for line in said)
    for number in (1, 2, 3):  # what a fold tells in its own process comes, in order and under its name
        own = [line.removeprefix(f"fold {number}: ") for line in said if line.startswith(f"fold {number}: ")]
        assert own[0] == f"run folder: {two.out / f'fold-{number}'}"
        words = [line.split()[0] for line in own]
        epoch, model, score = (words.index(word) for word in ("epoch", "model:", "Dice"))
        assert epoch < model < score


def test_a_fold_returns_what_its_folder_keeps_and_data_are_opened_once(place, monkeypatch):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    opened, original = [], data_opener.pack
    monkeypatch.setattr(data_opener, "pack", lambda *words, **more: opened.append(1) or original(*words, **more))
    finished, finish = [], module.finish_fold

    def watched(fold, reporter, *, opener):
        finished.append((fold, finish(fold, reporter, opener=opener)))
        return finished[-1][1]

    monkeypatch.setattr(module, "finish_fold", watched)
    folds = three_folds(config(place, **{"training.epochs": 1}), place)
    table = crossval(dataclasses.replace(folds, only=(1, 2)))
    assert len(opened) == 1
    for fold, result in finished:
        kept = module.kept_result(fold)
        assert (kept.number, kept.model) == (result.number, result.model) == (fold.number, fold.run.folder.model)
        assert table_to_json(kept.testing) == table_to_json(result.testing)
        assert str(fold) == f"fold {fold.number}"
    assert len(table.rows) == sum(len(result.testing.rows) for _, result in finished)


def test_what_folds_tell_of_their_labels_stands_with_all_scores(tmp_path):
    tables = [CaseTable((), notes=("a: odd", f"b{number}: odd")) for number in (1, 2)]
    folds = [FoldResult(number, table, tmp_path / "model.onnx") for number, table in enumerate(tables, start=1)]
    assert module._together(folds, "x", "y").notes == ("a: odd", "b1: odd", "b2: odd")


def test_folders_are_refused_before_anything_is_trained(place, monkeypatch):
    folds = three_folds(config(place), place)
    (folds.out / "fold-3").mkdir(parents=True)
    (folds.out / "fold-3" / "best.safetensors").write_text("mine")
    monkeypatch.setattr(module, "train_planned", lambda *_: pytest.fail("trained"))
    with pytest.raises(UsageError, match=r"fold-3: holds best\.safetensors, which no run wrote"):
        crossval(folds)


def test_folds_start_from_folds_that_none_of_their_patients_has_taught(place, monkeypatch):
    folds = dataclasses.replace(three_folds(config(place), place), start_from=place / "earlier")
    asked = []

    def weights(folder):
        asked.append(folder.path)
        return InitialWeights(folder.best, "earlier (camus)", "0" * 64, Terms())

    monkeypatch.setattr(module, "finished_weights", weights)
    splits = [run.split for run in (fold.run for fold in plan(dataclasses.replace(folds, start_from=None)))]
    for number, split in enumerate(splits, start=1):
        (place / "earlier" / f"fold-{number}").mkdir(parents=True)
        write_split(split, RunFolder(place / "earlier" / f"fold-{number}").split)
    assert [fold.run.start.name for fold in plan(folds)] == ["earlier (camus)"] * 3
    assert asked == [place / "earlier" / f"fold-{number}" for number in (1, 2, 3)]

    # The folds of another order of the same patients.
    write_split(splits[0], RunFolder(place / "earlier" / "fold-2").split)
    with pytest.raises(InputError, match=r"these weights have learned from patient0\d+.*, to be tested here"):
        plan(folds)


def test_a_published_fold_with_nobody_to_test_is_left_out(place, monkeypatch):
    shutil.rmtree(place / "camus/database_nifti/patient0002")
    (place / "folds").mkdir()
    ran, said = [], []
    reporter = SilentReporter()
    reporter.say = said.append

    def fake_fold(fold, reporter, *, opener):
        ran.append(fold.number)
        return FoldResult(fold.number, EMPTY, fold.run.folder.model)

    monkeypatch.setattr(module, "finish_fold", fake_fold)
    all_folds = dataclasses.replace(three_folds(config(place), place), folds=10)
    crossval(all_folds, reporter)
    assert ran == [2, 3, 4, 6, 7, 8, 10]
    left_out = [line for line in said if "left out" in line]
    assert left_out == [f"fold {k} is left out: none of its testing patients is in the data" for k in (1, 5, 9)]
    with pytest.raises(UsageError, match="there is no fold 11: folds are 1 to 10"):
        crossval(dataclasses.replace(all_folds, only=(11,)), reporter)
    with pytest.raises(InputError, match="no fold has a testing patient"):
        crossval(dataclasses.replace(all_folds, only=(5,)), reporter)


def test_a_fold_whose_validation_patients_are_not_there_draws_some_from_training(place):
    shutil.rmtree(place / "camus/database_nifti/patient0002")
    said = []
    reporter = SilentReporter()
    reporter.say = said.append
    run = training.run_training(config(place, fold=4), reporter)
    split = read_split(run.folder.split)
    assert (run.split.training, run.split.drawn) == (split.training, split.validation)
    assert sorted(split.training + split.validation) == ["patient0003", "patient0004"]
    assert len(split.validation) == 1
    assert "nobody at hand validates in this split: 1 of its training patients do" in said


def test_no_job_is_refused(place):
    with pytest.raises(UsageError, match="--jobs"):
        crossval(dataclasses.replace(three_folds(config(place), place), jobs=0))


def plan(folds):
    return plan_folds(folds, DataOpener(folds.data, folds.cache)).folds


def three_folds(one, place):
    return CrossvalConfig(
        recipe=one.recipe,
        data=one.data,
        out=place / "folds",
        folds=3,
        overrides=one.overrides,
        cache=one.cache,
        accelerator="cpu",
    )
