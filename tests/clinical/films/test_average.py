import pytest

from cardiotrace.clinical.films.average import alike, matched_beats, over_beats
from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.rule import flag


def ejection(percent: float, frame: int, *flags, method: Method = Method.SINGLE_PLANE_DISKS) -> Quantity:
    refs = (FrameRef("loop", frame),)
    return Quantity("left_ventricular_ejection_fraction", percent, "percent", method, "A4C", refs, flags=flags)


def test_the_mean_has_the_frames_and_flags_of_all_beats_and_keeps_their_values() -> None:
    wide = [flag("annulus-width", f"A4C ED: the mitral annulus is {width} mm wide") for width in (57, 59)]
    beats = [[ejection(50.0, 0, wide[0])], [ejection(56.0, 20, wide[1])], [ejection(53.0, 40)]]
    (mean,) = over_beats(beats)
    assert mean.value == pytest.approx(53.0)
    assert [str(ref) for ref in mean.frames] == ["loop:0", "loop:20", "loop:40"]
    assert [item.text for item in mean.flags] == [wide[0].text]
    assert mean.spread == pytest.approx(3.0)
    plain = mean.to_plain()
    assert plain["by_beat"] == [50.0, 56.0, 53.0]
    # How beats differ is no interval of the mean.
    assert mean.interval is None
    assert "interval" not in plain


def test_one_beat_is_left_as_it_is() -> None:
    single = ejection(50.0, 0)
    assert over_beats([[single]]) == [single]
    assert single.spread is None
    assert "by_beat" not in single.to_plain()


def test_a_value_that_not_every_beat_has_is_the_mean_of_those_that_have_it() -> None:
    area = ejection(40.0, 0, method=Method.AREA_LENGTH)
    found = over_beats([[ejection(50.0, 0), area], [ejection(54.0, 20)]])
    assert [(item.method, item.value, len(item.by_beat)) for item in found] == [
        (Method.SINGLE_PLANE_DISKS, 52.0, 2),
        (Method.AREA_LENGTH, 40.0, 0),
    ]


@pytest.mark.parametrize(("last", "is_told"), [(59.9, False), (60.1, True)])
def test_beats_that_differ_by_more_than_ten_points_are_told(last: float, is_told: bool) -> None:
    (mean,) = over_beats([[ejection(50.0, 0)], [ejection(last, 20)]])
    assert [item.rule for item in mean.flags] == (["beats-differ"] if is_told else [])


def test_views_are_no_numbers() -> None:
    found = [flag("jump", f"{view}: the area jumps by 30 %") for view in ("A4C", "A2C", "4CH", "2CH")]
    assert alike(found) == tuple(found)


def test_beats_of_like_length_are_put_together() -> None:
    assert matched_beats([700.0, 1000.0, 850.0], [990.0, 860.0]) == [(1, 0), (2, 1)]
    # A beat that is not shown to its end is taken last.
    assert matched_beats([800.0, None], [None, 805.0, 300.0]) == [(0, 1), (1, 0)]
    assert matched_beats([None, None], [None, None]) == [(0, 0), (1, 1)]
