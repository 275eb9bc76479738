"""Opening and packing data sets."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.folder import Folder, FolderConfig
from cardiotrace.datasets.split import Split, k_folds, patient_groups
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.services.dataset import MadeFolds, SamplePlan, choose_split, pack

PREPARATION = Preprocessing([Choice("resize", {"height": 16, "width": 16})])


@pytest.fixture
def coloured(tmp_path):
    """Three red images and their masks."""
    for folder in ("images", "labels"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    for name in "abc":
        Image.fromarray(np.full((20, 24, 3), (200, 30, 10), np.uint8)).save(tmp_path / f"data/images/{name}.png")
        Image.fromarray(np.ones((20, 24), np.uint8)).save(tmp_path / f"data/labels/{name}.png")
    return tmp_path


def test_an_own_data_set_is_packed_in_the_channels_that_it_states(coloured):
    place = coloured / "data"
    wide = pack(Folder(place, FolderConfig(scheme="vessel")), SamplePlan(PREPARATION), cache=coloured / "cache")
    assert wide.images.shape == (3, 3, 16, 16)
    grey = Folder(place, FolderConfig(scheme="vessel", channels=1))
    flat = pack(grey, SamplePlan(PREPARATION), cache=coloured / "cache")
    assert flat.images.shape == (3, 1, 16, 16)  # and not the packed colours
    assert set(np.unique(flat.images)) == {round(0.299 * 200 + 0.587 * 30 + 0.114 * 10)}


def test_what_comes_out_in_other_channels_is_refused_before_any_training(coloured):
    @dataclasses.dataclass(frozen=True)
    class Wrong(Folder):
        @property
        def channels(self) -> int:
            return 1

        def cases(self):
            return Folder(self.root, self.config).cases()

    dataset = Wrong(coloured / "data", FolderConfig(scheme="vessel"))
    with pytest.raises(InputError, match="come out in 3 channels, where the data set states 1"):
        pack(dataset, SamplePlan(PREPARATION), cache=coloured / "cache")


@dataclasses.dataclass(frozen=True)
class Patients:
    """Ten patients, and the splits that are published of them."""

    published: tuple[str, ...]
    name = "fake"

    def splits(self):
        return {
            name: Split((f"p{place}", f"p{place + 1}"), (f"p{place + 2}",), (f"p{place + 3}",))
            for place, name in enumerate(self.published)
        }

    def cases(self):
        return [
            Case(f"p{number}", View.SAX, Phase.ED, {"patient": f"p{number}"}, lambda: None, None)
            for number in range(10)
        ]


@pytest.mark.parametrize(
    ("published", "name", "fold", "chosen"),
    [
        ("official", "official", None, "official"),
        ("official fold1 fold2", "official", 2, "fold2"),  # a number counts where folds are published
        ("official fold1 fold2", "fold1", None, "fold1"),
        ("official fold1 fold2", "k-fold", 2, None),  # made here, though there are published ones
        ("fold1 fold2", "official", 2, "fold2"),
        ("", "official", 3, None),  # none is published: made here
        ("", "k-fold", None, None),
    ],
)
def test_which_split_is_chosen(published, name, fold, chosen):
    dataset = Patients(tuple(published.split()))
    split = choose_split(dataset, name, fold=fold, made=MadeFolds(seed=1))
    if chosen is None:
        patients = patient_groups(dataset.cases())
        assert split == k_folds(patients, folds=5, seed=1)[(fold or 1) - 1]
    else:
        assert split == dataset.splits()[chosen]


@pytest.mark.parametrize(
    ("published", "name", "fold", "message"),
    [
        ("official", "offical", None, "fake has no split 'offical'"),
        ("official", "offical", 1, "fake has no split 'offical'"),
        ("fold1", "official", None, "fake has no split 'official'"),
        ("official", "official", 1, "fake has no fold 1: it publishes none"),
        ("official fold1 fold2", "official", 3, "fake has no fold 3: folds are 1 to 2"),
        ("official", "k-fold", 6, "there is no fold 6: folds are 1 to 5"),
        ("official", "k-fold", 0, "there is no fold 0: folds are 1 to 5"),
        ("", "official", 0, "there is no fold 0: folds are 1 to 5"),
    ],
)
def test_splits_and_folds_that_there_are_not(published, name, fold, message):
    with pytest.raises(InputError, match=message):
        choose_split(Patients(tuple(published.split())), name, fold=fold)
