"""The file of a classifier comes back as it was written, and a damaged one is refused."""

import json

import numpy as np
import pytest

from cardiotrace.clinical.groups.classifier import SHIPPED, classifier_text, load_classifier, read_classifier
from cardiotrace.core.errors import ModelFileError
from tests.clinical.groups.classifiers import CLASSIFIER


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "groups.json"
    path.write_text(classifier_text(CLASSIFIER))
    return path


def changed(path, **facts):
    path.write_text(json.dumps(json.loads(path.read_text()) | facts))
    return path


def test_it_comes_back(file):
    found = read_classifier(file)
    assert (found.scores, found.terms, found.groups) == (CLASSIFIER.scores, CLASSIFIER.terms, CLASSIFIER.groups)
    assert len(found.sha256) == 64
    for before, now in zip(CLASSIFIER.regressions, found.regressions, strict=True):
        assert before.indices == now.indices
        np.testing.assert_array_equal(before.weights, now.weights)
        np.testing.assert_array_equal(before.precision, now.precision)
    assert classifier_text(found) == file.read_text()


def test_a_changed_number_is_seen(file):
    with pytest.raises(ModelFileError, match="damaged"):
        read_classifier(changed(file, counts=[12, 14]))


def test_a_newer_version_is_refused_and_no_file_is_none(file, tmp_path):
    with pytest.raises(ModelFileError, match="newer CardioTrace"):
        read_classifier(changed(file, version=2))
    with pytest.raises(ModelFileError, match="no such file"):
        read_classifier(tmp_path / "other.json")
    (tmp_path / "list.json").write_text("[1]")
    with pytest.raises(ModelFileError, match="is no classifier of groups"):
        read_classifier(tmp_path / "list.json")


@pytest.mark.parametrize(
    ("key", "value"), [("weights", [[1.0, 2.0]]), ("temperature", 0.0), ("scale", [0.0, 1.0]), ("centre", "x")]
)
def test_numbers_that_do_not_go_together_are_refused(file, key, value):
    from cardiotrace.clinical.groups import classifier

    facts = json.loads(file.read_text())
    facts["regressions"][0][key] = value
    del facts["sha256"]
    facts["sha256"] = classifier._digest(facts)
    file.write_text(json.dumps(facts))
    with pytest.raises(ModelFileError, match="no classifier that can be used"):
        read_classifier(file)


def test_the_shipped_one_says_what_it_is():
    found = load_classifier()
    assert set(found.groups) == {"DCM", "HCM", "MINF", "NOR", "RV"}
    assert (found.view, found.patients) == ("SAX", 60)
    assert "CC BY-NC-SA" in found.terms.licence
    assert "Bernard" in found.terms.citation
    assert found.scores.accuracy >= 0.80
    assert sum(map(sum, found.scores.confusion)) == 60 * len(found.scores.accuracies)
    needs = [set(each.indices) for each in found.regressions]
    assert all(later < needs[0] for later in needs[1:])
    assert SHIPPED.stat().st_size < 100_000
