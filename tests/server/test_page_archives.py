"""The page of archives in a real browser, against a real server: its own node, an archive of the web, rules."""

import pytest

from tests.fake.dicom_exam import PATIENT_ID, write_ultrasound
from tests.server.pacs.web_archive import web_archive
from tests.server.serving import API, TOKEN, served, wait_for
from tests.server.test_page import built, node


@pytest.fixture(scope="module")
def seen(tmp_path_factory, tiny_model):
    """What a person saw, as `web/test/archives.mjs` tells it; and the settings that were kept."""
    built()
    folder = tmp_path_factory.mktemp("archives")
    write_ultrasound(folder / "us")
    files = sorted(path for path in (folder / "us").rglob("*") if path.is_file())
    with web_archive(files) as web, served(folder / "kept", model=str(tiny_model), dicom_port=0) as running:
        person = running.person
        port = wait_for(lambda: person.get("/pacs/node"), lambda found: found["runs"])["port"]
        rule = {"name": "to be removed", "analyse": False}
        person.http.put(f"{API}/rules", json={"rules": [rule]}).raise_for_status()
        found = node("test/archives.mjs", f"{running.url}/?token={TOKEN}", port, web)
        kept = {**person.get("/pacs/destinations"), **person.get("/rules")}
        (study,) = person.get("/studies")["studies"]
        return {**found, "port": port, "kept": kept, "study": study, "node_after": person.get("/pacs/node")}


def test_all_of_it_is_done_without_an_error_and_each_screen_can_be_used_by_everybody(seen):
    assert seen["wrong"] == []
    assert seen["refused"] == 2
    assert seen["axe"] == []
    assert seen["overflow"] <= 0


def test_the_node_says_as_whom_and_where_it_listens_and_what_came(seen):
    assert seen["node"] == ["CARDIOTRACE", f"127.0.0.1:{seen['port']}", "any program of this machine", "studies: 0"]
    after = seen["node_after"]
    assert (after["studies"], after["receiving"], after["peers"]) == (1, 0, [])
    assert after["last"] == seen["study"]["created"]


def test_what_is_wrong_about_a_destination_stands_at_its_field(seen):
    assert seen["missing"] == ["Name", "Host", "AE title of the archive"]


def test_destinations_are_tested_and_removed_but_not_those_that_a_rule_needs(seen):
    assert "does not answer" in seen["nobody"] or "no connection" in seen["nobody"]
    assert [each["name"] for each in seen["kept"]["destinations"]] == ["web", "own"]
    assert "a rule sends to 'web', which is no destination" in seen["needed"]


def test_a_study_is_looked_for_and_fetched(seen):
    assert seen["nothing"] == "Name a patient, a number or a day."
    assert seen["none"] == "The archive has no such study."
    assert PATIENT_ID in seen["fetched"]
    assert seen["fetched"].endswith("Fetch")
    assert seen["study"]["origin"] == "dicom"
    assert seen["study"]["job"] is None  # as the rule said that was there then


def test_a_rule_is_the_same_as_a_form_and_as_text(seen):
    assert seen["unsent"] == "Choose what is sent."
    assert seen["noRule"] == "Rule 1 is no rule: colour"
    assert seen["renamed"] == "films"
    (rule,) = seen["kept"]["rules"]
    assert rule == {**seen["json"][0], "name": "films"}
    assert (rule["modalities"], rule["send_to"], rule["forms"]) == (["US"], ["web"], ["pdf"])
