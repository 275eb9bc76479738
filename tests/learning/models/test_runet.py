import numpy as np
import pytest
import torch
from scipy import ndimage

from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.models.runet import (
    RegionConfig,
    RUNetConfig,
    dilated,
    region,
    runet,
    soft_threshold,
)

HARD = 1e4
"""A second slope that leaves no doubt."""


def blob_logits(rows=slice(20, 28), columns=slice(30, 40), size=64, inside=20.0):
    """Two classes, sure of a rectangle of foreground."""
    logits = torch.zeros(1, 2, size, size)
    logits[:, 0] = 20.0
    logits[:, 0, rows, columns] = 0.0
    logits[:, 1, rows, columns] = inside
    return logits


def box(mask):
    """First and last row and column of the region."""
    rows, columns = torch.nonzero(mask[0, 0] > 0.5, as_tuple=True)
    return rows.min().item(), rows.max().item(), columns.min().item(), columns.max().item()


def test_dilation_is_a_convolution_with_ones():
    mask = torch.rand(1, 1, 20, 24, generator=torch.Generator().manual_seed(0))
    for side in (1, 5, 11):
        expected = ndimage.convolve(mask[0, 0].numpy(), np.ones((side, side)) / side**2, mode="constant")
        np.testing.assert_allclose(dilated(mask, side)[0, 0].numpy(), expected, atol=1e-6)
    assert dilated(mask, 30).shape == mask.shape


@pytest.mark.parametrize(("dilation", "reach"), [(1, 0), (5, 2), (11, 5)])
def test_region_is_the_blob_grown_by_half_the_dilation(dilation, reach):
    """More than a hundredth of the square: with 11 x 11 two pixels suffice, and an edge of the blob gives eight."""
    config = RegionConfig(dilation=dilation, second_slope=HARD)
    assert box(region(blob_logits(), config, dilation)) == (20 - reach, 27 + reach, 30 - reach, 39 + reach)


def test_far_away_the_paper_s_numbers_leave_a_quarter_of_the_image():
    config = RegionConfig()
    mask = region(blob_logits(), config, config.dilation)
    assert mask[0, 0, 24, 35].item() == pytest.approx(1, abs=1e-4)
    assert mask[0, 0, 60, 5].item() == pytest.approx(1 / (1 + np.e), abs=1e-4)
    hard = RegionConfig(second_slope=1000.0)
    assert region(blob_logits(), hard, 11)[0, 0, 60, 5].item() < 1e-4


def test_shift_decides_who_belongs_to_the_foreground():
    """An unsure blob, foreground with probability 0.62, lies between the shifts of both tables."""
    logits = blob_logits(inside=0.5)
    areas = [
        (region(logits, RegionConfig(dilation=1, shift=shift, second_slope=HARD), 1) > 0.5).sum().item()
        for shift in (0.5, 0.7)
    ]
    assert areas == [80, 0]


def test_gradient_flows_through_both_thresholds():
    logits = blob_logits(inside=0.05).requires_grad_()  # just above a half: on the flank of the first threshold
    config = RegionConfig()
    region(logits, config, config.dilation)[0, 0, 20 - 5, 35].backward()  # the rim, on the flank of the second
    assert logits.grad is not None
    assert logits.grad[0, 1, 20, 31:39].min() > 0  # more foreground there widens the region
    assert logits.grad[0, 1, 27].abs().max() == 0  # out of reach


def test_the_second_loss_teaches_the_first_network_through_the_rim_of_its_region():
    torch.manual_seed(0)
    network = runet(RUNetConfig(), NetworkSpec(1, 2)).train()
    first = torch.nn.Conv2d(1, 2, 1)  # foreground where the image is brighter than a half
    with torch.no_grad():
        first.weight.copy_(torch.tensor([-10.0, 10.0]).reshape(2, 1, 1, 1))
        first.bias.copy_(torch.tensor([5.0, -5.0]))
    network.stages[0] = first
    images = torch.linspace(0, 1, 64).expand(1, 1, 32, 64).contiguous()
    refined, _ = network(images).logits
    refined.square().mean().backward()
    assert first.weight.grad.abs().max() > 0
    first.weight.grad = None
    refined, _ = network(images + 5).logits  # foreground everywhere: a region without a rim teaches nothing
    refined.square().mean().backward()
    assert first.weight.grad.abs().max() == 0


def test_threshold_does_not_overflow_in_half_precision():
    values = torch.tensor([0.0, 1.0], dtype=torch.float16)
    assert soft_threshold(values, slope=100, shift=0.5).tolist() == [0.0, 1.0]


def test_variants_of_the_discussion():
    images = torch.rand(1, 1, 32, 64)
    several = runet(RUNetConfig(further_dilations=(5, 21)), NetworkSpec(1, 4))
    assert several.stages[1].encoder[0][0].in_channels == 3
    cascaded = runet(RUNetConfig(stages=4, refined_weight=0.7), NetworkSpec(1, 4))
    outputs = cascaded(images)
    assert len(outputs.logits) == 4
    assert outputs.weights == pytest.approx((0.7, 0.1, 0.1, 0.1))
    light = runet(RUNetConfig(light=True), NetworkSpec(1, 4))
    assert sum(weights.numel() for weights in light.parameters()) / 2 == pytest.approx(1.5e6, rel=0.02)


def test_pretraining_counts_steps_and_survives_a_checkpoint():
    network = runet(RUNetConfig(pretraining_steps=2), NetworkSpec(1, 4)).train()
    seen = [network(torch.rand(1, 1, 32, 32)).weights for _ in range(3)]
    assert seen == [(0.0, 1.0), (0.0, 1.0), (0.5, 0.5)]
    copy = runet(RUNetConfig(pretraining_steps=2), NetworkSpec(1, 4))
    copy.load_state_dict(network.state_dict())
    assert copy.output_weights() == (0.5, 0.5)
    network.eval()(torch.rand(1, 1, 32, 32))
    assert int(network.steps_taken) == 3


@pytest.mark.parametrize(
    ("values", "message"),
    [({"dilation": 0}, "at least 1 pixel"), ({"stages": 1}, "stages must be at least 2"), ({"slope": 0.0}, "positive")],
)
def test_a_bad_recipe_is_refused_in_words(values, message):
    with pytest.raises(ConfigError, match=message):
        from_plain(RUNetConfig, values)
