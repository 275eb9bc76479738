from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.report import draw_curves
from cardiotrace.report.figure import PairedValues, draw_agreement


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Figure]:
    """The figures that were saved."""
    figures: list[Figure] = []
    monkeypatch.setattr("cardiotrace.report.figure.save_png", lambda figure, path: figures.append(figure))
    return figures


def test_one_panel_for_each_kind_of_value(tmp_path: Path, drawn: list[Figure]) -> None:
    rows = [{"epoch": 1, "loss": 0.9, "lr": 1e-3}, {"epoch": 3, "loss": 0.5, "lr": 5e-4, "val_dice": 0.8}]
    draw_curves(rows, tmp_path / "all.png")
    draw_curves([{"loss": 0.9}, {"loss": float("nan")}, {"loss": 0.4}], tmp_path / "loss.png")
    loss, score, rate = drawn[0].axes
    assert [axes.get_ylabel() for axes in (loss, score, rate)] == ["loss", "score", "learning rate"]
    assert [axes.get_yscale() for axes in (loss, score, rate)] == ["linear", "linear", "log"]
    assert [(line.get_label(), line.get_xydata().tolist()) for line in score.lines] == [("val_dice", [[3.0, 0.8]])]
    # Without "epoch" the rows are counted; what is no number is left out.
    (alone,) = drawn[1].axes
    assert alone.lines[0].get_xydata().tolist() == [[1.0, 0.9], [3.0, 0.4]]


def test_a_key_is_drawn_where_its_words_belong(tmp_path: Path, drawn: list[Figure]) -> None:
    draw_curves([{"LV Dice": 0.8, "floss": 1.0, "seconds": 3.0, "val/jaccard": 0.7, "iou": True}], tmp_path / "x.png")
    assert {line.get_label() for axes in drawn[0].axes for line in axes.lines} == {
        "LV Dice", "floss", "val/jaccard", "iou",
    }  # fmt: skip


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no loss"):
        draw_curves([{"epoch": 1}], tmp_path / "none.png")
    assert list(tmp_path.iterdir()) == []


def test_agreement_leaves_out_missing_pairs(tmp_path: Path, drawn: list[Figure]) -> None:
    reference = np.array([40.0, 50.0, 60.0, 70.0, np.nan])
    predicted = reference + np.array([1, 3, 1, 3, 0])
    draw_agreement(PairedValues(predicted, reference, "LV EF", "%", "reference labels"), tmp_path / "ef.png")
    left, right = drawn[0].axes
    assert left.get_title().endswith("n = 4")
    assert left.get_xlabel() == "LV EF, reference labels, %"
    # Differences 1, 3, 1, 3: bias 2, SD 1.155, limits -0.3 and 4.3.
    assert right.get_title() == "bias +2.0, limits -0.3 to +4.3"
    points = np.array(right.collections[0].get_offsets())
    assert points.tolist() == [[40.5, 1], [51.5, 3], [60.5, 1], [71.5, 3]]
    assert [text.get_text() for text in right.texts] == ["+2.0", "-0.3", "+4.3"]
    with pytest.raises(InputError, match="too few"):
        draw_agreement(PairedValues(reference[3:], reference[3:], "EF", "%"), tmp_path / "few.png")
    with pytest.raises(InputError, match="predicted for"):
        draw_agreement(PairedValues(reference[:3], reference, "EF", "%"), tmp_path / "few.png")


def test_agreement_of_equals_has_no_noise(tmp_path: Path, drawn: list[Figure]) -> None:
    values = np.array([40.1, 50.2, 60.3])
    draw_agreement(PairedValues(values + 1e-15, values, "EF", "%"), tmp_path / "ef.png")
    assert drawn[0].axes[1].get_title() == "bias 0.0, limits 0.0 to 0.0"


def test_agreement_is_written_in_its_colours(tmp_path: Path) -> None:
    reference = np.array([40.0, 50.0, 60.0])
    draw_agreement(PairedValues(reference + 2, reference, "EF", "%"), tmp_path / "ef.png")
    pixels = np.asarray(Image.open(tmp_path / "ef.png").convert("RGB")).astype(int)
    vermilion = np.argwhere(np.abs(pixels - (213, 94, 0)).sum(axis=2) < 30)
    assert len(vermilion) > 500
    assert vermilion[:, 1].min() > pixels.shape[1] / 2  # the lines of Bland and Altman, on the right
