"""Everything through the real command line, on a tiny data set: train, use, measure, compare, export."""

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import SimpleITK
from PIL import Image

from cardiotrace.cli.main import main
from cardiotrace.evaluation.table import read_case_table
from tests.command import cardiotrace
from tests.fake.camus import write_camus
from tests.fake.models import write_camus_model

RECIPE = Path(__file__).parents[2] / "recipes/camus-unet1.toml"
SMALL = (
    'architecture={name="unet",levels=2,width=6}',
    'preprocessing=[{name="resize",height=64,width=64},{name="z-score"}]',
    "data.split=k-fold",
    "data.folds=4",
    "training.batch_size=2",
    "training.ema_decay=0.0",
    "optimiser.learning_rate=0.01",
)


@dataclass(frozen=True)
class Place:
    """The folder of one chain."""

    folder: Path

    @property
    def camus(self) -> Path:
        return self.folder / "camus"

    @property
    def run(self) -> Path:
        return self.folder / "run"

    @property
    def patient(self) -> Path:
        return self.camus / "database_nifti" / "patient0001"

    def train(self, out: Path, *words: object, epochs: int = 2):
        data = ("--data", self.camus, "--out", out, "--cache", self.folder / "cache", "--accelerator", "cpu")
        return cardiotrace("train", RECIPE, *data, *words, "--set", *SMALL, f"training.epochs={epochs}")


@pytest.fixture(scope="session")
def place(tmp_path_factory) -> Place:
    """A trained run of two epochs on eight fake patients."""
    place = Place(tmp_path_factory.mktemp("chain"))
    write_camus(place.camus, patients=8, views=("4CH",), frames=4)
    done = place.train(place.run)
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="session")
def model(tmp_path_factory) -> Path:
    """A model that labels by grey values: better than two epochs of training."""
    return write_camus_model(tmp_path_factory.mktemp("models") / "tiny.onnx")


@pytest.fixture
def command(capsys):
    """Run a verb that must succeed; gives what it printed."""

    def run(*words: object) -> str:
        status = main([str(word) for word in words])
        out, error = capsys.readouterr()
        assert status == 0, error
        return out

    return run


def headline(text: str) -> list[str]:
    """Rows of scores in the printed tables, their words alone."""
    rows = [" ".join(line.split()) for line in text.splitlines() if re.match(r"(LV|LV_EPI|LA) .*\d\.\d{3}", line)]
    assert len(rows) >= 9  # three regions, over all and in two phases
    return rows


def test_a_run_folder_holds_all_that_made_it(place):
    names = {path.name for path in place.run.iterdir()}
    assert {"recipe.toml", "environment.json", "split.json", "journal.jsonl", "model.onnx", "validation.json"} <= names
    assert not [name for name in names if name.startswith(".")]
    assert len((place.run / "journal.jsonl").read_text().splitlines()) == 2
    split = json.loads((place.run / "split.json").read_text())
    assert [len(split[part]) for part in ("training", "validation", "testing")] == [4, 2, 2]
    with Image.open(place.run / "curves.png") as curves:
        assert curves.width > 300


def test_a_run_is_refused_continued_and_exported_again(place, tmp_path):
    again = place.train(place.run)
    assert again.returncode == 2
    assert "holds a run already" in again.stderr
    first = (place.run / "journal.jsonl").read_text()
    resumed = place.train(place.run, "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert (place.run / "journal.jsonl").read_text() == first  # nothing was left to train
    out = tmp_path / "again.onnx"
    data = ("--data", place.camus, "--cache", place.folder / "cache")
    exported = cardiotrace("export", place.run, "--out", out, *data)
    assert exported.returncode == 0, exported.stderr
    assert headline(exported.stdout) == headline(resumed.stdout)
    assert out.read_bytes() == (place.run / "model.onnx").read_bytes()


def test_a_model_scores_on_its_validation_part_as_it_did_in_training(place, command, tmp_path):
    split = json.loads((place.run / "split.json").read_text())
    table = tmp_path / "table.json"
    command(
        "evaluate",
        place.run / "model.onnx",
        place.camus,
        "--dataset",
        "camus",
        "--option",
        'views=["4CH"]',
        "--out",
        table,
    )
    trained, used = read_case_table(place.run / "validation.json"), read_case_table(table)
    assert {row.patient for row in trained.rows} == set(split["validation"])
    scores = {(row.case, row.region): row.scores for row in used.rows}
    assert len(trained.rows) == 2 * 2 * len({row.region for row in trained.rows})
    for row in trained.rows:
        assert row.scores == pytest.approx(scores[row.case, row.region], nan_ok=True)


def test_labels_of_a_model_score_as_the_model_does(place, model, command, tmp_path):
    """The same three ways: the model, its label maps against the data set, and against a folder of references."""
    out = tmp_path / "labels"
    for patient in sorted((place.camus / "database_nifti").iterdir()):
        command("segment", patient, "--model", model, "--out", out)
    on_data = (place.camus, "--dataset", "camus", "--option", 'views=["4CH"]')
    by_model = command("evaluate", model, *on_data)
    assert headline(command("evaluate", out, *on_data)) == headline(by_model)
    references = command("evaluate", out, place.camus / "database_nifti", "--scheme", "camus", "--json")
    expected = json.loads(command("evaluate", out, *on_data, "--json"))
    scores = {(row["case"], row["frame"], row["region"]): row["dice"] for row in json.loads(references)}
    assert len(expected) == 8 * 2 * 3  # patients, phases, regions
    assert all(scores[row["case"], row["frame"], row["region"]] == row["dice"] for row in expected)
    assert np.mean([row["dice"] for row in expected if row["region"] == "LV"]) > 0.95


def test_runs_are_compared_by_patient(place, model, command, tmp_path):
    table = tmp_path / "thresholds.json"
    on_data = (place.camus, "--dataset", "camus", "--option", 'views=["4CH"]')
    command("evaluate", model, *on_data, "--out", table)
    rows = json.loads(command("compare", place.run, table, "--json"))
    assert {(row["first"], row["second"], row["count"]) for row in rows} == {("run", "thresholds", 2)}
    lv = next(row for row in rows if row["region"] == "LV")
    assert lv["second_mean"] > 0.95
    assert lv["mean_difference"] == pytest.approx(lv["first_mean"] - lv["second_mean"])
    assert "thresholds" in command("compare", place.run, table, "--score", "hausdorff_mm")


def test_label_maps_lie_on_the_grid_of_their_image(place, model, command, tmp_path):
    (done,) = json.loads(command("segment", place.patient, "--model", model, "--out", tmp_path, "--json"))
    folder, files = Path(done["folder"]), done["files"]
    assert len(files) == 3
    for name in files:
        image = SimpleITK.ReadImage(str(place.patient / name.replace("_labels", "")))
        labels = SimpleITK.ReadImage(str(folder / name))
        for fact in ("GetSize", "GetSpacing", "GetOrigin", "GetDirection"):
            assert getattr(labels, fact)() == getattr(image, fact)()
        assert set(np.unique(SimpleITK.GetArrayFromImage(labels))) == {0, 1, 2, 3}
    command("segment", place.patient, "--model", model, "--out", tmp_path / "lv", "--scheme", "lv")
    only = SimpleITK.ReadImage(str(tmp_path / "lv" / "patient0001" / files[0]))
    assert set(np.unique(SimpleITK.GetArrayFromImage(only))) == {0, 1}


def test_an_analysis_agrees_with_itself(place, model, command, tmp_path):
    (plain,) = json.loads(command("analyse", place.patient, "--model", model, "--out", tmp_path, "--json"))
    folder = tmp_path / "patient0001"
    assert (plain.pop("status"), plain.pop("report")) == ("done", str(folder / "report.html"))
    assert json.loads((folder / "measures.json").read_text()) == plain
    rows = list(csv.DictReader((folder / "measures.csv").read_text().splitlines()))
    assert [row["name"] for row in rows] == [quantity["name"] for quantity in plain["quantities"]]
    for row, quantity in zip(rows, plain["quantities"], strict=True):
        assert float(row["value"]) == pytest.approx(quantity["value"], rel=1e-4)
        assert row["unit"] == quantity["unit"]
    ejection_fraction = plain["quantities"][0]
    assert ejection_fraction["name"] == "left_ventricular_ejection_fraction"
    # Drawn at 1 and 0.75 of the size: 1 - 0.75^3 = 57.8 %. A cavity 17 pixels long and 15 wide, found by grey values
    # in speckle, is a part of a pixel larger or smaller in each direction, which are 3 points.
    assert ejection_fraction["value"] == pytest.approx(100 * (1 - 0.75**3), abs=3)
    page = (folder / "report.html").read_text()
    assert re.findall(r"https?://|<script|<link|url\(|@import", page) == []
    assert f"{ejection_fraction['value']:.0f}<small>" in page


def test_every_frame_of_a_sequence_is_drawn(place, model, command, tmp_path):
    command("analyse", place.patient, "--model", model, "--out", tmp_path, "--frame-images")
    frames = sorted((tmp_path / "patient0001" / "figures" / "frames").iterdir())
    assert [path.name for path in frames] == [f"patient0001_4CH_half_sequence_{frame:03d}.png" for frame in range(4)]
    drawn = set()
    for path in [*frames, *(tmp_path / "patient0001" / "figures").glob("*.png")]:
        with Image.open(path) as image:
            image.load()
            assert image.mode == "RGB" or image.mode == "RGBA"
            assert min(image.size) >= 300
            drawn.add(hash(image.tobytes()))
    assert len(drawn) >= len(frames) + 2


def test_given_labels_are_measured_as_the_models_own(place, model, command, tmp_path):
    (analysed,) = json.loads(command("analyse", place.patient, "--model", model, "--out", tmp_path / "a", "--json"))
    words = ("measure", place.patient, "--labels", tmp_path / "a", "--out", tmp_path / "m", "--json")
    (measured,) = json.loads(command(*words))
    # Only of labels that a model made can it be said how unsure the model was.
    own, given = ([{**item, "flags": []} for item in found["quantities"]] for found in (analysed, measured))
    assert given == own
    (traced,) = json.loads(command(*words[:2], "--labels", place.patient, "--out", tmp_path / "t", "--json"))
    assert traced["quantities"][0]["value"] == pytest.approx(measured["quantities"][0]["value"], abs=5)
    assert (tmp_path / "t" / "patient0001" / "report.html").exists()


def test_what_is_in_an_exam(place, command):
    (shown,) = json.loads(command("show", place.patient, "--json"))
    assert shown["name"] == "patient0001"
    assert [(image["view"], image["frames"], image["height"], image["width"]) for image in shown["images"]] == [
        ("A4C", 1, 40, 48),
        ("A4C", 1, 40, 48),
        ("A4C", 4, 40, 48),
    ]
    assert shown["facts"]["frame_rate_hz"] == 50.0
    assert "0.308 x 0.308" in command("show", place.patient)


def test_data_verbs(place, command, tmp_path):
    assert "camus" in [row["data set"] for row in json.loads(command("data", "list", "--json"))]
    assert "0 x error" in command("data", "lint", "camus", place.camus, "--option", 'views=["4CH"]')
    command("data", "split", "camus", place.camus, "--folds", "4", "--out", tmp_path / "splits")
    folds = [json.loads(path.read_text()) for path in sorted((tmp_path / "splits").iterdir())]
    tested = [name for fold in folds for name in fold["testing"]]
    assert sorted(tested) == [f"patient{number:04d}" for number in range(1, 9)]
    for _ in range(2):  # made, then found
        packed = command("data", "pack", "camus", place.camus, "--height", 32, "--width", 32, "--cache", tmp_path / "c")
        assert "16 planes" in packed


def test_models_verbs(place, model, command, monkeypatch):
    monkeypatch.setenv("CARDIOTRACE_MODELS", str(model.parent))
    assert "tiny" in [row["model"] for row in json.loads(command("models", "list", "--json"))]
    spec = json.loads(command("models", "show", place.run / "model.onnx", "--json"))
    assert spec["scheme"]["values"] == {"LV": 1, "MYO": 2, "LA": 3}
    scores = [json.loads(row)["score"] for row in (place.run / "journal.jsonl").read_text().splitlines()]
    assert spec["training"]["epochs"] == 1 + scores.index(max(scores))  # those that the kept weights have seen
    assert set(spec["scores"]["validation"]["regions"]) >= {"LV", "LV_EPI", "LA"}
    assert set(spec["calibration"]["shape_limits"]) == {"LV", "LV_EPI", "LA"}
    assert spec["scores"]["validation"]["outliers"][-1]["images"] == 4  # two patients, ED and ES
    assert "sound" in command("models", "verify", place.run / "model.onnx", "tiny")


def test_demo_of_a_phantom(model, command, tmp_path):
    out = command("demo", "--model", model, "--ejection-fraction-percent", "58", "--out", tmp_path)
    (line,) = [line for line in out.splitlines() if line.split()[:2] == ["ejection", "fraction"]]
    assert line.split()[2] == "58.0"
    (folder,) = tmp_path.iterdir()
    assert {path.name for path in folder.iterdir()} >= {"report.html", "measures.json", "figures"}
    assert "true 58" in (folder / "report.html").read_text()
