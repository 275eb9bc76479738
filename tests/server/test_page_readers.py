"""A reader study in a real browser, against a real server: made, read by two people, compared."""

import pytest

from tests.server.serving import TOKEN
from tests.server.test_page import built, node

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def seen(server, person, camus):
    """What was seen, as `web/test/readers.mjs` tells it; and what the server kept."""
    built()
    person.analysed(camus)
    return node("test/readers.mjs", f"{server.url}/?token={TOKEN}")


def test_all_of_it_is_done_without_an_error_and_each_screen_can_be_used_by_everybody(seen):
    assert seen["wrong"] == []
    assert seen["axe"] == []
    assert seen["overflow"] <= 0


def test_what_is_missing_is_told_at_each_field(seen):
    assert seen["missing"] == ["Give it a name.", "Name at least one reader.", "Choose at least one exam."]


def test_a_reader_sees_the_exam_and_nothing_that_was_found(seen):
    assert "Who works here?" in seen["stranger"]
    for reading in seen["readings"]:
        assert reading["heading"] == "Exam 1 of 1"
        assert (reading["tabs"], reading["flags"]) == (2, 0)
        assert not reading["labels"]
        assert not reading["canEnd"]  # before anything was drawn


def test_contours_and_times_are_kept_and_the_study_is_untouched(seen, person):
    (group,) = seen["kept"]
    assert [each["reader"] for each in group["readings"]] == ["A. Roy", "B. Lee"]
    assert all(each["done"] and each["seconds"] > 0 and each["version"] >= 2 for each in group["readings"])
    assert person.get(f"/studies/{group['readings'][0]['study']}")["edits"] == 0
    assert seen["listed"] == "2 of 2 done"


def test_readers_are_compared(seen):
    assert seen["over"].startswith("#/reader-studies/")
    first = seen["outlines"][0]
    assert first[:4] == ["A. Roy – B. Lee", "Left ventricle", "2", "2"]
    assert 0.5 < float(first[4]) < 1
    (fraction,) = (row for row in seen["outlines"] if row[1] == "Ejection fraction, %")
    assert fraction[2] == "1"
    assert fraction[4] == "–"  # of one exam there are no limits
    assert seen["points"] == 1
    assert seen["table"] == "agreement.csv"


def test_a_reader_study_that_is_over_can_be_deleted(seen, person):
    assert seen["deleted"] == "#/reader-studies"
    assert person.get("/reader-studies") == []
