import dataclasses
import json
import math

import pytest

from cardiotrace.cli import crossval as command
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.reporter import SilentReporter
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.table import table_to_json
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.metrics.overlap import Presence
from cardiotrace.workflows import crossval as folds
from cardiotrace.workflows import training_report
from cardiotrace.workflows.crossval import crossval
from cardiotrace.workflows.leave_one_out import DomainScore, domain_scores, drop_rows, leave_one_out
from tests.workflows.test_crossval import three_folds
from tests.workflows.test_train import config, place

__all__ = ["place"]


def table(*found):
    """Images as (patient, vendor, region, Dice)."""
    rows = [
        CaseRow(patient, patient, View.SAX, Phase.ED, 0, {"vendor": vendor}, region, Presence.PRESENT, {"dice": dice})
        for patient, vendor, region, dice in found
    ]
    return CaseTable(tuple(rows))


def test_the_drop_of_each_domain_by_hand():
    left_out = table(("a", "GE", "LV", 0.5), ("b", "GE", "LV", 0.7), ("c", "Siemens", "LV", 0.9))
    seen = table(("a", "GE", "LV", 0.8), ("b", "GE", "LV", 0.9), ("c", "Siemens", "LV", 0.88))
    scores = domain_scores("vendor", left_out, seen)
    assert [(score.domain, score.region, score.images) for score in scores] == [("GE", "LV", 2), ("Siemens", "LV", 1)]
    assert [round(score.drop, 6) for score in scores] == [0.25, -0.02]
    assert math.isnan(domain_scores("vendor", left_out)[0].folds)


@pytest.mark.slow
def test_each_domain_is_tested_by_a_network_that_never_saw_it(place, monkeypatch, capsys):
    monkeypatch.setattr(training_report, "draw_curves", lambda rows, path: None)
    said = []
    reporter = SilentReporter()
    reporter.say = said.append
    plan = three_folds(config(place, **{"training.epochs": 1}), place)
    result = leave_one_out(plan, "sex", reporter)
    below = place / "folds" / "leave-one-out-sex"
    for sex, testing in (("F", ("patient0001", "patient0003")), ("M", ("patient0002", "patient0004"))):
        split = read_split(RunFolder(below / sex).split)
        assert split.testing == testing
        assert not set(split.testing) & {*split.training, *split.validation}
        assert {row.patient for row in result.table.rows if row.groups["sex"] == sex} == set(testing)
    assert json.loads((below / "testing.json").read_text())["facts"]["reference"] == "camus, each sex left out in turn"
    assert "images" in drop_rows(result)[0]
    assert "drop" not in drop_rows(result)[0]
    assert any(line.startswith("no folds to compare with") for line in said)

    together = crossval(plan)
    monkeypatch.setattr(folds, "train_planned", lambda *_: pytest.fail("trained again"))
    again = leave_one_out(plan, "sex", reporter)
    assert table_to_json(again.table) == table_to_json(result.table)
    women = [row.scores["dice"] for row in together.rows if row.groups["sex"] == "F" and row.region == "LV"]
    first = next(score for score in again.scores if (score.domain, score.region) == ("F", "LV"))
    assert first.folds == pytest.approx(sum(women) / len(women))
    assert drop_rows(again)[0]["drop"] == f"{again.scores[0].drop:+.3f}"

    options = {field.name: getattr(plan, field.name) for field in dataclasses.fields(plan)}
    command.run(command.CrossvalOptions(**{**options, "leave_one_out": "sex"}))
    assert "each sex left out in turn" in capsys.readouterr().out


def test_folds_of_another_recipe_are_not_compared_with(place, monkeypatch):
    said = []
    reporter = SilentReporter()
    reporter.say = said.append
    plan = three_folds(config(place, **{"training.epochs": 1}), place)
    monkeypatch.setattr(folds, "train_planned", lambda *_: pytest.fail("trained"))
    monkeypatch.setattr(folds, "kept_result", lambda fold: folds.FoldResult(fold.number, _scored(fold), None))
    (place / "folds" / "leave-one-out-sex").mkdir(parents=True)
    for number in (1, 2):
        run = RunFolder(place / "folds" / f"fold-{number}")
        run.path.mkdir(parents=True)
        run.recipe.write_text(plan.recipe.read_text())  # of two epochs
        run.testing.write_text(table_to_json(table()))
    RunFolder(place / "folds").testing.write_text(table_to_json(table()))
    assert all(math.isnan(score.folds) for score in leave_one_out(plan, "sex", reporter).scores)
    assert any("are of another recipe, and are not compared with" in line for line in said)


def _scored(fold):
    left_out = fold.run.recipe.data.leave_out
    rows = table((f"patient-{left_out.value}", "GE", "LV", 0.5)).rows
    return CaseTable(tuple(dataclasses.replace(row, groups={"sex": left_out.value}) for row in rows))


def test_a_key_with_no_two_groups_is_refused(place):
    plan = three_folds(config(place), place)
    with pytest.raises(InputError, match="no patient has a group 'vendor'"):
        leave_one_out(plan, "vendor")
    with pytest.raises(UsageError, match="--only chooses folds"):
        dataclasses.replace(plan, only=(1,), leave_one_out="sex")


def test_scores_without_folds_have_no_drop():
    assert math.isnan(DomainScore("GE", "LV", 3, 0.8).drop)
