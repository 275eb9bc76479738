"""A report in memory, and the same on disk."""

import base64
import io
import logging

import numpy as np
import pytest
from PIL import Image as PilImage

from cardiotrace.clinical import Measures, Quantity, measure
from cardiotrace.clinical.method import Method
from cardiotrace.core.exam import Exam
from cardiotrace.core.terms import Structure
from cardiotrace.core.trust import ImageTrust
from cardiotrace.report import ReportContext, render_report, save_report
from cardiotrace.report.colour import STRUCTURE_COLOURS
from cardiotrace.report.exam_report import safe_name
from cardiotrace.report.write import ReportFiles
from tests.clinical.ventricle import Ventricle, image_of, label_map


@pytest.fixture
def loop():
    """A beating ventricle of three frames, measured."""
    planes = [Ventricle(25 - step, 80 - 2 * step).draw((1.0, 1.0)) for step in (0, 4, 2)]
    labels = {"../loop": label_map(planes, (1.0, 1.0, 1.0))}
    exam = Exam("p1", (image_of("../loop", labels["../loop"]),), frame_rate_hz=20.0)
    return exam, labels, measure(exam, labels)


def pixels(content: bytes) -> np.ndarray:
    with PilImage.open(io.BytesIO(content)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def test_a_report_is_built_without_the_disk_and_written_as_it_is(loop, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("cardiotrace.io.atomic.os.open", lambda *_: pytest.fail("something is written"))
        patched.chdir(tmp_path)
        report = render_report(*loop, ReportContext(provenance={"model": "x"}))
    assert list(tmp_path.iterdir()) == []
    save_report(report, tmp_path, forms=ReportFiles(frames=True))
    assert (tmp_path / "report.html").read_text("utf-8") == report.page
    assert (tmp_path / "measures.csv").read_text("utf-8") == report.table
    for name, content in report.figures.items():
        assert (tmp_path / "figures" / name).read_bytes() == content
    (series,) = report.frames
    written = sorted(path.name for path in (tmp_path / "figures" / "frames").iterdir())
    assert written == [series.name(frame) for frame in range(3)] == ["_loop_000.png", "_loop_001.png", "_loop_002.png"]
    assert (tmp_path / "figures" / "frames" / written[1]).read_bytes() == series.png(1)
    assert report.measures["provenance"] == {"model": "x"}


def test_what_models_expect_of_their_labels_is_in_the_record(loop):
    assert "trust" not in render_report(*loop).measures
    trust = ImageTrust({Structure.LV: np.array([0.9, 0.8, np.nan])}, np.array([0.5, 1.5, np.nan]))
    (told,) = render_report(*loop, ReportContext(trust={"../loop": trust})).measures["trust"].values()
    assert told == {"expected_dice": {"LV": [0.9, 0.8, None]}, "unlikeness": [0.5, 1.5, None]}


def test_pictures_of_all_frames_are_written_only_where_they_are_wanted(loop, tmp_path):
    save_report(render_report(*loop), tmp_path)
    assert not (tmp_path / "figures" / "frames").exists()


def test_the_page_holds_the_very_figures(loop):
    report = render_report(*loop)
    names = {"_loop_ED.png", "_loop_ES.png", "_loop.gif", "curves.svg", "thumbnail.jpg"}
    names |= {"longitudinal_strain.svg", "end_diastolic_wall_thickness.svg", "wall_thickening.svg"}
    assert report.figures.keys() == names
    for name in names - {"thumbnail.jpg"}:
        assert base64.b64encode(report.figures[name]).decode("ascii") in report.page
    assert pixels(report.figures["thumbnail.jpg"]).shape[1] <= 120


def test_one_frame_is_drawn_when_it_is_asked_for(loop):
    exam, labels, measures = loop
    (series,) = render_report(exam, labels, measures).frames
    colour = np.array(STRUCTURE_COLOURS[labels["../loop"].scheme.structures[0]])
    heights = []
    for frame in range(len(series)):
        blue = np.argwhere(np.abs(pixels(series.png(frame))[:400] - colour).sum(axis=2) < 60)
        heights.append(np.ptp(blue[:, 0]))
    # The cavity is 80, 72 and 76 mm long.
    scale = heights[0] / 80
    assert np.array(heights) / scale == pytest.approx([80, 72, 76], abs=1.5)


def test_what_is_drawn_is_logged_quietly(loop, caplog, capsys):
    with caplog.at_level(logging.DEBUG, logger="cardiotrace"):
        render_report(*loop)
    assert "report of p1: 8 figures" in caplog.text
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("name", "safe"), [("a/b", "a_b"), ("..", "image"), (".hidden", "hidden"), ("Ä 1", "Ä_1")])
def test_names_are_safe(name, safe):
    assert safe_name(name) == safe


def test_numbers_of_the_first_rows_are_rounded_for_reading_and_exact_in_the_file(loop):
    exam, labels, _ = loop
    asked = (("left_ventricular_stroke_volume", "ml", 50.234567), ("left_ventricular_mass", "g", 121.51))
    quantities = tuple(Quantity(name, value, unit, Method.SUM_OF_SLICES, "SAX", ()) for name, unit, value in asked)
    report = render_report(exam, labels, Measures("p1", quantities))
    assert '<td>Stroke volume</td>\n<td class="number">50</td>' in report.page
    assert '<td>Myocardial mass</td>\n<td class="number">122</td>' in report.page
    assert [item["value"] for item in report.measures["quantities"]] == [50.2346, 121.51]
