"""Scoring with plots, a gallery, groups and limits, for a model, a folder of labels and photographs."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cardiotrace.cli.main import main
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.label import VESSEL
from cardiotrace.core.terms import View
from cardiotrace.evaluation.table import TABLE_BEGINS, outlier_rows, read_case_table
from cardiotrace.inference.model_file import seal
from cardiotrace.workflows.compare import CompareConfig, compare_runs
from cardiotrace.workflows.evaluate import EvaluateConfig, evaluate
from tests.fake.acdc import write_acdc
from tests.fake.camus import write_camus
from tests.fake.chase import write_chase
from tests.fake.heart import write_nifti
from tests.fake.models import make_spec, pointwise_network, write_camus_model
from tests.fake.ted import FRAMES, write_ted


@pytest.fixture(scope="module")
def camus(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("camus")
    write_camus(root, patients=6, views=("4CH",))
    return root


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    limits = {"LV": {"simplicity": 0.1, "convexity": 0.999}}
    return write_camus_model(tmp_path_factory.mktemp("models") / "tiny.onnx", shape_limits=limits)


def config(model, camus, **changes):
    options = {"dataset": "camus", "options": {"views": ["4CH"]}, **changes}
    return EvaluateConfig(predicted=str(model), reference=camus, **options)


@pytest.mark.slow
def test_plots_and_gallery_of_a_model(camus, model, tmp_path):
    places = {"plots": tmp_path / "deep" / "plots", "gallery": tmp_path / "gallery"}
    table = evaluate(config(model, camus, by="quality", worst=2, out=tmp_path / "x.json", **places)).table
    names = {path.name for path in places["plots"].glob("[!.]*")}
    of_ventricle = ("ejection-fraction", "end-diastolic-volume", "end-systolic-volume")
    traced = (*(f"left-ventricular-{name}" for name in of_ventricle), "left-atrial-volume")
    agreements = {"left-ventricular-ejection-fraction", *(f"{name}-traced" for name in traced)}
    assert names == {f"{name}.png" for name in agreements | {"dice", "hausdorff", "mean-absolute"}}
    page = (places["gallery"] / "index.md").read_text()
    images = re.findall(r"\]\((\S+\.png)\)", page)
    assert len(images) == 2
    assert {path.name for path in places["gallery"].glob("[!.]*")} == {"index.md", *images}
    dice = [float(value) for value in re.findall(r"mean Dice ([\d.]+)", page)]
    assert dice == sorted(dice)
    for name in images:
        with Image.open(places["gallery"] / name) as image:
            assert image.width > 1000
    volumes = {(item.patient, item.key): item.predicted for item in table.quantities}
    patients = {patient for patient, _ in volumes}
    assert len(patients) == 6
    for patient in patients:
        assert (
            0
            < volumes[patient, "left_ventricular_end_systolic_volume_ml"]
            < volumes[patient, "left_ventricular_end_diastolic_volume_ml"]
        )
    assert read_case_table(tmp_path / "x.json").limits == table.limits


def test_films_have_a_table_and_a_file_of_their_own(tmp_path, capsys):
    write_ted(tmp_path / "ted", patients=2)
    predicted = tmp_path / "predicted"
    predicted.mkdir()
    for header in (tmp_path / "ted").rglob("*_gt.mhd"):
        for file in (header, header.with_suffix(".raw")):
            (predicted / file.name).write_bytes(file.read_bytes())
    words = ["evaluate", str(predicted), str(tmp_path / "ted"), "--dataset", "ted", "--out", str(tmp_path / "a.csv")]
    assert main(words) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "films: Dice over all frames" in printed
    assert "LV" in printed
    lines = (tmp_path / "a_beats.csv").read_text().splitlines()
    assert lines[0].startswith("case,patient,view,region,frames,dice,worst_dice")
    assert lines[1].startswith(f"patient001_4CH_sequence,patient001,4CH,LV,{FRAMES},1.0,1.0,")
    assert len(lines) == 1 + 2 * 2
    assert lines[0].startswith(TABLE_BEGINS)  # so that a second run replaces it
    (tmp_path / "a_beats.csv").write_text("mine")
    assert main(words) != 0


def test_limits_of_the_model_are_used_and_others_if_asked_for(camus, model):
    table = evaluate(config(model, camus)).table
    assert table.limits.name == "leclerc-2019, references of tiny"
    assert outlier_rows(table)[-1]["anatomical"] == 12  # nothing is as convex as this model's limits ask for
    fitted = evaluate(config(model, camus, limits=("leclerc-2019", "fit"), split="k-fold", folds=3)).table
    assert set(fitted.limits.shapes) == {"LV", "LV_EPI", "LA"}
    assert fitted.limits.shapes["LV"].convexity < 0.999
    with pytest.raises(InputError, match=r"no outlier limits 'x'\nchoose from: leclerc-2019, .*fit, or name a model"):
        evaluate(config(model, camus, limits=("x",)))


def test_labels_have_a_gallery_too_and_groups_can_be_left_out(camus, tmp_path):
    for path in camus.rglob("*_gt.nii.gz"):
        (tmp_path / "labels" / path.name).parent.mkdir(exist_ok=True)
        (tmp_path / "labels" / path.name).write_bytes(path.read_bytes())
    gallery = tmp_path / "gallery"
    table = evaluate(config(tmp_path / "labels", camus, only={"quality": ("good",)}, gallery=gallery, worst=1)).table
    assert {row.groups["quality"] for row in table.rows} == {"Good"}
    assert len(list(gallery.glob("*.png"))) == 1
    assert "mean Dice 1.000" in (gallery / "index.md").read_text()
    two_folders = EvaluateConfig(
        str(tmp_path / "labels"), tmp_path / "labels", scheme="camus", gallery=gallery, worst=1
    )
    assert len(evaluate(two_folders).table.cases) == 12


def test_photographs_have_plots_and_a_gallery(tmp_path):
    write_chase(tmp_path / "chase", subjects=(1, 2))
    spec = make_spec(VESSEL, views=(View.FUNDUS,), channels=3)
    path = tmp_path / "eye.onnx"

    path.write_bytes(
        seal(pointwise_network(np.array([[0, 0, 0], [-9, 0, 0]], np.float32), np.array([0, 4], np.float32)), spec)
    )
    done = evaluate(
        EvaluateConfig(
            str(path), tmp_path / "chase", dataset="chase", plots=tmp_path / "p", gallery=tmp_path / "g", worst=1
        )
    )
    assert {"dice.png", "cldice.png", "roc-auc.png"} <= {item.name for item in (tmp_path / "p").iterdir()}
    assert len(list((tmp_path / "g").glob("01_*.png"))) == 1
    assert outlier_rows(done.table) == []


def test_a_gallery_of_nothing_is_refused(camus, model, tmp_path):
    with pytest.raises(UsageError, match="the worst 0 cases"):
        evaluate(config(model, camus, gallery=tmp_path / "g", worst=0))
    assert not (tmp_path / "g").exists()


def test_one_run_beside_published_scores_and_two_with_all_scores(camus, model, tmp_path):
    evaluate(config(model, camus, out=tmp_path / "ours.json"))
    evaluate(config(model, camus, out=tmp_path / "same.json", test_time_augmentation=True))
    page = tmp_path / "page.md"
    only = {"quality": ("good", "medium")}
    one = compare_runs(CompareConfig((tmp_path / "ours.json",), published="camus", only=only, out=page))
    assert one.comparisons == ()
    text = page.read_text()
    assert "- ours: 4 patients, 8 images; view 4CH 8; quality Good 4, Medium 4" in text
    assert "| U-Net 1 | 0.934 / 0.905 |" in text
    assert "- Leclerc 2019: Leclerc S, et al." in text
    assert one.limits.shapes["LV"].convexity == 0.999
    two = compare_runs(CompareConfig((tmp_path / "ours.json", tmp_path / "same.json"), scores=("all",)))
    assert {item.score for item in two.comparisons} >= {"dice", "hausdorff_mm", "mean_absolute_mm", "simplicity"}
    assert {row["method"] for row in two.outliers} == {"ours", "same"}
    with pytest.raises(UsageError, match="at least two runs"):
        compare_runs(CompareConfig((tmp_path / "ours.json",)))


def test_what_only_one_of_two_methods_was_scored_on_is_told(camus, model, tmp_path):
    evaluate(config(model, camus, out=tmp_path / "all.json"))
    evaluate(config(model, camus, out=tmp_path / "good.json", only={"quality": ("Good",)}))
    notes = compare_runs(CompareConfig((tmp_path / "all.json", tmp_path / "good.json"))).notes
    assert any(
        note.startswith("left out, as good has no scores of them: 8 images of all (patient0002_4CH_ED, ")
        for note in notes
    )
    before = (tmp_path / "all.json").read_bytes()
    with pytest.raises(UsageError, match="is there already, and is no comparison"):
        compare_runs(CompareConfig((tmp_path / "all.json", tmp_path / "good.json"), out=tmp_path / "all.json"))
    assert (tmp_path / "all.json").read_bytes() == before


def test_structures_that_a_model_does_not_know_are_told(model, tmp_path):
    write_acdc(tmp_path / "acdc", training=1)
    table = evaluate(EvaluateConfig(str(model), tmp_path / "acdc", dataset="acdc")).table
    assert "RV" not in table.regions
    assert any("not scored: RV, which the predictions do not tell of" in note for note in table.notes)


def test_figures_of_somebody_else_stay(camus, model, tmp_path):
    plots, gallery = tmp_path / "plots", tmp_path / "gallery"
    for folder, name in ((plots, "dice.png"), (gallery, "index.md")):
        folder.mkdir()
        (folder / name).write_text("mine")
    with pytest.raises(UsageError, match=r"index\.md: is no known result: kept\nchoose another --gallery\."):
        evaluate(config(model, camus, gallery=gallery))
    with pytest.raises(UsageError, match=r"dice\.png: is no known result: kept\nchoose another --plots\."):
        evaluate(config(model, camus, plots=plots))
    assert [path.name for path in plots.glob("[!.]*")] == ["dice.png"]


def sequence(folder: Path, name: str, planes: int, *, shift: int = 0) -> Path:
    """Label file of a square that grows plane by plane, three axes without a word on the third."""
    array = np.zeros((planes, 24, 24), np.uint8)
    for place, plane in enumerate(array):
        plane[6 : 12 + place % 2, 6 + shift : 14 + shift] = 1
    write_nifti(folder / f"{name}.nii.gz", array, (1.0, 1.0, 1.0))
    return folder


def test_the_third_axis_of_two_folders_can_be_said(tmp_path):
    """A stack is one volume and one row; a sequence is a row for each instant."""
    reference = sequence(tmp_path / "reference", "p1", 4)
    predicted = sequence(tmp_path / "predicted", "p1_labels", 4, shift=2)
    options = {"scheme": "lv", "only": {}}
    rows = {
        axis: evaluate(EvaluateConfig(str(predicted), reference, third_axis=axis, **options)).table.rows
        for axis in ("time", "depth")
    }
    assert [(row.frame, row.region) for row in rows["time"]] == [(frame, "LV") for frame in range(4)]
    assert [row.frame for row in rows["depth"]] == [0]
    # Squares 8 wide, 2 apart: 6 of 8 columns are common to both.
    assert [row.score("dice") for row in (*rows["time"], *rows["depth"])] == pytest.approx([0.75] * 5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"third_axis": "time"}, "--third-axis is for two folders of label maps\na data set of files takes --option"),
        ({"spacing_mm": (None, 1.0, 1.0)}, "--spacing-mm is for two folders"),
        ({"scheme": "acdc"}, "--scheme is for two folders of label maps\na data set has a scheme of its own."),
        ({"fold": 2}, "--fold has no effect with --part all"),
        ({"fold_seed": 0, "part": "testing"}, "--fold-seed is for folds that are made here"),
        ({"folds": 4, "part": "testing"}, "--folds is for folds that are made here\ngive --split k-fold with it."),
        ({"dataset": None, "options": {}, "split": "k-fold"}, "--split is for data sets"),
        ({"worst": 0}, "the worst 0 cases cannot be shown"),
        ({"by": "quality", "layout": "phases"}, "--by has no effect with --layout phases"),
        ({"gallery": Path("shown"), "figures": Path("shown")}, "--gallery and --figures each write a page"),
    ],
)
def test_words_that_would_have_no_effect_are_refused(camus, model, options, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        evaluate(config(model, camus, **options))
