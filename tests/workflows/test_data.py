"""Opening and packing data sets."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError
from cardiotrace.datasets.folder import Folder, FolderConfig
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.workflows.services.dataset import pack

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
    options = {"root": coloured / "data", "scheme": "vessel"}
    wide = pack(Folder(FolderConfig(**options)), PREPARATION, cache=coloured / "cache")
    assert wide.images.shape == (3, 3, 16, 16)
    flat = pack(Folder(FolderConfig(**options, channels=1)), PREPARATION, cache=coloured / "cache")
    assert flat.images.shape == (3, 1, 16, 16)  # and not the packed colours
    assert set(np.unique(flat.images)) == {round(0.299 * 200 + 0.587 * 30 + 0.114 * 10)}


def test_what_comes_out_in_other_channels_is_refused_before_any_training(coloured):
    @dataclasses.dataclass(frozen=True)
    class Wrong(Folder):
        @property
        def channels(self) -> int:
            return 1

        def cases(self):
            return Folder(self.config).cases()

    dataset = Wrong(FolderConfig(root=coloured / "data", scheme="vessel"))
    with pytest.raises(InputError, match="come out in 3 channels, where the data set states 1"):
        pack(dataset, PREPARATION, cache=coloured / "cache")
