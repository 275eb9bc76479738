"""From a data set to a table, from a table to a classifier, from a classifier to the page."""

import json
import re

import nibabel
import numpy as np
import pytest

from cardiotrace.clinical.groups.classifier import classifier_text, read_classifier
from cardiotrace.core.errors import InputError, ModelFileError, UsageError
from cardiotrace.evaluation.groups.table import GroupRow, GroupTable, read_group_table
from cardiotrace.workflows.classify import (
    ClassifyTableConfig,
    ClassifyTrainConfig,
    classify_table,
    train_classifier,
)
from cardiotrace.workflows.measure import MeasureConfig, measure_exams
from cardiotrace.workflows.services.report_form import ReportConfig
from tests.clinical.groups.classifiers import CLASSIFIER, EF, VOLUME, regression
from tests.fake.acdc import SPACING_MM, write_acdc
from tests.fake.heart import write_nifti


@pytest.fixture(scope="module")
def acdc(tmp_path_factory):
    root = tmp_path_factory.mktemp("acdc")
    write_acdc(root, training=3)
    return root


def config(acdc, tmp_path, **more):
    return ClassifyTableConfig(name="acdc", path=acdc, out=tmp_path / "t.csv", by="pathology", **more)


def test_a_table_holds_what_is_measured_of_every_patient(acdc, tmp_path):
    found = classify_table(config(acdc, tmp_path))
    assert [row.group for row in found.rows] == ["HCM", "MINF", "NOR"]
    read = read_group_table(tmp_path / "t.csv", "pathology")
    for row, again in zip(found.rows, read.rows, strict=True):
        assert again.values == pytest.approx(dict(row.values), rel=1e-8)
    volume_ml = read.rows[0].values["left_ventricular_end_diastolic_volume_ml"]
    assert read.rows[0].values[VOLUME] == pytest.approx(volume_ml / (184 * 95 / 3600) ** 0.5)


def test_labels_that_were_given_are_measured_in_place_of_references(acdc, tmp_path):
    (tmp_path / "given").mkdir()
    for path in (acdc / "database").rglob("*_gt.nii.gz"):
        (tmp_path / "given" / path.name.replace("_gt", "_labels")).write_bytes(path.read_bytes())
    reference = classify_table(config(acdc, tmp_path))
    assert classify_table(config(acdc, tmp_path, labels=tmp_path / "given")) == reference
    next((tmp_path / "given").iterdir()).unlink()
    with pytest.raises(InputError, match="there are no labels of patient"):
        classify_table(config(acdc, tmp_path, labels=tmp_path / "given"))


def test_what_cannot_be_made_into_a_table_is_refused(acdc, tmp_path):
    with pytest.raises(InputError, match="no labelled patient has a group 'colour'") as raised:
        classify_table(ClassifyTableConfig(name="acdc", path=acdc, out=tmp_path / "t.csv", by="colour"))
    assert "pathology" in raised.value.remedy
    with pytest.raises(InputError, match="nothing could be measured in view A4C"):
        classify_table(config(acdc, tmp_path, view="A4C"))
    (tmp_path / "t.csv").write_text("mine")
    with pytest.raises(UsageError, match="no table of exams"):
        classify_table(config(acdc, tmp_path))


def test_three_patients_are_too_few(acdc, tmp_path):
    classify_table(config(acdc, tmp_path))
    with pytest.raises(InputError, match=r"too few patients of group HCM \(1\), MINF \(1\), NOR \(1\)"):
        train_classifier(ClassifyTrainConfig(table=tmp_path / "t.csv", by="pathology"))


def test_a_table_becomes_a_classifier_that_says_what_it_learned_from(tmp_path):
    pytest.importorskip("sklearn")
    rng = np.random.default_rng(0)
    rows = [
        GroupRow(f"{group}{place}", f"{group}{place}", group, {EF: rng.normal(mean, 5.0), VOLUME: rng.normal(80, 9)})
        for group, mean in (("x", 30.0), ("y", 60.0))
        for place in range(8)
    ]
    rows.append(GroupRow("bare", "bare", "x", {VOLUME: 80.0}))
    (tmp_path / "t.csv").write_text(GroupTable(tuple(rows)).to_csv("group"))
    done = train_classifier(
        ClassifyTrainConfig(table=tmp_path / "t.csv", repeats=1, folds=2, licence="CC0", out=tmp_path / "two.json")
    )
    assert done.left_out == (f"bare was left out: it lacks {EF}",)
    found = read_classifier(tmp_path / "two.json")
    assert (found.name, found.groups, found.counts, found.terms.licence) == ("two", ("x", "y"), (8, 8), "CC0")
    assert found.scores == done.scores
    assert found.scores.accuracy > 0.9
    assert [each.indices for each in found.regressions] == [(EF, VOLUME), (EF,)]


def measured(acdc, out, **form):
    patient = acdc / "database" / "training" / "patient001"
    batch = measure_exams(
        MeasureConfig(
            exams=(patient,),
            labels=patient,
            scheme="acdc",
            out=out,
            report=ReportConfig(**form),
        )
    )
    (done,) = batch.done
    page = re.sub(r"<[^>]*>", " ", done.report.read_text())
    return json.loads((done.report.parent / "measures.json").read_text()), page


def wide_classifier(folder):
    """One that finds nobody unlike."""
    file = folder / "two.json"
    wide = (regression(farthest=99.0),)
    file.write_text(classifier_text(CLASSIFIER.__class__(**{**vars(CLASSIFIER), "regressions": wide})))
    return file


def test_the_page_says_it_below_and_the_record_under_a_key_of_its_own(tmp_path):
    write_acdc(tmp_path / "acdc", training=1)
    for path in (tmp_path / "acdc").rglob("*_frame*.nii.gz"):
        array = np.asarray(nibabel.load(path).dataobj).transpose(2, 1, 0)
        write_nifti(path, np.repeat(array, 2, axis=0), SPACING_MM)  # a whole heart has five slices and more
    acdc, file = tmp_path / "acdc", wide_classifier(tmp_path)
    plain, page = measured(acdc, tmp_path / "out", classifier=file)
    assert plain["groups"]["classifier"] == "two-groups"
    assert plain["groups"]["sha256"] == read_classifier(file).sha256
    assert sum(plain["groups"]["probabilities"].values()) == pytest.approx(1.0, abs=1e-4)
    assert page.index("Research: which groups") > page.index("Volumes and function")
    assert "No diagnosis" in page
    _, french = measured(acdc, tmp_path / "fr", classifier=file, language="fr")
    assert "Recherche : à quels groupes" in french.replace("&#39;", "'")


def test_nothing_is_said_of_a_part_of_a_heart(acdc, tmp_path):
    plain, page = measured(acdc, tmp_path / "out", classifier=wide_classifier(tmp_path))
    assert (plain["groups"]["silence"], plain["groups"]["probabilities"]) == ("too few slices", {})
    assert "the stack shows a part of the heart only" in page


def test_the_shipped_one_says_nothing_of_a_heart_unlike_all_that_it_knows(acdc, tmp_path):
    """A drawn heart of a few slices is no patient's."""
    plain, page = measured(acdc, tmp_path / "out")
    assert plain["groups"]["classifier"] == "cine-mri-groups"
    assert plain["groups"]["probabilities"] == {}
    assert plain["groups"]["silence"]
    assert "Nothing is said" in page


def rewritten(tmp_path, kind, change):
    """A tiny ACDC of one patient, its images or its labels changed."""
    write_acdc(tmp_path / "acdc", training=1)
    for path in (tmp_path / "acdc").rglob("*_frame??_gt.nii.gz" if kind == "labels" else "*_frame??.nii.gz"):
        array = np.asarray(nibabel.load(path).dataobj).transpose(2, 1, 0)
        write_nifti(path, change(array).astype(np.int16), SPACING_MM)
    return tmp_path / "acdc"


def test_nothing_is_said_of_one_structure_alone(tmp_path):
    acdc = rewritten(tmp_path, "labels", lambda array: np.where(array == 3, 3, 0))
    plain, page = measured(acdc, tmp_path / "out")
    assert plain["groups"]["silence"] == "not measured"
    assert "right_ventricular_ejection_fraction_percent" in plain["groups"]["lacking"]
    assert "these indices were not measured: RV ejection fraction" in page


def test_of_constant_images_there_is_not_even_the_section(tmp_path):
    plain, page = measured(rewritten(tmp_path, "images", np.zeros_like), tmp_path / "out")
    assert "groups" not in plain
    assert "Research: which groups" not in page


def test_a_file_that_is_no_classifier_is_refused_before_the_work(acdc, tmp_path):
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ModelFileError, match="is no classifier of groups"):
        measured(acdc, tmp_path / "out", classifier=tmp_path / "bad.json")
