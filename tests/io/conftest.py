"""What the tests of `cardiotrace.io` share: labels on any grid, and the independent viewer."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK

from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap


@pytest.fixture
def blob():
    """Labels on a cine's grid: an off-centre block, so that any flip or transposition moves it."""

    def make(cine: Image, scheme=CAMUS) -> LabelMap:
        array = np.zeros(cine.grid_shape, np.uint8)
        _, depth, height, width = array.shape
        array[:, : max(1, depth // 2), height // 4 : height // 2 + 1, : width // 3 + 1] = 2
        array[..., 0, width - 1] = 3
        array[-1, 0, 0, 0] = 1
        return LabelMap(array, scheme, cine.geometry, cine.source)

    return make


@pytest.fixture
def same_grid():
    """SimpleITK sees an image and its label map in the same place, and the labels where they were put."""

    def check(image_path: Path, label_path: Path, labels: LabelMap) -> None:
        image, written = SimpleITK.ReadImage(str(image_path)), SimpleITK.ReadImage(str(label_path))
        assert written.GetPixelIDTypeAsString() == "8-bit unsigned integer"
        assert written.GetSize() == image.GetSize()
        assert written.GetSpacing() == image.GetSpacing()
        assert written.GetOrigin() == image.GetOrigin()
        assert written.GetDirection() == image.GetDirection()
        flat = SimpleITK.GetArrayFromImage(written)
        assert np.array_equal(flat.ravel(), labels.array.ravel())
        for value in (1, 2, 3):
            index = tuple(int(i) for i in np.argwhere(flat == value)[-1][::-1])
            point = image.TransformIndexToPhysicalPoint(index)
            assert written[written.TransformPhysicalPointToIndex(point)] == value

    return check
