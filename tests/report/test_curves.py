"""Curves of all views on one time axis: what stands where in the drawing."""

import pytest

from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.curve import Curve
from cardiotrace.clinical.key_frames import KeyFrame
from cardiotrace.core.terms import Phase, View
from cardiotrace.report.curves import draw_exam_curves
from cardiotrace.report.drawing import Drawing, Lettering, Stroke
from cardiotrace.report.words import Words


def curve(image: str = "a", view: str = "A4C", *, step_ms: float | None = 40.0, **series) -> Curve:
    count = len(next(iter(series.values())))
    times = None if step_ms is None else tuple(step_ms * frame for frame in range(count))
    return Curve(image, view, times, series)


def key(phase: Phase, frame: int, image: str = "a") -> KeyFrame:
    return KeyFrame(View.FOUR_CHAMBER, "A4C", phase, image, frame, is_named=False)


def texts(drawing: Drawing) -> list[str]:
    return [part.text for part in drawing.parts if isinstance(part, Lettering)]


def lines(drawing: Drawing) -> list[Stroke]:
    return [part for part in drawing.parts if isinstance(part, Stroke) and part.width == 2.0 and len(part.points) > 1]


def marks(drawing: Drawing) -> dict[str, float]:
    """Where dotted lines stand, by the word at their foot."""
    dotted = [part for part in drawing.parts if isinstance(part, Stroke) and part.dash == 2.0 and part.width == 1.0]
    feet = [part for part in drawing.parts if isinstance(part, Lettering) and part.size == 10]
    return {word.text: line.points[0][0] for word, line in zip(feet, dotted, strict=True)}


def test_views_lie_on_one_another_from_their_end_diastoles() -> None:
    first = curve("a", "A4C", left_ventricular_volume_ml=(100.0, 60.0, 50.0, 90.0))
    second = curve("b", "A2C", step_ms=20.0, left_ventricular_volume_ml=(70.0, 110.0, 60.0, 55.0, 50.0, 70.0))
    found = draw_exam_curves([first, second], [key(Phase.ED, 0), key(Phase.ED, 1, "b"), key(Phase.ES, 2)])
    one, other = lines(found)
    # 100 ml at 0 ms of one view and 110 ml at 0 ms of the other, which began 20 ms before.
    assert one.points[0][0] == pytest.approx(other.points[1][0])
    assert other.points[0][0] < one.points[0][0]
    # 40 ms apart in one are two frames of the other.
    assert one.points[1][0] == pytest.approx(other.points[3][0])
    heights = {value: point[1] for value, point in zip((100, 60, 50, 90), one.points, strict=True)}
    assert heights[50] - heights[100] == pytest.approx(5 * (heights[90] - heights[100]))
    assert marks(found) == {"ES": pytest.approx(one.points[2][0])}
    assert {"ms from end-diastole", "Volume, ml", "A4C LV", "A2C LV"} <= set(texts(found))


def test_curves_without_times_run_over_frames_and_leave_gaps() -> None:
    found = draw_exam_curves([curve(step_ms=None, left_ventricular_volume_ml=(90.0, 80.0, None, 60.0, 70.0))], [])
    assert [len(line.points) for line in lines(found)] == [2, 2]
    assert "frame" in texts(found)
    assert "0" in texts(found)  # the axis begins at nothing, not at the smallest value


def test_kinds_have_panels_of_their_own_and_areas_stand_in_for_volumes() -> None:
    full = curve(
        left_ventricular_area_cm2=(30, 20, 30), left_ventricular_volume_ml=(100, 50, 100),
        left_ventricular_length_cm=(9, 7, 9), left_atrial_area_cm2=(9, 15, 9),
        left_ventricular_longitudinal_strain_percent=(0.0, -18.0, -1.0),
    )  # fmt: skip
    found = draw_exam_curves([full], [])
    assert len(lines(found)) == 3
    titles = [text for text in texts(found) if ", " in text]
    assert titles == ["Volume, ml", "Strain, %", "Area, cm²"]
    assert "−20" in texts(found)
    bare = draw_exam_curves([curve(left_ventricular_area_px2=(300, 200, 300))], [])
    assert [text for text in texts(bare) if ", " in text] == ["Area, px²"]
    assert len(lines(bare)) == 1


def test_every_beat_is_marked_in_its_language() -> None:
    film = curve(left_ventricular_volume_ml=(100.0, 50.0, 99.0, 52.0, 98.0))
    beats = [Beat("a", "A4C", 0, 1, 2), Beat("a", "A4C", 2, 3, None), Beat("gone", "A2C", 0, 1, None)]
    found = draw_exam_curves([film], [key(Phase.ED, 0), key(Phase.ES, 3)], beats, Words("fr"))
    feet = [part.text for part in found.parts if isinstance(part, Lettering) and part.size == 10]
    assert feet == ["TS", "TD", "TS"]
    assert {"ms depuis la télédiastole", "A4C VG"} <= set(texts(found))
