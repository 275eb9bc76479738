"""What a data set holds, by headers and tables alone."""

import json

import nibabel
import numpy as np
import pytest

from cardiotrace.core.config import to_plain
from cardiotrace.core.terms import Phase
from cardiotrace.datasets.description import describe, group_rows, instant_rows, size_rows
from tests.datasets.test_catalog import write_acdc_and_mnms
from tests.fake.acdc import write_acdc
from tests.fake.mnms import write_mnms, write_mnms2, write_mnms_stills
from tests.fake.sunnybrook import write_sunnybrook


@pytest.fixture(autouse=True)
def no_pixels(monkeypatch):
    """Whoever reads pixels fails."""

    def refuse(*_, **__):
        raise AssertionError("pixels are read")

    monkeypatch.setattr("cardiotrace.io.read.to_frames", refuse)
    monkeypatch.setattr("cardiotrace.datasets.sunnybrook._read_image", refuse)


def test_patients_by_pathology_part_vendor_and_field(tmp_path, make):
    write_mnms2(tmp_path, patients=(1, 2, 161, 201))
    table = tmp_path / "dataset_information.csv"
    table.write_text(table.read_text().replace("2,NOR,SIEMENS,Avanto,1.5", "2,HCM,GE,Signa,3.0"))
    described = describe(make("mnms2", tmp_path))
    assert group_rows(described) == [
        {
            "pathology": "HCM", "patients": 1, "training": 1, "validation": 0, "testing": 0, "vendor GE": 1,
            "vendor SIEMENS": 0, "field 1.5 T": 0, "field 3.0 T": 1, "Avanto": 0, "Signa": 1,
        },
        {
            "pathology": "NOR", "patients": 3, "training": 1, "validation": 1, "testing": 1, "vendor GE": 0,
            "vendor SIEMENS": 3, "field 1.5 T": 3, "field 3.0 T": 0, "Avanto": 3, "Signa": 0,
        },
    ]  # fmt: skip
    short, long = size_rows(described)
    assert (short["view"], short["images"], short["labelled"], short["ED"], short["ES"]) == ("SAX", 8, 8, 4, 4)
    assert (short["slices"], short["height"], short["width"]) == ("4", "40", "48")
    assert (short["pixel_height_mm"], short["pixel_width_mm"], short["slice_distance_mm"]) == ("1.2", "1.3", "9.6")
    assert (long["view"], long["slices"], long["slice_distance_mm"]) == ("4CH", "1", "")
    assert [row["frames of the cine"] for row in instant_rows(described)] == ["3"] * 4  # by the header of NNN_SA_CINE


def test_slices_of_a_stack_in_place_of_a_cine_are_no_frames(tmp_path, make):
    write_mnms2(tmp_path, patients=(1,))
    (video,) = tmp_path.rglob("*_SA_CINE.nii.gz")
    nibabel.save(nibabel.Nifti1Image(np.zeros((48, 40, 4), np.uint8), np.eye(4)), video)
    counts = {(item.view, item.frame_count) for item in describe(make("mnms2", tmp_path)).headers}
    assert counts == {("SAX", None), ("4CH", 3)}


def test_instants_of_acdc_are_those_of_the_settings_file(tmp_path, make):
    write_acdc(tmp_path, training=2)
    described = describe(make("acdc", tmp_path))
    assert [(item.frame, item.frame_count, item.phase) for item in described.headers[:2]] == [
        (0, 14, Phase.ED), (11, 14, Phase.ES),
    ]  # fmt: skip
    assert instant_rows(described)[1] == {
        "view": "SAX", "phase": "ES", "frame": "11", "frames of the cine": "14", "share of the beat": "0.79",
    }  # fmt: skip


def test_a_video_of_mnms_and_patients_without_reference(tmp_path, make):
    write_mnms(tmp_path)
    described = describe(make("mnms", tmp_path))
    found = {item.name: item for item in described.headers}
    assert (found["A0S9V9_sa_ED"].frame, found["A0S9V9_sa_ED"].frame_count) == (4, 6)
    assert found["A0S9V9_sa_ED"].is_labelled
    assert not found["A3H5R1_sa_ED"].is_labelled
    write_mnms_stills(tmp_path / "copy")
    described = describe(make("mnms", tmp_path / "copy"))
    assert [(item.frame, item.is_labelled) for item in described.headers] == [(0, False), (9, False)]
    assert group_rows(described) == [{"group": "all", "patients": 1, "centre 1": 1, "vendor A": 1}]


def test_a_joined_data_set_is_described_part_by_part(tmp_path, make):
    write_acdc_and_mnms(tmp_path)
    described = describe(make("joined", tmp_path, parts=[{"name": "acdc"}, {"name": "mnms"}]))
    parts = {name: describe(make(name, tmp_path / name)) for name in ("acdc", "mnms")}
    rows = group_rows(described)
    for name, part in parts.items():
        assert sum(row[name] for row in rows) == len(part.patients) > 0
    # Cines are found below the part's own folder.
    counts = {item.name: item.frame_count for part in parts.values() for item in part.headers}
    assert {item.name: item.frame_count for item in described.headers} == counts
    assert counts["A0S9V9_sa_ED"] == 6


def test_the_archive_of_sunnybrook_tells_its_sizes_without_pixels(tmp_path, make):
    write_sunnybrook(tmp_path)
    dataset = make("sunnybrook", tmp_path)
    for header, case in zip(describe(dataset).headers, dataset.cases(), strict=True):
        labels = case.read_labels()
        assert header.shape == labels.array.shape[1:]
        assert header.spacing_mm == labels.spacing_mm


def test_a_damaged_header_is_told_of_and_stops_nothing(tmp_path, make):
    write_acdc(tmp_path, training=2)
    (tmp_path / "database/training/patient001/patient001_frame01.nii.gz").write_bytes(b"nothing")
    described = describe(make("acdc", tmp_path))
    assert [bool(item.problem) for item in described.headers] == [True, False, False, False]
    (row,) = size_rows(described)
    assert (row["images"], row["unreadable"], row["height"]) == (4, 1, "40")


def test_plain_data_can_be_json(tmp_path, make):
    write_mnms2(tmp_path, patients=(1,))
    plain = json.loads(json.dumps(to_plain(describe(make("mnms2", tmp_path))), allow_nan=False))
    assert (plain["data_set"], plain["patients"], plain["images"], plain["labelled"]) == ("mnms2", 1, 4, 4)
    assert plain["cases"][0]["spacing_mm"] == pytest.approx([9.6, 1.2, 1.3])
