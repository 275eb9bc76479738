import pytest
from torch import nn

from cardiotrace.learning.models.describe import describe_architectures, multiply_adds


def test_strided_grouped_and_transposed_convolutions():
    size = (8, 12)
    assert multiply_adds(nn.Conv2d(1, 6, 3, stride=2, padding=1), size=size) == 4 * 6 * 6 * 9
    assert multiply_adds(nn.Conv2d(4, 4, 3, padding=1, groups=4), channels=4, size=size) == 96 * 4 * 9
    assert multiply_adds(nn.ConvTranspose2d(2, 3, 2, stride=2), channels=2, size=size) == 96 * 2 * 3 * 4


def test_only_what_runs_in_use_is_counted():
    rows = {row["architecture"]: row for row in describe_architectures()}
    base = rows["unet1"]["multiply_adds"]
    assert base == pytest.approx(8.01e9 / 2, rel=1e-3)  # counted layer by layer: 8.01 GFLOP a frame
    assert rows["acnn"]["multiply_adds"] == base  # its autoencoder does not run
    assert rows["runet"]["multiply_adds"] == pytest.approx(2 * base, rel=1e-3)  # and a little for the dilation
    assert rows["unet-small"]["multiply_adds"] < base / 10
