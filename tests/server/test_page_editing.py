"""Contours are corrected in a real browser, against a real server."""

import pytest

from tests.server.serving import TOKEN
from tests.server.test_page import built, node

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seen(server, person, camus):
    """What a person saw who corrected an exam, as `web/test/edit.mjs` tells it."""
    built()
    (study,) = person.analysed(camus)
    found = node("test/edit.mjs", f"{server.url}/?token={TOKEN}", study["id"], seconds=900.0)
    assert "failed" not in found, found
    return found


def test_the_numbers_follow_while_a_point_is_dragged(seen):
    drag = seen["drag"]
    assert drag["provisional"] != drag["shown"]
    assert drag["after"]["ejection"] != drag["before"]["ejection"]
    # What was shown while the hand moved is near to what the server then said; here a pixel of the cavity is 2 points.
    assert abs(float(drag["provisional"].split()[0]) - drag["after"]["ejection"]) < 7


def test_undo_gives_the_very_same_number(seen):
    assert seen["undone"]["ejection"] == seen["drag"]["before"]["ejection"]
    assert seen["redone"]["ejection"] == seen["drag"]["after"]["ejection"]


def test_points_are_added_and_taken_away(seen):
    assert seen["added"]["more"] == seen["added"]["before"] + 1
    assert seen["added"]["after"] == seen["added"]["before"]


@pytest.mark.parametrize("gesture", ["pushed", "brushed"])
def test_a_stroke_is_one_step(seen, gesture):
    before, after = seen[gesture]["before"], seen[gesture]["after"]
    assert after["undo"] == before["undo"] + 1


def test_a_verdict_is_shown(seen):
    assert seen["judged"] > 0


def test_a_signature_is_of_one_version(seen):
    kept = seen["signed"]["kept"]
    assert kept["by"] == "M. Roy"
    assert kept["checksum"] == seen["signed"]["shown"]
    assert seen["later"] is None or seen["later"]["version"] < seen["unsent"]["after"]["version"]


def test_after_reloading_the_edit_is_there(seen):
    assert seen["reloaded"]["now"] == seen["reloaded"]["last"]
    assert {entry["by"] for entry in seen["journal"]} == {"M. Roy"}


def test_without_the_network_a_gesture_waits_and_is_offered_after_reloading(seen):
    assert seen["unsent"]["after"]["undo"] == seen["unsent"]["before"]["undo"] + 1


def test_beside_another_person_nothing_changes(seen):
    assert "M. Roy" in seen["other"]["words"]
    assert seen["other"]["after"] == seen["other"]["before"]


def test_nothing_went_wrong_in_the_browser_that_was_not_meant_to(seen):
    cut_off, beside = "net::ERR_FAILED", "status of 409"
    assert [line for line in seen["wrongs"] if cut_off not in line and beside not in line] == []
