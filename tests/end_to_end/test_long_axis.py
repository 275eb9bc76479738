"""A long axis of cine-MRI, from a file to numbers, with the model that comes along."""

import json

import numpy as np
import pytest

from cardiotrace.cli.main import main
from cardiotrace.core.label import CHAMBERS
from cardiotrace.core.terms import Structure
from cardiotrace.io import read_labels, write_image
from cardiotrace.metrics.overlap import dice
from cardiotrace.phantoms.cmr import CmrPhantom, cmr_exam

MODEL = "cine-mri-long-axis"


@pytest.fixture(scope="module")
def made():
    """A patient whom no training has seen: other than any seed of the recipe."""
    return cmr_exam(
        CmrPhantom(
            frame_count=12, short_axis=False, long_axis=("4CH", "2CH"), scheme="chambers", seed=7, turn_deg=4.0,
            end_diastolic_ml=150.0, ejection_fraction_percent=55.0, apical_share=0.6, right_atrial_size=1.1,
        )
    )  # fmt: skip


@pytest.fixture(scope="module")
def analysed(made, tmp_path_factory):
    root = tmp_path_factory.mktemp("long")
    for image in made.exam.images:
        name = image.name.rpartition("_")[2]
        write_image(image.image, root / "exam" / f"p_{name}_cine.nii.gz")
    words = ["analyse", str(root / "exam"), "--modality", "MR", "--out", str(root / "out")]
    assert main(words) == 0
    return root / "out" / "exam"


def measured(folder):
    plain = json.loads((folder / "measures.json").read_text())
    return plain, {(item["name"], item["view"], item["method"]): item["value"] for item in plain["quantities"]}


def test_outlines_lie_where_the_chambers_are(made, analysed):
    reference = made.labels["phantom0007_LA_4CH"]
    found = read_labels(analysed / "p_4CH_cine_labels.nii.gz", CHAMBERS, third_axis="time")
    assert found.array.shape == reference.array.shape
    for structure, least in ((Structure.LV, 0.85), (Structure.MYO, 0.6), (Structure.RV, 0.7)):
        assert dice(found.mask(structure), reference.mask(structure)) > least


def test_planes_give_volumes_and_say_what_they_rest_on(made, analysed):
    plain, values = measured(analysed)
    assert [model["name"] for model in plain["provenance"]["models"]] == [MODEL]
    single = "method of disks, single plane"
    name = "left_ventricular_ejection_fraction"
    assert values[name, "4CH", single] == pytest.approx(made.truth.ejection_fraction_percent, abs=12)
    assert values[name, "4CH+2CH", "biplane method of disks"] == pytest.approx(55.0, abs=12)
    assert values["left_ventricular_end_diastolic_volume", "4CH", single] == pytest.approx(150.0, rel=0.25)
    areas = made.labels["phantom0007_LA_4CH"].mask(Structure.RV).sum((1, 2, 3)) * 1.45**2 / 100
    assert values["right_ventricular_end_diastolic_area", "4CH", "traced"] == pytest.approx(areas[0], rel=0.3)
    assert ("right_ventricular_fractional_area_change", "4CH", "traced") in values
    assert not [key for key in values if key[0].startswith("right_") and key[1] == "2CH"]
    assert [flag["text"] for flag in plain["flags"] if flag["rule"] == "no-stack"] == [
        "volumes and ejection fraction rest on 4CH and 2CH, without a short-axis stack, which is surer"
    ]


def test_the_curve_is_that_of_a_beat(made, analysed):
    plain, _ = measured(analysed)
    curve = next(item for item in plain["curves"] if item["view"] == "4CH")
    areas = np.array(curve["left_ventricular_area_cm2"])
    truth = made.labels["phantom0007_LA_4CH"].mask(Structure.LV).sum((1, 2, 3)) * 1.45**2 / 100
    assert np.corrcoef(areas, truth)[0, 1] > 0.95
    assert len(curve["right_ventricular_area_cm2"]) == 12


def test_show_says_what_it_is(analysed, capsys):
    assert main(["show", str(analysed.parent.parent / "exam"), "--modality", "MR", "--json"]) == 0
    (exam,) = json.loads(capsys.readouterr().out)
    assert {image["view"] for image in exam["images"]} == {"4CH", "2CH"}


def test_the_report_shows_both_planes_and_the_right_ventricle(analysed):
    page = (analysed / "report.html").read_text()
    for words in ("single plane", "RV fractional area change", "without a short-axis stack"):
        assert words in page
