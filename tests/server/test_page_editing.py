"""Contours are corrected in a real browser, against a real server."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from cardiotrace.server.api import page
from tests.programs import require
from tests.server.serving import TOKEN

pytestmark = pytest.mark.slow

WEB = Path(__file__).parents[2] / "web"


@pytest.fixture(scope="module")
def seen(server, person, camus):
    """What a person saw who corrected an exam, as `web/test/edit.mjs` tells it."""
    chromium, node = require("chromium"), require("node")
    if not (WEB / "node_modules" / "playwright-core").is_dir():
        pytest.skip("what drives the browser is not installed: npm ci in web")
    if not (Path(page.__file__).parents[1] / "static" / "index.html").is_file():
        pytest.skip("the page is not built: npm run build in web")
    (study,) = person.analysed(camus)
    told = subprocess.run(
        [node, "test/edit.mjs", f"{server.url}/?token={TOKEN}", study["id"]],
        cwd=WEB,
        env={**os.environ, "CHROMIUM": chromium},
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    assert "failed" not in found, found
    return found


def test_the_numbers_follow_while_a_point_is_dragged(seen):
    drag = seen["drag"]
    assert drag["provisional"] != drag["shown"]
    assert drag["after"]["ejection"] != drag["before"]["ejection"]
    # What was shown while the hand moved is near to what the server then said.
    assert abs(float(drag["provisional"].split()[0]) - drag["after"]["ejection"]) < 4


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


def test_after_reloading_the_edit_is_there(seen):
    assert seen["reloaded"]["now"] == seen["reloaded"]["last"]
    assert {entry["by"] for entry in seen["journal"]} == {"M. Roy"}


def test_without_the_network_a_gesture_waits_and_is_offered_after_reloading(seen):
    assert seen["unsent"]["after"]["undo"] == seen["unsent"]["before"]["undo"] + 1


def test_beside_another_person_nothing_changes(seen):
    assert "M. Roy" in seen["other"]["words"]
    assert seen["other"]["after"] == seen["other"]["before"]


def test_the_page_says_nothing_on_its_console(seen):
    # The browser itself complains of requests that were cut off on purpose.
    assert [line for line in seen["problems"] if "net::ERR_FAILED" not in line and "423" not in line] == []
