"""What a hand does in the page beside editing contours, in a real browser, against a real server."""

import pytest

from tests.fake.camus import SPACING_MM, write_camus
from tests.server.serving import TOKEN
from tests.server.test_page import built, node

FILM = "patient0001_4CH_half_sequence"
FRAMES = 9


@pytest.fixture(scope="module")
def seen(server, tmp_path_factory):
    """What a person saw, as `web/test/gestures.mjs` tells it."""
    built()
    made = tmp_path_factory.mktemp("made")
    write_camus(made, patients=1, views=("4CH",), frames=FRAMES)
    folder = made / "to drop"
    (folder / "inner").mkdir(parents=True)
    (made / f"database_nifti/patient0001/{FILM}.nii.gz").rename(folder / "inner" / f"{FILM}.nii.gz")
    found = node("test/gestures.mjs", f"{server.url}/?token={TOKEN}", folder, seconds=300.0)
    assert "failed" not in found, found
    return found


def test_a_folder_is_dropped_onto_the_list(seen):
    assert seen["dropped"]["state"] == "done"


@pytest.mark.parametrize(("phase", "by"), [("ED", 2), ("ES", -2)])
def test_a_marker_of_the_curve_is_dragged_to_another_frame(seen, phase, by):
    found = seen["markers"][phase]
    assert found["after"] == found["before"] + by
    assert found["shown"] == found["after"]  # while the hand held it
    assert found["clock"] == f"{found['after'] + 1}/{FRAMES}"  # the film went along


def test_a_flag_is_accepted_with_a_reason(seen):
    assert seen["flag"]["accepted"] == [{"by": "M. Roy", "reason": "seen before"}]
    assert "M. Roy" in seen["flag"]["shown"]
    assert "seen before" in seen["flag"]["shown"]


def test_a_distance_ends_in_the_same_image(seen):
    found = seen["calliper"]
    assert found["none"] == found["deleted"] < found["within"]
    assert found["wordsWithin"] is None
    assert found["beside"] == found["within"]  # the one that ended beside the image is not kept
    assert "calibrated" in found["wordsBeside"]


def test_the_segments_of_the_wall_are_a_layer(seen):
    before, shown, after = seen["segments"]["counts"]
    assert before == after < shown - 50
    assert seen["segments"]["numbers"] == [[3, 9, 14, 16, 12, 6]] * FRAMES


def test_two_fingers_zoom(seen):
    assert "2.5×" in seen["pinch"]["after"]  # from 80 pixels apart to 200
    assert "2.5×" not in seen["pinch"]["before"]


def test_the_finger_that_stays_moves_no_window(seen):
    assert seen["lifted"]["after"] == seen["lifted"]["before"]


def test_a_finger_moves_a_point_and_a_second_one_takes_that_back(seen):
    begun, broken, moved = seen["touched"]
    assert (broken, moved) == (begun, begun + 1)


def test_what_is_known_stands_in_the_form_of_another_analysis(seen):
    asked = seen["asked"]
    assert asked[FILM] == "A4C"
    assert [float(asked[side]) for side in ("Height of a row", "Width of a column")] == pytest.approx(SPACING_MM)
    assert asked["Language of the report"] == "en"
    assert asked["Weight, kg"] == ""


def test_nothing_went_wrong_in_the_browser(seen):
    assert seen["wrongs"] == []
