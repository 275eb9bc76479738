"""Cine-MRI scored as its papers print it: volumes and slices, ED and ES, pictures of typical cases."""

import csv
import json

import pytest
from PIL import Image

from cardiotrace.cli.main import main
from cardiotrace.workflows import evaluate as module
from tests.fake.acdc import write_acdc
from tests.fake.heart import short_axis, write_nifti
from tests.fake.mnms import write_mnms2
from tests.fake.sunnybrook import write_sunnybrook


@pytest.fixture(scope="module")
def acdc(tmp_path_factory):
    root = tmp_path_factory.mktemp("acdc")
    write_acdc(root, training=2)
    return root


def evaluate(root, dataset, *words: object) -> int:
    return main(["evaluate", str(root), str(root), "--dataset", dataset, *map(str, words)])


def test_csv_of_cases_and_of_slices(acdc, tmp_path):
    assert evaluate(acdc, "acdc", "--out", tmp_path / "x.csv") == 0
    cases, slices = (
        list(csv.DictReader((tmp_path / name).read_text().splitlines())) for name in ("x.csv", "x_slices.csv")
    )
    assert len(cases) == 2 * 2 * 3
    assert "slice" not in cases[0]
    assert len(slices) == 2 * 2 * 3 * 4
    assert [(row["slice"], row["third"]) for row in slices if row["region"] == "LV"][:4] == [
        ("0", "basal"), ("1", "mid"), ("2", "mid"), ("3", "apical"),
    ]  # fmt: skip
    assert {float(row["dice"]) for row in slices} == {1.0}


@pytest.mark.parametrize("name", ["x_slices.csv", "x_observer_slices.csv"])
def test_a_table_of_somebody_else_is_kept(acdc, tmp_path, capsys, name):
    (tmp_path / name).write_text("mine")
    assert evaluate(acdc, "acdc", "--out", tmp_path / "x.csv") == 2
    assert name in capsys.readouterr().err
    assert not (tmp_path / "x.csv").exists()


def test_phases_across_of_short_and_long_axis(tmp_path, capsys):
    write_mnms2(tmp_path, patients=(1,))
    for video in tmp_path.rglob("*_CINE.nii.gz"):
        video.unlink()
    words = ("--layout", "phases", "--score", "jaccard", "hausdorff95_mm", "--json")
    assert evaluate(tmp_path, "mnms2", *words) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [(row["axis"], row["of"]) for row in rows if row["region"] == "RV"] == [
        ("SA", "volume"), ("SA", "slices"), ("SA", "basal"), ("SA", "mid"), ("SA", "apical"), ("LA", "plane"),
    ]  # fmt: skip
    assert rows[0]["both_jaccard"] == 1.0
    assert rows[0]["ED_hausdorff95_mm"] == 0.0
    assert evaluate(tmp_path, "mnms2", "--layout", "phases") == 0
    head = capsys.readouterr().out.split("─")[0]
    assert [word for word in ("ED", "ES", "both", "Dice", "HD") if word not in head] == []


def test_images_of_no_instant_are_refused_before_they_are_scored(tmp_path, capsys, monkeypatch):
    write_sunnybrook(tmp_path / "data")
    write_nifti(tmp_path / "labels" / "case01.nii.gz", short_axis(), (8.0, 1.4, 1.4))
    monkeypatch.setattr(module, "evaluate_labels", lambda *_, **__: pytest.fail("scored"))
    words = ["evaluate", str(tmp_path / "labels"), str(tmp_path / "data"), "--dataset", "sunnybrook"]
    assert main([*words, "--layout", "phases"]) == 3
    assert "no frame is known to be ED or ES\ntake --layout groups" in capsys.readouterr().err


def test_slices_and_other_scores_are_printed(acdc, capsys):
    assert evaluate(acdc, "acdc", "--score", "precision") == 0
    printed = capsys.readouterr().out
    assert "slices of the stacks" in printed
    assert "precision" in printed
    assert "Dice" not in printed
    assert evaluate(acdc, "acdc", "--score", "f2") == 3
    assert "there is no score 'f2'\nchoose from: dice, " in capsys.readouterr().err


def test_labels_that_are_no_heart_are_counted_beside_the_scores(acdc, tmp_path, capsys):
    assert evaluate(acdc, "acdc", "--validity", "--out", tmp_path / "x.json") == 0
    printed = capsys.readouterr().out
    assert "labels that are no heart's" in printed
    assert "16 (" in printed.partition("labels that are no heart's")[2]
    rates = json.loads((tmp_path / "x.json").read_text())["validity_rates"]
    totals = {row["total"] for row in rates if row["of"] == "slices"}
    assert totals == {2 * 2 * 4}
    assert evaluate(acdc, "acdc", "--validity", "--json") == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(row["predicted_failed"] == row["reference_failed"] for row in rows)
    assert evaluate(acdc, "acdc", "--json") == 0
    assert "predicted_failed" not in json.loads(capsys.readouterr().out)[0]


def test_typical_cases_are_drawn(acdc, tmp_path):
    assert evaluate(acdc, "acdc", "--figures", tmp_path / "figures") == 0
    page = (tmp_path / "figures" / "index.md").read_text()
    names = sorted(path.name for path in (tmp_path / "figures").glob("*.png"))
    assert len(names) == 4  # of two cases the worse one and the best, at ED and at ES
    assert all(f"]({name})" in page for name in names)
    assert page.count("## worst") == page.count("## best") == 2
    with Image.open(tmp_path / "figures" / names[0]) as image:
        assert image.height > 500  # predicted above reference
