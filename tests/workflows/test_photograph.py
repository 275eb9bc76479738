"""A colour photograph through the same commands as a heart."""

import json

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.label import VESSEL255
from cardiotrace.core.terms import View
from cardiotrace.geometry.field_of_view import find_field_of_view
from cardiotrace.workflows.analyse import analyse
from cardiotrace.workflows.evaluate import EvaluateConfig, evaluate
from cardiotrace.workflows.segment import SegmentConfig, segment
from tests.fake.chase import write_chase
from tests.fake.models import make_model, make_spec, pointwise_network


@pytest.fixture
def model(tmp_path):
    """Takes what is neither bright nor black in red for vessel: `tests/fake/chase.py` draws such."""
    weight = np.array([[0.0, 0.0, 0.0], [-40.0, 0.0, 0.0]], np.float32)
    made = make_model(
        pointwise_network(weight, np.array([0.0, 40 * 110 / 255], np.float32)),
        make_spec(VESSEL255, channels=3, views=(View.FUNDUS,)),
    )
    path = tmp_path / "vessels.onnx"
    path.write_bytes(made.content)
    return path


@pytest.fixture
def photographs(tmp_path):
    write_chase(tmp_path / "chase", subjects=(1, 2, 3))
    return tmp_path / "chase"


def test_segment_writes_a_label_map_of_the_same_size(tmp_path, photographs, model):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes((photographs / "images/Image_01L.jpg").read_bytes())
    batch = segment(SegmentConfig(exams=(photo,), out=tmp_path / "out", model=str(model)))
    assert not batch.failures
    labels = np.asarray(Image.open(tmp_path / "out/photo/photo_labels.png"))
    assert labels.shape == (40, 48)
    vessels = np.asarray(Image.open(photographs / "labels1/Image_01L_1stHO.png"))
    assert (labels[vessels] == 255).mean() > 0.95


def test_analyse_measures_the_vessel_density(tmp_path, photographs, model):
    photo = photographs / "images/Image_02R.jpg"
    batch = analyse(SegmentConfig(exams=(photo,), out=tmp_path / "out", model=str(model)))
    assert not batch.failures
    measures = json.loads((tmp_path / "out/Image_02R/measures.json").read_text())
    (quantity,) = measures["quantities"]
    vessels = np.asarray(Image.open(tmp_path / "out/Image_02R/Image_02R_labels.png")) == 255
    inside = find_field_of_view(np.asarray(Image.open(photo)))
    # A disc of radius 19, whose edge JPEG has blurred by half a pixel.
    assert inside.mean() == pytest.approx(np.pi * 19.5**2 / (40 * 48), rel=0.02)
    assert quantity["name"] == "vessel_density"
    assert quantity["value"] == pytest.approx(100 * vessels[inside].mean(), rel=1e-5)
    assert not any("left ventricle" in flag["text"] for flag in measures["flags"])
    report = (tmp_path / "out/Image_02R/report.html").read_text()
    assert f'<h2>Vessel density</h2>\n<div class="big">{quantity["value"]:.0f}<small>' in report
    assert "Ejection fraction" not in report


def test_evaluate_tells_of_the_second_observer(tmp_path, photographs, model):
    out = tmp_path / "scores.json"
    done = evaluate(EvaluateConfig(str(model), photographs, dataset="chase", out=out))
    assert done.observer is not None
    assert done.observer.cases == done.table.cases
    # Inside the field of view, where the black surroundings do not count as vessels.
    assert done.table.rows[0].score("dice") > 0.9
    assert done.observer.rows[0].score("precision") == 1.0
    rows, columns = np.mgrid[:40, :48]
    vessel = (np.hypot(rows - 20, columns - 24) < 19) & (np.abs(rows - 20 - 6 * np.sin(columns / 6 + 1)) < 1.5)
    recall = vessel[:, 13:].sum() / vessel.sum()  # the second observer begins behind column 12
    assert done.observer.rows[0].score("recall") == pytest.approx(recall)
    assert (tmp_path / "scores_observer.json").exists()
