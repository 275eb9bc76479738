"""Earlier exams, languages and forms of a report, as verbs and Python take them."""

import json

import pytest

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.report.pdf import BROWSER
from cardiotrace.workflows import MeasureConfig, ReportConfig, measure_exams
from tests.fake.camus import write_camus


@pytest.fixture(scope="module")
def patients(tmp_path_factory):
    folder = tmp_path_factory.mktemp("camus")
    write_camus(folder, patients=2, views=("4CH",), frames=3)
    return [folder / "database_nifti" / f"patient000{number}" for number in (1, 2)]


def measured(patients, out, **form):
    config = MeasureConfig(exams=tuple(patients), labels=patients[0].parent, out=out, report=ReportConfig(**form))
    labels = patients[0] if len(patients) == 1 else patients[0].parent
    return measure_exams(MeasureConfig(**{**vars(config), "labels": labels}))


def test_an_exam_is_compared_with_an_earlier_one_and_again_when_that_changes(patients, tmp_path):
    one = patients[:1]
    measured(one, tmp_path / "old")
    prior = tmp_path / "old" / "patient0001" / "measures.json"
    plain = json.loads(prior.read_text())
    for quantity in plain["quantities"]:
        quantity["value"] *= 0.5
    prior.write_text(json.dumps(plain))
    (first,) = measured(one, tmp_path / "new", prior=prior).done
    written = json.loads(first.report.with_name("measures.json").read_text())
    assert written["comparison"] == first.plain["comparison"]
    change = next(item for item in written["comparison"]["changes"] if item["name"].endswith("ejection_fraction"))
    assert change["change"] == pytest.approx(change["now"]["value"] / 2, rel=1e-4)
    assert "verdict" not in change  # a person may have drawn either
    assert "since the earlier exam" in first.report.read_text()
    assert not measured(one, tmp_path / "new", prior=prior.parent).done[0].is_new  # the folder is the same exam
    prior.write_text(json.dumps(plain, indent=1))
    assert measured(one, tmp_path / "new", prior=prior).done[0].is_new
    assert measured(one, tmp_path / "new").done[0].is_new  # and without it


def test_several_exams_find_their_earlier_ones_by_name(patients, tmp_path):
    measured(patients[:1], tmp_path / "old")
    with pytest.raises(UsageError, match="is one earlier exam, and there are 2 exams now"):
        measured(patients, tmp_path / "new", prior=tmp_path / "old" / "patient0001")
    assert not (tmp_path / "new").exists()
    first, second = measured(patients, tmp_path / "new", prior=tmp_path / "old").done
    assert "comparison" in first.plain
    assert "comparison" not in second.plain
    assert "old holds no earlier exam patient0002" in second.report.read_text()


def test_what_is_no_earlier_exam_is_refused_before_anything_is_done(patients, tmp_path):
    with pytest.raises(UsageError, match="no such file or folder"):
        measured(patients[:1], tmp_path / "new", prior=tmp_path / "missing.json")
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(InputError, match="is no record of measures"):
        measured(patients[:1], tmp_path / "new", prior=tmp_path / "other.json")
    assert not (tmp_path / "new").exists()


def test_without_a_browser_a_pdf_is_refused_before_anything_is_done(patients, tmp_path, monkeypatch):
    monkeypatch.setenv(BROWSER, "no-such-browser")
    with pytest.raises(UsageError, match="no-such-browser"):
        measured(patients[:1], tmp_path / "new", pdf=True)
    assert not (tmp_path / "new").exists()


def test_another_language_writes_the_report_anew_and_outlines_are_in_the_provenance(patients, tmp_path):
    one = patients[:1]
    assert measured(one, tmp_path / "out").done[0].is_new
    (french,) = measured(one, tmp_path / "out", language="fr", papillaries="mass", frame_images=True).done
    assert french.is_new
    assert 'lang="fr"' in french.report.read_text()
    assert french.plain["provenance"]["given"] == {"papillaries": "mass"}
    assert len(list((french.report.parent / "figures" / "frames").iterdir())) == 3
    with pytest.raises(UsageError, match="choose from: en, fr"):
        measured(one, tmp_path / "out", language="de")
