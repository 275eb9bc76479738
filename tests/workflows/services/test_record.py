"""What an earlier run wrote is read back, whatever version of this program it was."""

import json

import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.flag import Grade
from cardiotrace.workflows.services.cohort import write_summary
from cardiotrace.workflows.services.record import read_record
from tests.fake.measures import MEASURES


@pytest.mark.parametrize("version", ["1", "2", "3"])
def test_every_version_is_read(tmp_path, version):
    plain = MEASURES.to_plain() | {"version": version}
    if version == "1":
        plain["flags"] = [flag["text"] for flag in plain["flags"]]
        for item in plain["quantities"]:
            item["flags"] = [flag["text"] for flag in item["flags"]]
    for name in ("p", "q"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "measures.json").write_text(json.dumps(plain))
        (tmp_path / name / "report.html").write_text("")
    read = read_record(tmp_path / "p").measures
    assert read.end_diastolic_volume_ml == 120.4
    assert [flag.text for flag in read.flags] == [flag.text for flag in MEASURES.flags]
    assert read.flags[0].grade is (Grade.LOOK_TWICE if version == "1" else Grade.NOTE)
    assert write_summary(tmp_path, {}, set()) == tmp_path / "index.html"
    assert "p,done," in (tmp_path / "summary.csv").read_text()


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"version": "9"}', '{"version": "2", "quantities": 3}', "[" * 100000]
)
def test_a_record_that_is_none(tmp_path, text):
    (tmp_path / "measures.json").write_text(text)
    with pytest.raises(InputError, match="no record of measures"):
        read_record(tmp_path)


def test_a_record_of_a_newer_program_says_what_to_do(tmp_path):
    (tmp_path / "measures.json").write_text('{"version": "9", "exam": "p", "quantities": [], "flags": []}')
    with pytest.raises(InputError, match="newer CardioTrace") as found:
        read_record(tmp_path)
    assert "update CardioTrace" in str(found.value.remedy)
