import gzip
import shutil

import nibabel
import numpy as np
import pytest

from cardiotrace.datasets.lint import CASE_RULES, SET_RULES, Severity, lint
from tests.fake.acdc import write_acdc
from tests.fake.camus import write_camus, write_legacy_camus
from tests.fake.echonet import write_echonet
from tests.fake.heart import rewrite_labels, set_spacing
from tests.fake.mnms import write_mnms2
from tests.fake.order import FLIP_X, FLIP_Z, SWAP_XY, oblique, place, reorder

STEM = "database_nifti/patient0001/patient0001_4CH"


@pytest.fixture
def camus(tmp_path):
    write_camus(tmp_path)
    return tmp_path


@pytest.fixture
def found(make):
    """What lint finds, as {rule: [finding]}, without the patients that the fake lists lack."""

    def found(name, root, **options):
        findings = [finding for finding in lint(make(name, root, **options)) if finding.rule != "absent-patients"]
        return {rule: [finding for finding in findings if finding.rule == rule] for rule in {f.rule for f in findings}}

    return found


def only(findings, rule):
    assert list(findings) == [rule]
    assert len(findings[rule]) == 1
    return findings[rule][0]


def test_healthy_data_sets_are_clean(tmp_path, found):
    write_camus(tmp_path / "camus", frames=4)
    write_acdc(tmp_path / "acdc")
    write_mnms2(tmp_path / "mnms2")
    assert found("camus", tmp_path / "camus") == {}
    assert found("acdc", tmp_path / "acdc") == {}
    assert found("mnms2", tmp_path / "mnms2") == {}


def test_rule_names_are_unique():
    names = [rule.name for rule in (*CASE_RULES, *SET_RULES)]
    assert len(set(names)) == len(names)


def test_progress(camus, make):
    seen = []
    lint(make("camus", camus, views=["4CH"]), on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(index, 8) for index in range(1, 9)]


def test_mask_of_0_and_255(camus, found):
    rewrite_labels(camus / f"{STEM}_ED_gt.nii.gz", lambda labels: (labels > 0).astype(np.uint8) * 255)
    finding = only(found("camus", camus), "mask-0-255")
    assert (finding.severity, finding.where) == (Severity.ERROR, "patient0001_4CH_ED")
    assert finding.what == "the mask holds 0 and 255"


def test_label_values(camus, found):
    rewrite_labels(camus / f"{STEM}_ED_gt.nii.gz", lambda labels: np.where(labels == 3, 7, labels).astype(np.uint8))
    assert only(found("camus", camus), "label-values").what == "label values 7 are in no scheme of this data set"


@pytest.mark.parametrize("value", [0.0, -0.3, np.nan])
def test_impossible_spacing(camus, found, value):
    set_spacing(camus / f"{STEM}_ED.nii.gz", (value, 0.308))
    assert "mm stands in the header of the image" in only(found("camus", camus), "impossible-spacing").what


def test_impossible_spacing_of_labels(camus, found):
    set_spacing(camus / f"{STEM}_ED_gt.nii.gz", (0.308, 0.0))
    assert (
        only(found("camus", camus), "impossible-spacing").what
        == "a pixel size of 0.308 x 0 mm stands in the header of the labels"
    )


def test_spacing_outlier(camus, found):
    for end in ("", "_gt"):
        set_spacing(camus / f"{STEM}_ED{end}.nii.gz", (3.08, 3.08))
    finding = only(found("camus", camus), "spacing-outlier")
    assert finding.what == "a pixel size of 1 x 3.08 x 3.08 mm where the median is 1 x 0.308 x 0.308 mm"


def test_spacing_mismatch(camus, found):
    set_spacing(camus / f"{STEM}_ED_gt.nii.gz", (0.3, 0.308))
    assert only(found("camus", camus), "spacing-mismatch").where == "patient0001_4CH_ED"


def test_unset_spacing(camus, found):
    for path in camus.glob("database_nifti/*/*_4CH_*.nii.gz"):
        set_spacing(path, (1.0, 1.0))
    assert "every 4CH image states exactly 1 mm" in only(found("camus", camus), "unset-spacing").what


def test_videos_state_no_pixel_size(tmp_path, found):
    write_echonet(tmp_path)
    assert only(found("echonet", tmp_path), "no-spacing").what == "none of 6 4CH images states its pixel size"


def test_swapped_phases(camus, found):
    for end in ("", "_gt"):
        one, other = camus / f"{STEM}_ED{end}.nii.gz", camus / f"{STEM}_ES{end}.nii.gz"
        one.rename(camus / "kept")
        other.rename(one)
        (camus / "kept").rename(other)
    finding = only(found("camus", camus), "swapped-phases")
    assert finding.where == "patient0001 4CH"
    assert "smaller at ED than at ES" in finding.what


def test_grid_mismatch(camus, found):
    path = camus / f"{STEM}_ED_gt.nii.gz"
    rewrite_labels(path, lambda labels: labels[:-2])
    assert (
        only(found("camus", camus), "grid-mismatch").what
        == "image 1 x 1 x 40 x 48 and labels 1 x 1 x 40 x 46 differ in size"
    )


def test_missing_labels(camus, found):
    (camus / f"{STEM}_ED_gt.nii.gz").unlink()
    finding = only(found("camus", camus), "missing-labels")
    assert finding.what == "the labels patient0001_4CH_ED_gt.nii.gz are missing"


def test_missing_image(camus, found):
    (camus / f"{STEM}_ED.nii.gz").unlink()
    findings = found("camus", camus)
    assert findings["missing-image"][0].severity == Severity.ERROR
    assert findings["lone-phase"][0].what == "there is ES and no ED"


def test_headers_without_pixels(tmp_path, found):
    write_legacy_camus(tmp_path)
    findings = found("camus", tmp_path)
    assert len(findings["missing-pixels"]) == 4
    (tmp_path / "patient0001/patient0001_2CH_ED.raw").unlink()
    findings = found("camus", tmp_path)
    assert len(findings["missing-pixels"]) == 5
    assert findings["unreadable-image"][0].where == "patient0001_2CH_ED"


def test_empty_labels(camus, found):
    rewrite_labels(camus / f"{STEM}_ED_gt.nii.gz", np.zeros_like)
    assert only(found("camus", camus), "empty-labels").what == "the label map is empty"


def test_lacking_structure(camus, found):
    rewrite_labels(camus / f"{STEM}_ED_gt.nii.gz", lambda labels: np.where(labels == 3, 0, labels).astype(np.uint8))
    finding = only(found("camus", camus), "lacking-structure")
    assert (finding.severity, finding.what) == (Severity.INFORMATION, "LA is nowhere in the label map")


def test_blank_image(camus, found):
    rewrite_labels(camus / f"{STEM}_ED.nii.gz", np.zeros_like)
    assert only(found("camus", camus), "blank-image").where == "patient0001_4CH_ED"


def test_duplicate_image_of_two_patients(camus, found):
    shutil.copy(camus / f"{STEM}_ED.nii.gz", camus / "database_nifti/patient0003/patient0003_4CH_ED.nii.gz")
    finding = only(found("camus", camus), "duplicate-image")
    assert finding.where == "patient0003_4CH_ED"
    assert "patient0001_4CH_ED" in finding.what


@pytest.mark.parametrize("content", [b"", b"no gzip", b"\x1f\x8b\x08" + bytes(20)])
def test_unreadable_files_are_findings(camus, found, content):
    (camus / f"{STEM}_ED.nii.gz").write_bytes(content)
    (camus / f"{STEM}_ES_gt.nii.gz").write_bytes(content)
    findings = found("camus", camus)
    assert [finding.where for finding in findings["unreadable-image"]] == ["patient0001_4CH_ED"]
    assert [finding.where for finding in findings["unreadable-labels"]] == ["patient0001_4CH_ES"]


def test_truncated_file(camus, found):
    path = camus / f"{STEM}_ED.nii.gz"
    path.write_bytes(path.read_bytes()[:-200])
    assert only(found("camus", camus), "unreadable-image").severity == Severity.ERROR


def test_damaged_table(camus, found):
    (camus / "patients_info.csv").write_bytes(b"\xff\xfe\x00\x01")
    assert only(found("camus", camus), "unreadable").where.endswith("patients_info.csv")


def test_leaking_split(camus, found):
    (camus / "database_split/subgroup_testing.txt").write_text("patient0003\n")
    finding = only(found("camus", camus), "split")
    assert "patient 'patient0003' is in training and testing" in finding.what


def test_absent_patients(camus, make):
    findings = lint(make("camus", camus))
    assert [(finding.severity, finding.rule) for finding in findings] == [(Severity.INFORMATION, "absent-patients")]
    assert findings[0].what == "of the listed patients 1 not on disk: patient0999"
    assert findings[0].where.startswith("official, fold1")


def test_label_order_of_another_data_set(tmp_path, found):
    write_acdc(tmp_path, training=1)
    for path in tmp_path.rglob("*_gt.nii.gz"):
        rewrite_labels(path, lambda labels: np.array([0, 3, 2, 1], np.uint8)[labels])
    findings = found("acdc", tmp_path)
    assert list(findings) == ["label-order"]
    assert [finding.what for finding in findings["label-order"]] == [
        "the myocardium encloses what is labelled RV, not LV: are these mnms labels?"
    ] * 2


def test_worst_first(camus, make):
    (camus / f"{STEM}_ED_gt.nii.gz").unlink()
    nibabel.save(nibabel.Nifti1Image(np.zeros((4, 4), np.uint8), np.eye(4)), camus / f"{STEM}_ES_gt.nii.gz")
    severities = [finding.severity for finding in lint(make("camus", camus))]
    assert severities == sorted(severities, key=list(Severity).index)
    assert severities[0] == Severity.ERROR


@pytest.mark.data
@pytest.mark.slow
def test_real_camus(data_root, make):
    findings = [
        finding for finding in lint(make("camus", data_root / "camus")) if finding.severity != Severity.INFORMATION
    ]
    assert [(finding.rule, finding.where) for finding in findings] == [("duplicate-image", "patient0068_4CH_ED")]


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "folder"), [("acdc", "acdc"), ("mnms2", "mnms2"), ("chase", "chase_db1"), ("drive", "drive")]
)
def test_real_data_sets_are_clean(data_root, make, name, folder):
    assert [
        finding for finding in lint(make(name, data_root / folder)) if finding.severity != Severity.INFORMATION
    ] == []


MOVED = np.array([[1.4, 0, 0, 5], [0, 1.5, 0, 6], [0, 0, 10, 7], [0, 0, 0, 1]])


@pytest.mark.parametrize(("order", "codes"), [(FLIP_X, "LAS"), (FLIP_Z, "RAI"), (SWAP_XY, "ARS")])
def test_labels_in_another_voxel_order(tmp_path, found, order, codes):
    write_acdc(tmp_path, training=1)
    for path in tmp_path.rglob("*.nii.gz"):
        place(path, MOVED)
    (path,) = tmp_path.rglob("*_frame01_gt.nii.gz")
    reorder(path, order)
    finding = only(found("acdc", tmp_path), "voxel-order")
    assert finding.severity == Severity.ERROR
    assert finding.what == f"labels lie in another voxel order than the image: {codes} against RAS"


def test_labels_of_another_place(tmp_path, found):
    write_acdc(tmp_path, training=1)
    for path in tmp_path.rglob("*.nii.gz"):
        place(path, MOVED)
    (path,) = tmp_path.rglob("*_frame01_gt.nii.gz")
    place(path, MOVED + np.array([[0, 0, 0, 2 * 1.4]] + [[0] * 4] * 3))
    finding = only(found("acdc", tmp_path), "other-place")
    assert finding.what.endswith("axes RAS against RAS, voxels apart: 2 in width")


def test_labels_that_lost_their_orientation_are_a_note(tmp_path, found):
    write_acdc(tmp_path, training=1)
    (image,) = tmp_path.rglob("*_frame01.nii.gz")
    place(image, oblique((1.4, 1.5, 10)))
    finding = only(found("acdc", tmp_path), "no-orientation")
    assert finding.severity == Severity.INFORMATION
    assert finding.what.startswith("the labels state no orientation: the labels were taken as they lie (RAS against")


def test_a_header_that_contradicts_itself(tmp_path, found):
    write_acdc(tmp_path, training=1)
    for path in tmp_path.rglob("*_frame01*.nii.gz"):
        image = nibabel.load(path)
        image.header["pixdim"][3] = 8  # the sform still says 10
        content = nibabel.Nifti1Image(np.asanyarray(image.dataobj).copy(), None, image.header)
        content.set_sform(np.diag([1.4, 1.5, 10, 1]), 1)
        content.header["pixdim"][3] = 8
        nibabel.save(content, path)
    finding = only(found("acdc", tmp_path), "contradicting-sizes")
    assert "image: its header contradicts itself" in finding.what
    assert "labels: its header contradicts itself" in finding.what


def test_a_stack_without_a_slice_distance(tmp_path, found):
    write_acdc(tmp_path, training=1)
    for path in tmp_path.rglob("*_frame01*.nii.gz"):
        image = nibabel.load(path)
        stored = nibabel.Nifti1Image(np.asanyarray(image.dataobj).copy(), None)
        stored.header["pixdim"][1:4] = 1.4, 1.5, 0
        stored.header["sform_code"] = stored.header["qform_code"] = 0
        path.write_bytes(gzip.compress(stored.header.binaryblock + bytes(4) + stored.dataobj.tobytes("F")))
    findings = found("acdc", tmp_path)
    assert findings["no-slice-distance"][0].what == "the distance between the slices is not stated"
    assert set(findings) <= {"no-slice-distance", "no-orientation"}
