import zipfile

import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Known
from cardiotrace.core.terms import Structure
from tests.fake.sunnybrook import write_sunnybrook


def test_cases(tmp_path, make):
    write_sunnybrook(tmp_path)
    cases = make("sunnybrook", tmp_path).cases()
    assert [case.name for case in cases] == ["case01", "case02", "case03"]
    assert [case.groups["pathology"] for case in cases] == ["other", "other", "HYP"]
    image, labels = cases[2].read_image(), cases[2].read_labels()
    assert image.grid_shape == labels.array.shape == (1, 5, 64, 64)
    assert image.spacing_mm == pytest.approx((8.0, 2 * 1.3672, 2 * 1.25))  # the archive states half of it in the plane
    assert labels.spacing_mm == image.spacing_mm
    assert (image.geometry.pixel_size, image.geometry.slice_distance) == (Known.DATA_SET, Known.DATA_SET)
    assert any("pixel size was corrected" in note for note in image.notes)
    # Five rings of 4 pixels around cavities of 6 down to 4.2 pixels.
    inner = np.linspace(6.0, 4.2, 5)
    assert labels.mask(Structure.MYO).sum() == pytest.approx(np.pi * ((inner + 4) ** 2 - inner**2).sum(), rel=0.03)


def test_root_may_be_the_file(tmp_path, make):
    path = write_sunnybrook(tmp_path)
    sunnybrook = make("sunnybrook", path)
    assert sunnybrook.root == tmp_path
    assert sunnybrook.exam("case02").images[0].image.grid_shape == (1, 3, 64, 64)


def test_pickled_objects_are_refused(tmp_path, make):
    arrays = {name: np.array([{}], object) for name in ("images", "segs", "caseIndices", "caseVoxelSize")}
    np.savez(tmp_path / "scd_lvsegs.npz", **arrays)
    with pytest.raises(InputError, match="cannot be read as an archive"):
        make("sunnybrook", tmp_path).cases()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive"])
def test_damaged_archive(tmp_path, make, content):
    (tmp_path / "scd_lvsegs.npz").write_bytes(content)
    with pytest.raises(InputError, match="cannot be read as an archive"):
        make("sunnybrook", tmp_path).cases()


def test_another_archive(tmp_path, make):
    with zipfile.ZipFile(tmp_path / "scd_lvsegs.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(InputError, match="has no array 'images'"):
        make("sunnybrook", tmp_path).exams()


def test_missing_root(tmp_path, make):
    with pytest.raises(InputError, match=r"holds no scd_lvsegs\.npz"):
        make("sunnybrook", tmp_path)


@pytest.mark.data
def test_real_archive(data_root, make):
    cases = make("sunnybrook", data_root / "sunnybrook").cases()
    assert len(cases) == 30
    assert sum(case.read_image().grid_shape[1] for case in cases) == 282
    assert [case.groups["pathology"] for case in cases].count("HYP") == 8
