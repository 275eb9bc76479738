import pytest

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.server.pacs.destination import Destination
from cardiotrace.server.pacs.settings import USUAL_RULE, NetworkSettings, NodeSettings, Peer, Rule
from cardiotrace.server.pacs.study_query import StudyQuery

PACS = Destination(name="pacs", host="127.0.0.1", port=104, ae_title="PACS")


def test_settings_come_back_as_they_were_written(tmp_path):
    web = Destination(
        name="web", kind="dicomweb", url="https://pacs/dicom-web", user="me", password_file=tmp_path / "p"
    )
    rule = Rule(name="hearts", modalities=("MR",), send_to=("pacs",), forms=("segmentations", "pdf"))
    node = NodeSettings(enabled=True, port=104, peers=(Peer(ae_title="SCANNER", host="10.0.0.1"),))
    made = NetworkSettings(destinations=(PACS, web), rules=(rule,), node=node)
    made.write(tmp_path)
    assert NetworkSettings.read(tmp_path) == made


def test_without_a_file_nothing_is_sent_and_nobody_listens(tmp_path):
    settings = NetworkSettings.read(tmp_path)
    assert not settings.node.enabled
    assert settings.rule_for(origin="dicom", modalities=["US"]) is USUAL_RULE
    assert USUAL_RULE.analyse
    assert not USUAL_RULE.send_to


def test_the_first_rule_that_fits_counts():
    rules = (
        Rule(name="not ours", described=("knee",), analyse=False),
        Rule(name="hearts", modalities=("MR",), send_to=("pacs",)),
    )
    settings = NetworkSettings(destinations=(PACS,), rules=rules)
    found = [
        settings.rule_for(origin="dicom", modalities=["MR"], description=told).name for told in ("Knee left", "Heart")
    ]
    assert found == ["not ours", "hearts"]
    assert settings.rule_for(origin="upload", modalities=["US"]) is USUAL_RULE


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
        ({"node": {"host": "0.0.0.0", "port": 104}}, "no peer is named"),
        ({"node": {"certificate": "a.pem"}}, "needs its key"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_what_cannot_work_is_refused_in_words(values, message):
    with pytest.raises(ConfigError, match=message):
        NetworkSettings.from_plain(values)


@pytest.mark.parametrize("asked", [{}, {"dates": "yesterday"}, {"dates": "-"}, {"study_uid": "../1"}])
def test_questions_that_are_none(asked):
    with pytest.raises(InputError):
        StudyQuery(**asked)
