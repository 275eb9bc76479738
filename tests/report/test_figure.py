from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.errors import InputError
from cardiotrace.report import draw_curves
from cardiotrace.report.figure import draw_agreement


def test_one_panel_for_each_kind_of_value(tmp_path: Path) -> None:
    rows = [{"epoch": 1, "loss": 0.9, "lr": 1e-3}, {"epoch": 2, "loss": 0.5, "lr": 5e-4, "val_dice": 0.8}]
    draw_curves(rows, tmp_path / "all.png")
    draw_curves([{"loss": 0.9}, {"loss": float("nan")}, {"loss": 0.4}], tmp_path / "loss.png")
    with Image.open(tmp_path / "all.png") as three, Image.open(tmp_path / "loss.png") as one:
        assert three.width == pytest.approx(3 * one.width, abs=3)


def test_nothing_to_draw_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no loss"):
        draw_curves([{"epoch": 1}], tmp_path / "none.png")
    assert list(tmp_path.iterdir()) == []


def test_agreement_leaves_out_missing_pairs(tmp_path: Path) -> None:
    reference = np.array([40.0, 50.0, 60.0, 70.0, np.nan])
    draw_agreement(reference + 2, reference, tmp_path / "ef.png", quantity="ejection fraction", unit="%")
    assert (tmp_path / "ef.png").stat().st_size > 10_000
    with pytest.raises(InputError, match="too few"):
        draw_agreement(reference[3:], reference[3:], tmp_path / "few.png", quantity="EF", unit="%")
    with pytest.raises(InputError, match="predicted for"):
        draw_agreement(reference[:3], reference, tmp_path / "few.png", quantity="EF", unit="%")
