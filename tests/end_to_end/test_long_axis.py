"""A long axis of cine-MRI, from files to numbers and a page."""

import json

import numpy as np
import pytest

from cardiotrace.cli.main import main
from cardiotrace.core.terms import Structure
from cardiotrace.io import write_image, write_labels
from cardiotrace.phantoms.cmr import CmrPhantom, cmr_exam


@pytest.fixture(scope="module")
def made():
    return cmr_exam(
        CmrPhantom(
            frame_count=12, short_axis=False, long_axis=("4CH", "2CH"), scheme="chambers", seed=7, bend_mm=0.0,
            breath_mm=0.0, end_diastolic_ml=150.0, ejection_fraction_percent=55.0, right_atrial_size=1.1,
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def folder(made, tmp_path_factory):
    """Both planes and their labels as files, measured."""
    root = tmp_path_factory.mktemp("long")
    (root / "exam").mkdir()
    (root / "labels").mkdir()
    for image in made.exam.images:
        name = f"p_{image.name.rpartition('_')[2]}_cine"
        write_image(image.image, root / "exam" / f"{name}.nii.gz")
        write_labels(made.labels[image.name], root / "labels" / f"{name}_labels.nii.gz")
    words = ["measure", str(root / "exam"), "--labels", str(root / "labels"), "--scheme", "chambers"]
    assert main([*words, "--modality", "MR", "--out", str(root / "out")]) == 0
    return root / "out" / "exam"


@pytest.fixture(scope="module")
def plain(folder):
    return json.loads((folder / "measures.json").read_text())


def test_planes_give_volumes_and_say_what_they_rest_on(plain):
    values = {(item["name"], item["view"], item["method"]): item["value"] for item in plain["quantities"]}
    single, biplane = "method of disks, single plane", "biplane method of disks"
    assert values["left_ventricular_ejection_fraction", "4CH", single] == pytest.approx(55.0, abs=2)
    assert values["left_ventricular_ejection_fraction", "4CH+2CH", biplane] == pytest.approx(55.0, abs=2)
    assert values["left_ventricular_end_diastolic_volume", "4CH+2CH", biplane] == pytest.approx(150.0, rel=0.04)
    assert values["left_atrial_volume", "4CH+2CH", "area-length, biplane"] > 20
    assert not [key for key in values if key[0].startswith("right_") and key[1] == "2CH"]
    first = plain["quantities"][0]
    assert (first["name"], first["method"]) == ("left_ventricular_ejection_fraction", biplane)
    assert [flag["text"] for flag in plain["flags"] if flag["rule"] == "no-stack"] == [
        "volumes and ejection fraction rest on 4CH and 2CH, without a short-axis stack, which is surer"
    ]


def test_the_right_ventricle_is_measured_in_four_chambers(made, plain):
    areas = made.labels["phantom0007_LA_4CH"].mask(Structure.RV).sum((1, 2, 3)) * 1.45**2 / 100
    found = {item["name"]: item for item in plain["quantities"] if item["name"].startswith("right_")}
    values = {name: item["value"] for name, item in found.items()}
    first, last = (int(name.rpartition(":")[2]) for name in found["right_ventricular_fractional_area_change"]["frames"])
    assert min(first, len(areas) - first) <= 1
    assert abs(last - made.truth.end_systolic_frame) <= 1
    assert values["right_ventricular_end_diastolic_area"] == pytest.approx(areas[first], rel=1e-4)
    change = 100 * (1 - areas[last] / areas[first])
    assert values["right_ventricular_fractional_area_change"] == pytest.approx(change, rel=1e-4)
    curve = next(item for item in plain["curves"] if item["view"] == "4CH")
    assert np.array(curve["right_ventricular_area_cm2"]) == pytest.approx(areas, rel=1e-4)


def test_the_page_shows_what_planes_say(folder):
    page = (folder / "report.html").read_text()
    for words in ("RV fractional area change", "without a short-axis stack", "RV area, end-diastole"):
        assert words in page
