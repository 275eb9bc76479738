import math

import pytest

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.report.bullseye import draw_bullseye
from cardiotrace.report.drawing import Area, Drawing, Lettering
from cardiotrace.report.words import Words


def values(name: str = "end_diastolic_wall_thickness", unit: str = "mm", *, flags=(), **found) -> SegmentValues:
    told = {int(key[1:]): value for key, value in found.items()} or {number: float(number) for number in range(1, 18)}
    return SegmentValues(name, unit, Method.TRACED, "SAX", told, flags=flags)


def numbers(drawing: Drawing) -> dict[str, tuple[float, float]]:
    """Where the seventeen numbers stand, from the middle; y grows downwards."""
    bold = [part for part in drawing.parts if isinstance(part, Lettering) and part.is_bold][:17]
    middle = bold[16].at
    return {part.text: (part.at[0] - middle[0], part.at[1] - middle[1]) for part in bold}


def fills(drawing: Drawing) -> list[str]:
    return [part.fill for part in drawing.parts if isinstance(part, Area)][:17]


def test_segments_stand_where_cardiologists_look_for_them() -> None:
    found = numbers(draw_bullseye(values()))
    angles = {text: math.degrees(math.atan2(-y, x)) % 360 for text, (x, y) in found.items()}
    reach = {text: math.hypot(x, y) for text, (x, y) in found.items()}
    # From the first at the top over the septum on the left: anteroseptal, inferoseptal, inferior, ...
    for first in (1, 7):
        assert [angles[str(first + step)] for step in range(6)] == pytest.approx([90, 150, 210, 270, 330, 30])
    assert [angles[str(number)] for number in (13, 14, 15, 16)] == pytest.approx([90, 180, 270, 0], abs=1e-6)
    assert reach["1"] > reach["7"] > reach["13"] > reach["17"] == 0


def test_what_was_not_measured_has_a_dash_and_no_colour() -> None:
    drawing = draw_bullseye(values(s1=9.4, s2=14.6))
    texts = [part.text for part in drawing.parts if isinstance(part, Lettering) and part.is_bold][:17]
    assert texts == ["9", "15", *["–"] * 15]
    assert len(set(fills(drawing)[2:])) == 1
    assert fills(drawing)[0] != fills(drawing)[1] != fills(drawing)[2]


def test_colours_are_the_same_in_every_exam_and_tell_the_signs_of_strain_apart() -> None:
    one, other = (draw_bullseye(values("longitudinal_strain", "percent", s1=-18.0, s2=value)) for value in (-2.0, 6.0))
    assert fills(one)[0] == fills(other)[0]
    red, _, blue = (int(fills(other)[1][place : place + 2], 16) for place in (1, 3, 5))
    assert red > blue  # stretching is orange
    assert "−18" in [part.text for part in one.parts if isinstance(part, Lettering)]


def test_values_that_are_not_usable_are_not_shown() -> None:
    bad = draw_bullseye(values(flags=(Flag(Grade.NOT_USABLE, "no"),)), Words("fr"))
    texts = [part.text for part in bad.parts if isinstance(part, Lettering)]
    assert texts.count("–") == 17
    assert "inutilisable" in texts
    assert "Épaisseur pariétale en télédiastole, mm" in texts


def test_a_name_that_nobody_knows_gets_a_scale_that_fits() -> None:
    texts = [part.text for part in draw_bullseye(values("twist", "ratio")).parts if isinstance(part, Lettering)]
    assert {"Twist, ", "1", "17"} & set(texts) >= {"1", "17"}
