import json
from pathlib import Path

import pytest

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.server.pacs.destination import Destination
from cardiotrace.server.pacs.settings import USUAL_RULE, NetworkSettings, NodeSettings, Peer, Rule
from cardiotrace.server.pacs.study_query import StudyQuery

PACS = Destination(name="pacs", host="127.0.0.1", port=104, ae_title="PACS")


def test_settings_come_back_from_plain_data(tmp_path):
    web = Destination(
        name="web", kind="dicomweb", url="https://pacs/dicom-web", user="me", password_file=tmp_path / "p"
    )
    rule = Rule(name="hearts", modalities=("MR",), send_to=("pacs",), forms=("segmentations", "pdf"))
    made = NetworkSettings(destinations=(PACS, web), rules=(rule,))
    assert NetworkSettings.from_plain(json.loads(json.dumps(made.to_plain()))) == made


def test_without_a_rule_a_study_is_analysed_and_not_sent():
    assert NetworkSettings().rule_for("dicom", ["US"]) is USUAL_RULE
    assert USUAL_RULE.analyse
    assert not USUAL_RULE.send_to


def test_the_first_rule_that_fits_counts():
    rules = (
        Rule(name="by hand", origins=("upload",), analyse=False),
        Rule(name="hearts", modalities=("MR",), send_to=("pacs",)),
    )
    settings = NetworkSettings(destinations=(PACS,), rules=rules)
    found = [settings.rule_for(origin, ["MR"]).name for origin in ("upload", "dicom")]
    assert found == ["by hand", "hearts"]
    assert settings.rule_for("dicom", ["US"]) is USUAL_RULE


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"destinations": [{"name": "a", "port": 1, "host": "h", "ae_title": "A"}] * 2}, "two destinations"),
        ({"rules": [{"send_to": ["nowhere"]}]}, "which is no destination"),
        ({"destinations": [{"name": "a", "host": "h", "port": 104, "ae_title": "x" * 17}]}, "no AE title"),
        ({"destinations": [{"name": "a", "host": "h", "port": 104, "ae_title": "a\\b"}]}, "no AE title"),
        ({"destinations": [{"name": "a", "host": "h", "port": 70000, "ae_title": "A"}]}, "host and a port"),
        ({"destinations": [{"name": "../a", "host": "h", "port": 104, "ae_title": "A"}]}, "cannot be the name"),
        ({"destinations": [{"name": "a", "kind": "dicomweb", "url": "file:///etc"}]}, "no root of DICOMweb"),
        ({"destinations": [{"name": "a", "kind": "dicomweb", "url": "http://me:secret@pacs"}]}, "no root of DICOMweb"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_work_is_refused_in_words(values, message):
    with pytest.raises(ConfigError, match=message):
        NetworkSettings.from_plain(values)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"host": "0.0.0.0"}, "no peer is named"),
        ({"certificate": Path("a.pem")}, "needs its key"),
        ({"port": 70000}, "a port is from"),
        ({"ae_title": " "}, "no AE title"),
    ],
)
def test_a_node_that_cannot_work_is_refused_in_words(values, message):
    with pytest.raises(ConfigError, match=message):
        NodeSettings(**values)


def test_a_node_may_be_open_to_those_that_are_named():
    assert not NodeSettings(host="0.0.0.0", peers=(Peer(ae_title="SCANNER"),)).is_local


@pytest.mark.parametrize("asked", [{}, {"dates": "yesterday"}, {"dates": "-"}, {"study_uid": "../1"}])
def test_questions_that_are_none(asked):
    with pytest.raises(InputError):
        StudyQuery(**asked)
