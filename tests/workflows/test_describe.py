"""`data describe`: tables on the terminal, a figure and JSON in a folder."""

import json

from PIL import Image

from cardiotrace.cli.main import main
from tests.fake.mnms import write_mnms2


def test_tables_and_figure(tmp_path, capsys):
    write_mnms2(tmp_path, patients=(1, 161))
    out = tmp_path / "out"
    words = ["data", "describe", "mnms2", str(tmp_path), "--out", str(out)]
    assert main(words) == 0
    printed = capsys.readouterr().out
    assert "mnms2: 2 patients, 8 images, 8 labelled" in printed
    assert "vendor" in printed
    assert {path.name for path in out.glob("[!.]*")} == {"description.json", "description.png"}
    assert json.loads((out / "description.json").read_text())["patients"] == 2
    with Image.open(out / "description.png") as image:
        assert image.width > 1000
    assert main([*words, "--json"]) == 0  # its own figures are replaced
    assert json.loads(capsys.readouterr().out)["groups"][0] == {
        "pathology": "NOR", "patients": 2, "training": 1, "validation": 1, "vendor SIEMENS": 2, "field 1.5 T": 2,
        "Avanto": 2,
    }  # fmt: skip


def test_figures_of_somebody_else_are_kept(tmp_path, capsys):
    write_mnms2(tmp_path, patients=(1,))
    other = tmp_path / "out" / "description.json"
    other.parent.mkdir()
    other.write_text("mine")
    assert main(["data", "describe", "mnms2", str(tmp_path)]) == 0
    assert "mnms2: 1 patient, 4 images, 4 labelled" in capsys.readouterr().out
    assert main(["data", "describe", "mnms2", str(tmp_path), "--out", str(other.parent)]) == 2
    assert "is no known result: kept" in capsys.readouterr().err
    assert other.read_text() == "mine"
