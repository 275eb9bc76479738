"""Tables fit the terminal: nothing is cut off, nothing is lost."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from cardiotrace.cli.layout import lay_out, wrapped
from cardiotrace.cli.main import main
from cardiotrace.cli.scores import print_scores
from cardiotrace.cli.terminal import table
from cardiotrace.core.label import VESSEL
from cardiotrace.core.terms import Phase
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.limits import preset
from cardiotrace.evaluation.quantity import PatientQuantity
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.evaluation.table import table_to_json
from tests.evaluation.cases import label_map, left_ventricle, make_case, square
from tests.fake.camus import write_camus

WORDS = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Zs", "Zl", "Zp", "Mn", "Me", "Cf")))


def lines_of(text: str) -> list[str]:
    return text.splitlines()


@given(
    st.lists(st.lists(WORDS, min_size=4, max_size=4), min_size=1, max_size=4),
    st.integers(20, 100),
    st.integers(1, 2),
)
def test_no_line_is_too_long_and_no_character_is_lost(cells: list[list[str]], width: int, keys: int) -> None:
    rows = [dict(zip(("first", "second", "a column of some length", "text"), row, strict=True)) for row in cells]
    blocks = lay_out(rows, width, keys=keys, below=("text",))
    lines = [line for block in blocks for line in (*block.head, *block.body)]
    assert all(cell_len(line) <= width for line in lines)
    printed = "".join(lines)
    for row in rows:
        for word in row.values():
            assert all(character in printed for character in word if not character.isspace())


def test_columns_that_do_not_fit_stand_below_with_their_keys() -> None:
    rows = [{"method": name, **{f"score {n}": "0.934 / 0.905" for n in range(6)}} for name in ("ours", "theirs")]
    one, two = lay_out(rows, 60)
    assert [len(block.head) for block in (one, two)] == [1, 1]
    assert re.split(r"  +", one.head[0]) == ["method", "score 0", "score 1", "score 2"]
    assert re.split(r"  +", two.head[0]) == ["method", "score 3", "score 4", "score 5"]
    assert two.body[1].startswith("ours ")
    assert len(lay_out(rows, 200)) == 1


def test_numbers_stand_right_and_empty_columns_are_left_out() -> None:
    (block,) = lay_out([{"x": "a", "n": "5", "none": ""}, {"x": "b", "n": "-12.5", "none": ""}], 40)
    assert block.head == ("x      n",)
    assert block.body == ("────────", "a      5", "b  -12.5")


def test_a_spread_and_an_interval_are_not_torn() -> None:
    assert wrapped("0.900 ± 0.141 [0.800, 1.000]", 16) == ["0.900 ± 0.141", "[0.800, 1.000]"]
    assert wrapped("a/very/long/path/to/a/file.nii.gz", 12) == ["a/very/long/", "path/to/a/", "file.nii.gz"]
    assert wrapped("x" * 10, 4) == ["xxxx", "xxxx", "xx"]


def test_the_width_is_that_of_the_terminal_or_80(monkeypatch, capsys) -> None:
    rows = [{"name": "n" * 30, "text": "word " * 40}]
    for columns, expected in ((None, 80), ("100", 100)):
        monkeypatch.delenv("COLUMNS", raising=False)
        if columns is not None:
            monkeypatch.setenv("COLUMNS", columns)
        table(rows, title="a title " * 20)
        longest = max(map(len, lines_of(capsys.readouterr().out)))
        assert expected - 8 < longest <= expected


@pytest.fixture
def narrow(monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def scored(shift: int, scheme=None) -> CaseTable:
    plane = square(10, 10, 10)
    held = {} if scheme is None else {"scheme": scheme}
    judged = [
        CasePrediction(
            make_case(f"a_long_name_of_a_patient_{n}_{phase}", plane, phase=phase, patient=f"p{n}", **held),
            label_map(square(10, 10 + shift, 10), *held.values()),
            label_map(plane, *held.values()),
        )
        for n in range(12)
        for phase in (Phase.ED, Phase.ES)
    ]
    right = [PatientQuantity(f"p{n}", "right_ventricular_end_diastolic_volume_ml", 1100.5 + n, 10.0) for n in range(12)]
    quantities = [item for n in range(12) for item in left_ventricle(f"p{n}", 50 + n, 50, 51, (1000.5, 1200.0))]
    rows = tuple(row for item in judged for row in score_case(item))
    return CaseTable(rows, (*quantities, *right), limits=preset("leclerc-2019"))


@pytest.mark.parametrize("scheme", [None, VESSEL])
def test_scores_fit(narrow, capsys, scheme) -> None:
    print_scores(scored(1, scheme), by="phase")
    out = capsys.readouterr().out
    assert max(map(len, lines_of(out))) <= 80
    assert "±" in out
    assert "[0.900, 0.900]" in out
    assert not re.search(r"[┃━┏┓╇┡│]|\bnan\b|e-\d\d", out)
    assert "RV EDV, ml" in out
    assert re.search(r"LV EF, %\s+labels\s+12\s+0\s+-\s+0\.000\s+\+5\.5", out)


def test_one_image_alone_has_no_spread(narrow, capsys) -> None:
    whole = scored(0)
    (case, *_) = whole.cases
    print_scores(whole.where(lambda row: row.case == case))
    out = capsys.readouterr().out
    assert "nan" not in out
    assert re.search(r"LV +ED +1\.000 ", out)
    assert "1.000 ±" not in out


def test_comparisons_fit_and_equal_methods_differ_by_nothing(narrow, capsys, tmp_path: Path) -> None:
    names = [tmp_path / f"a_very_long_name_of_a_method_and_its_settings_{n}.json" for n in range(3)]
    for path, shift in zip(names, (1, 1, 2), strict=True):
        path.write_text(table_to_json(scored(shift)), encoding="utf-8")
    assert main(["compare", *map(str, names), "--score", "all", "--published", "camus"]) == 0
    out = capsys.readouterr().out
    assert max(map(len, lines_of(out))) <= 80
    assert not re.search(r"[┃━┏┓╇┡│]|\bnan\b|e-\d\d|-0\.0+\b", out)
    assert "<0.001" in out


def test_show_lint_and_lists_fit(narrow, capsys, tmp_path: Path) -> None:
    write_camus(tmp_path, patients=2, views=("4CH",))
    patients = sorted(path.parent for path in tmp_path.rglob("*_ED.nii.gz"))
    main(["show", str(patients[0])])
    shown = capsys.readouterr().out
    assert "_4CH_ED" in shown
    broken = next(tmp_path.rglob("*_ED_gt.nii.gz"))
    broken.write_bytes(b"nothing")
    main(["data", "lint", "camus", str(tmp_path)])
    linted = capsys.readouterr().out
    assert "4 cases: 1 x error, 0 x warning, 1 x information" in linted
    main(["data", "list"])
    main(["models", "list"])
    listed = capsys.readouterr().out
    assert "cine-mri-unet1" in listed
    for out in (shown, linted, listed):
        assert max(map(len, lines_of(out))) <= 80
        assert not re.search(r"[┃━┏┓╇┡│]", out)
    main(["show", str(patients[0]), "--json"])
    assert json.loads(capsys.readouterr().out)[0]["images"][0]["height"] == 40
