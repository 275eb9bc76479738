from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from cardiotrace.report.drawing import Area, Drawing, Lettering, Stroke, font_file, font_for

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def drawing() -> Drawing:
    made = Drawing(100, 60)
    made.add(Area([(10, 10), (50, 10), (50, 30), (10, 30)], "#ff0000"))
    made.add(Stroke([(0, 50), (100, 50)], "#0000ff", 2.0, dash=10.0))
    made.add(Lettering((95, 20), "a < b & c", 12, "#000000", "end"))
    return made


def test_the_file_is_sound_and_words_cannot_break_it(drawing: Drawing) -> None:
    root = ElementTree.fromstring(drawing.svg())
    assert root.get("viewBox") == "0 0 100 60"
    (text,) = root.iter(f"{SVG}text")
    assert (text.text, text.get("text-anchor")) == ("a < b & c", "end")
    area, line = root.iter(f"{SVG}path")
    assert (area.get("d"), area.get("fill")) == ("M10,10 50,10 50,30 10,30Z", "#ff0000")
    assert (line.get("stroke-dasharray"), line.get("stroke-width")) == ("10", "2")


def test_the_picture_shows_the_same(drawing: Drawing) -> None:
    pixels = np.asarray(drawing.picture(2.0)).astype(int)
    assert pixels.shape == (120, 200, 3)
    red = np.argwhere(np.abs(pixels - (255, 0, 0)).sum(axis=2) < 30)
    assert [*red.min(axis=0), *red.max(axis=0)] == pytest.approx([20, 20, 60, 100], abs=1.5)
    blue = np.abs(pixels - (0, 0, 255)).sum(axis=2)[100] < 60
    # Dashes of twenty pixels, as long as the gaps.
    assert blue[[10, 50, 90]].all()
    assert not blue[[30, 70, 110]].any()
    black = np.argwhere(pixels.sum(axis=2) < 150)
    assert black[:, 1].max() == pytest.approx(190, abs=4)


def test_words_with_accents_get_a_font_that_has_them() -> None:
    wide = {letter: font_for(f"{letter}é", 20).getmask(letter).getbbox() for letter in ("é", "\uffff")}
    assert wide["é"] != wide["\uffff"]  # no empty box
    assert font_for("end-diastole", 20).getname()[0] != font_for("télédiastole", 20).getname()[0]
    assert Path(font_file(bold=True)).is_file()
