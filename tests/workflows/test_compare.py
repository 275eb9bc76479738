"""Methods side by side: what cannot be compared is refused, what is compared is right."""

import json
import math
import re
from dataclasses import replace

import pytest

from cardiotrace.cli.main import main
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.table import table_to_json
from cardiotrace.metrics import Presence
from cardiotrace.workflows.compare import CompareConfig, compare_runs, page


def presence_of(values):
    if any(math.isnan(value) for value in values):
        return Presence.ABSENT
    return Presence.FALSE_NEGATIVE if math.inf in values else Presence.PRESENT


def table_of(folder, name, *, region="LV", **scores):
    """A table file of a case a patient; each score is a list of a value for each."""
    count = len(next(iter(scores.values())))
    by_case = [{score: values[number] for score, values in scores.items()} for number in range(count)]
    rows = [
        CaseRow(
            f"p{number}", f"p{number}", View.FOUR_CHAMBER, Phase.ED, 0, {}, region, presence_of(found.values()), found
        )
        for number, found in enumerate(by_case)
    ]
    rows = tuple(replace(row, diagonal_mm=100.0) for row in rows)
    path = folder / f"{name}.json"
    path.write_text(table_to_json(CaseTable(rows)))
    return path


def test_two_methods_by_hand(tmp_path):
    first = table_of(tmp_path, "first", dice=[0.9, 0.8, 0.7, 0.6, 0.5])
    second = table_of(tmp_path, "second", dice=[0.8, 0.68, 0.57, 0.45, 0.3])
    (found,) = compare_runs(CompareConfig((first, second))).comparisons
    assert (found.count, found.first_mean, found.second_mean) == (5, pytest.approx(0.7), pytest.approx(0.56))
    assert found.mean_difference == pytest.approx(0.14)
    # All of five pairs differ in one direction: 2 of the 2^5 signs are as extreme.
    assert found.p_value == pytest.approx(2 / 2**5)


@pytest.mark.parametrize(
    ("score", "value", "words"),
    [
        ("dice", 17.0, "a Dice of 17 cannot be, it is 0 to 1"),
        ("dice", -0.5, "a Dice of -0.5 cannot be, it is 0 to 1"),
        ("recall", 1.01, "a sensitivity of 1.01 cannot be, it is 0 to 1"),
        ("hausdorff_mm", -1.0, "a HD of -1 cannot be, it is at least 0"),
    ],
)
def test_scores_out_of_their_range_are_refused_in_one_line(tmp_path, capsys, score, value, words):
    good, bad = table_of(tmp_path, "good", **{score: [0.5, 0.6]}), table_of(tmp_path, "bad", **{score: [0.5, value]})
    with pytest.raises(InputError, match=re.escape(f"{bad}: p1, LV: {words}")):
        compare_runs(CompareConfig((good, bad)))
    assert main(["compare", str(good), str(bad), "--score", score]) == 3
    assert capsys.readouterr().err == f"cardiotrace: {bad}: p1, LV: {words}\n"


def test_scores_at_the_ends_of_their_range_are_none_too_many(tmp_path):
    """A perfect mask, a missed one, one that is absent, and shapes of few pixels rounder than a circle."""
    scores = {"dice": [1.0, 0.0, float("nan")], "hausdorff_mm": [0.0, float("inf"), float("nan")]}
    paths = [table_of(tmp_path, name, simplicity=[1.02, 0.9, 0.8], **scores) for name in ("a", "b")]
    done = compare_runs(CompareConfig(tuple(paths), scores=("dice", "hausdorff_mm")))
    assert [item.mean_difference for item in done.comparisons] == [0.0, 0.0]
    assert [item.penalised for item in done.comparisons] == [0, 1]
    assert done.comparisons[1].first_mean == pytest.approx(50)  # the diagonal stands for the infinite distance


def test_what_only_one_method_has_is_said(tmp_path):
    whole, part = table_of(tmp_path, "whole", dice=[0.9, 0.8, 0.7]), table_of(tmp_path, "part", dice=[0.9, 0.8])
    notes = compare_runs(CompareConfig((whole, part))).notes
    assert "left out, as part has no scores of them: 1 images of whole (p2)" in notes
    text = page(compare_runs(CompareConfig((whole, part))))
    assert text.startswith("# Comparison\n")
    assert "## Tests" in text


def test_runs_of_one_name_are_told_apart(tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    first, second = (table_of(tmp_path / folder, "testing", dice=[0.5, 0.6]) for folder in ("a", "b"))
    assert list(compare_runs(CompareConfig((first, second))).tables) == ["testing", str(second)]


def test_fewer_than_two_are_no_comparison(tmp_path):
    with pytest.raises(UsageError, match="at least two runs"):
        compare_runs(CompareConfig((table_of(tmp_path, "one", dice=[1.0]),)))
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no table of cases"):
        compare_runs(CompareConfig((tmp_path / "empty", tmp_path / "one.json")))
    (tmp_path / "other.json").write_text(json.dumps({"rows": "none"}))
    with pytest.raises(InputError, match="is no table of cases"):
        compare_runs(CompareConfig((tmp_path / "other.json", tmp_path / "one.json")))
