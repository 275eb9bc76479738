"""Each published data set is listed once, and that is enough to open and to recognise it."""

import shutil
from pathlib import Path

import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.exam_discovery import find_exams
from cardiotrace.datasets.published import PUBLISHED
from cardiotrace.datasets.recognise import visits_at
from tests.datasets.test_catalog import WRITERS

NAMES = [entry.name for entry in PUBLISHED]
FOLDER_OF_ONE = {"camus": "camus", "acdc": "acdc", "mnms": "mnms", "mnms2": "mnms2", "ted": "ted"}


@pytest.fixture(params=NAMES)
def opened(request, tmp_path):
    """A published data set at its root."""
    WRITERS[request.param][0](tmp_path / "release")
    return DATASETS.make(Choice(request.param), tmp_path / "release")


def test_the_facts_in_the_list_are_those_of_the_data_set(opened):
    entry = DATASETS[opened.name]
    assert entry.facts is opened.facts
    assert (entry.summary, entry.source) == (opened.facts.summary, opened.facts.source)
    assert set(opened.views) <= set(opened.facts.views)
    assert opened.facts.source.split(" et al.")[0] in opened.citation


def test_the_root_is_no_option_and_is_passed_over_in_older_recipes(opened):
    older = Choice(opened.name, {"root": "/somewhere/else"})
    assert DATASETS.config(older) == DATASETS.config(Choice(opened.name)) == opened.config
    assert "root" not in DATASETS.resolve(older).options
    assert DATASETS.make(older, opened.root).exams() == opened.exams()


def test_what_is_missing_is_said_with_what_to_give(opened, tmp_path):
    (tmp_path / "empty").mkdir()
    for place, message in ((tmp_path / "nowhere", "there is no such folder"), (tmp_path / "empty", "holds no ")):
        with pytest.raises(InputError, match=message) as error:
            DATASETS.make(Choice(opened.name), place)
        assert error.value.remedy == f"give {opened.facts.expected}."


def test_a_home_folder_is_expanded(opened, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert type(opened)(Path("~/release")).root == tmp_path / "release"


@pytest.mark.parametrize("name", sorted(FOLDER_OF_ONE))
def test_a_patient_s_folder_is_read_by_its_own_reader_whatever_it_is_called(tmp_path, name):
    WRITERS[name][0](tmp_path / "release")
    dataset = DATASETS.make(Choice(name), tmp_path / "release")
    patient = dataset.exams()[0]
    folder = next(path for path in (tmp_path / "release").rglob(patient) if path.is_dir())
    renamed = shutil.copytree(folder, tmp_path / "Frau Schmidt")
    (visit,) = visits_at(renamed)
    assert (visit.dataset, visit.name) == (name, patient)
    read = visit.read()
    assert [image.name for image in read.images] == [image.name for image in dataset.exam(patient).images]
    (found,) = find_exams([renamed])
    assert found.name == "Frau Schmidt"
    assert [image.phases for image in found.read().images] == [image.phases for image in read.images]


def test_no_two_readers_claim_one_folder(opened, tmp_path):
    for path in [tmp_path / "release", *(path for path in (tmp_path / "release").rglob("*"))]:
        assert [entry.name for entry in PUBLISHED if entry.recognise(path)] in ([], [opened.name])


def test_phantoms_alone_need_no_folder():
    assert [name for name in DATASETS.names if not DATASETS.needs_folder(name)] == ["phantom"]
    with pytest.raises(ConfigError, match="there is no data set 'camsu'"):
        DATASETS.needs_folder("camsu")
