"""The container of pixels: what is written is read, and lies as the page expects it."""

import json

import numpy as np
import pytest

from cardiotrace.server.work.container import packed, read_array, write_array


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16", "float32"])
def test_an_array_comes_back(tmp_path, dtype):
    array = (np.arange(2 * 1 * 3 * 5) % 251).astype(dtype).reshape(2, 1, 3, 5)
    write_array(tmp_path / "a", array, {"window": [0, 250], "spacing_mm": None})
    found, facts = read_array(tmp_path / "a")
    assert found.dtype == dtype
    assert np.array_equal(found, array)
    assert facts["window"] == [0, 250]
    assert (tmp_path / "a").read_bytes() == packed(array, {"window": [0, 250], "spacing_mm": None})


def test_data_begin_at_a_multiple_of_eight():
    for width in range(1, 12):
        content = packed(np.zeros((1, 1, 1, width), ">i2"), {"name": "x" * width})
        length = int.from_bytes(content[4:8], "little")
        assert content[:4] == b"CTA1"
        assert (8 + length) % 8 == 0
        assert json.loads(content[8 : 8 + length])["shape"] == [1, 1, 1, width]
        assert len(content) == 8 + length + 2 * width


def test_numbers_that_are_not_sent_are_refused():
    with pytest.raises(ValueError, match="float64"):
        packed(np.zeros((1, 1, 1, 1)), {})
    with pytest.raises(ValueError, match="JSON"):
        packed(np.zeros((1, 1, 1, 1), np.uint8), {"slice_mm": float("nan")})
