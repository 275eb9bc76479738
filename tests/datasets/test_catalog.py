import pytest

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import check
from tests.fake.acdc import write_acdc
from tests.fake.camus import write_camus
from tests.fake.chase import write_chase
from tests.fake.drive import write_drive
from tests.fake.echonet import write_echonet
from tests.fake.hmc_qu import write_hmc_qu
from tests.fake.mnms import write_mnms, write_mnms2
from tests.fake.sunnybrook import write_sunnybrook
from tests.fake.sunnybrook_dicom import write_sunnybrook_dicom
from tests.fake.ted import write_ted


def write_acdc_and_mnms(root):
    """Two data sets whose numbers for the same structures differ."""
    write_acdc(root / "acdc")
    write_mnms(root / "mnms")


def write_nothing(root):
    """Phantoms have no files."""


WRITERS = {
    "camus": (write_camus, {}),
    "echonet": (write_echonet, {}),
    "ted": (write_ted, {}),
    "hmc-qu": (write_hmc_qu, {}),
    "acdc": (write_acdc, {}),
    "mnms": (write_mnms, {}),
    "mnms2": (write_mnms2, {}),
    "sunnybrook": (write_sunnybrook, {}),
    "sunnybrook-dicom": (write_sunnybrook_dicom, {}),
    "chase": (write_chase, {}),
    "drive": (write_drive, {}),
    "phantom": (write_nothing, {"kind": "fundus", "count": 2, "vendors": ["drive"]}),
    "joined": (write_acdc_and_mnms, {"parts": [{"name": "acdc"}, {"name": "mnms"}]}),
    "folder": (write_chase, {"labels": "labels1", "label_ending": "_1stHO", "scheme": "vessel255", "channels": 3}),
}


def test_every_data_set_has_a_fake():
    assert set(WRITERS) == set(DATASETS.names)


@pytest.mark.parametrize("name", DATASETS.names)
def test_contract(tmp_path, make, name):
    write, options = WRITERS[name]
    write(tmp_path)
    dataset = make(name, tmp_path, **options)
    assert dataset.licence
    assert dataset.views
    assert set(dataset.mirror_axes) <= {"height", "width"}
    cases = dataset.cases()
    assert len({case.name for case in cases}) == len(cases) > 0
    assert {case.patient for case in cases} == set(dataset.exams())
    for split in dataset.splits().values():
        check(split)
        assert set(split.patients) <= set(dataset.exams())
    labelled = [case for case in cases if case.read_labels is not None]
    assert labelled
    for case in labelled[:3]:
        image = case.read_image()
        assert image.is_colour == (dataset.channels == 3)
        assert case.view in dataset.views
        assert image.view == case.view
        assert all((dataset.root / file).is_file() for file in case.files)
        labels = case.read_labels()
        assert labels.array.shape == image.grid_shape
        # Of some images only some structures are labelled.
        assert labels.scheme.values.items() <= dataset.scheme.values.items()
    exam = dataset.exam(dataset.exams()[0])
    assert len({image.name for image in exam.images}) == len(exam.images) > 0


@pytest.mark.parametrize("name", DATASETS.names)
def test_configuration_is_plain_data(tmp_path, make, name):
    write, options = WRITERS[name]
    write(tmp_path)
    config = make(name, tmp_path, **options).config
    assert from_plain(type(config), to_plain(config)) == config
