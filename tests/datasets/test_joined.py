import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.label import ACDC
from cardiotrace.core.terms import Structure
from cardiotrace.workflows.services.dataset import open_dataset
from tests.datasets.test_catalog import write_acdc_and_mnms
from tests.fake.acdc import write_acdc
from tests.fake.camus import write_camus

PARTS = [{"name": "acdc"}, {"name": "mnms"}]


@pytest.fixture
def joined(tmp_path, make):
    write_acdc_and_mnms(tmp_path)
    return make("joined", tmp_path, parts=PARTS)


def test_labels_of_every_part_come_in_the_first_scheme(joined, tmp_path, make):
    alone = make("mnms", tmp_path / "mnms")
    theirs = next(case for case in alone.cases() if case.read_labels is not None)
    ours = next(case for case in joined.cases() if case.name == theirs.name)
    labels = ours.read_labels()
    assert labels.scheme == ACDC
    for structure in (Structure.LV, Structure.MYO, Structure.RV):
        np.testing.assert_array_equal(labels.mask(structure), theirs.read_labels().mask(structure))


def test_groups_tell_the_parts_apart(joined):
    assert {case.groups["dataset"] for case in joined.cases()} == {"acdc", "mnms"}
    assert joined.name == "acdc+mnms"


def test_terms_of_all_parts_are_stated(joined, tmp_path, make):
    for name in ("acdc", "mnms"):
        part = make(name, tmp_path / name)
        assert part.licence in joined.licence
        assert part.citation in joined.citation


def test_a_split_is_there_only_if_all_parts_have_it(tmp_path, make):
    write_camus(tmp_path / "camus")
    phantoms = {"name": "phantom", "kind": "echo", "count": 4}
    camus = make("camus", tmp_path / "camus").splits()
    both = make("joined", tmp_path, parts=[{"name": "camus"}, phantoms]).splits()
    assert set(both) == set(camus) & {"official"}
    assert len(both["official"].training) == len(camus["official"].training) + 2


def test_lies_where_its_parts_do(tmp_path, monkeypatch):
    write_acdc_and_mnms(tmp_path)
    monkeypatch.setenv("CARDIOTRACE_DATA", str(tmp_path))
    choice = Choice("joined", {"parts": [Choice(part["name"]) for part in PARTS]})
    assert open_dataset(choice, None).exams() == open_dataset(choice, tmp_path).exams()


def test_other_structures_are_refused(tmp_path, make):
    write_acdc(tmp_path / "acdc")
    write_camus(tmp_path / "camus")
    with pytest.raises(InputError, match="camus labels LV, MYO, LA, acdc labels RV, MYO, LV"):
        make("joined", tmp_path, parts=[{"name": "acdc"}, {"name": "camus"}])


def test_a_patient_twice_is_refused(tmp_path, make):
    write_acdc(tmp_path / "acdc")
    with pytest.raises(InputError, match="is in two of the joined data sets"):
        make("joined", tmp_path, parts=[{"name": "acdc"}, {"name": "acdc"}])


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([{"name": "acdc"}], "at least two"),
        ([{"name": "acdc"}, {"name": "joined"}], "cannot be part of another"),
        ([{"name": "acdc"}, {"name": "nowhere"}], "there is no data set 'nowhere'"),
        ([{"name": "acdc"}, {"name": "phantom", "kin": "cmr"}], r"parts\[1\].kin"),
    ],
)
def test_bad_parts(tmp_path, make, parts, message):
    write_acdc(tmp_path / "acdc")
    with pytest.raises(ConfigError, match=message):
        make("joined", tmp_path, parts=parts)
