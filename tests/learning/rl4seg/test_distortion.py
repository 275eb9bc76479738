"""Each way of making wrong outlines, and noise on weights."""

import torch
from torch import nn

from cardiotrace.learning.rl4seg.distortion import Distorter, answered, change_weights, with_noise
from cardiotrace.learning.training.adaptation.rl4seg import Distortions


class Threshold(nn.Module):
    """Class 1 where the first channel is above a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([0.5]))
        self.bias = nn.Parameter(torch.zeros(1))

    def forward(self, images):
        return torch.cat([torch.zeros_like(images), images - self.weight], dim=1)


def distorter(settings: Distortions, seed: int = 0) -> Distorter:
    return Distorter(Threshold(), lambda images: images, settings, torch.Generator().manual_seed(seed))


UNITS = torch.linspace(0, 1, 16).reshape(1, 1, 4, 4).repeat(4, 1, 1, 1)
RIGHT = torch.arange(4).reshape(4, 1, 1).expand(4, 4, 4)


def found(settings: Distortions, seed: int = 0) -> dict[str, torch.Tensor]:
    return dict(distorter(settings, seed).outlines(UNITS, RIGHT))


def test_every_way_has_its_own_outlines():
    ways = list(found(Distortions()))
    assert ways == [
        "swapped", "weights 0.005", "weights 0.01", "weights 0.015", "weights 0.02", "contrast 0.7", "contrast 0.8",
        "noise 0.05", "noise 0.1",
    ]  # fmt: skip


def test_swapped_outlines_are_those_of_another_image_for_every_image():
    for seed in range(5):
        swapped = found(Distortions(weight_noise=(), contrast=(), noise=()), seed)["swapped"]
        assert sorted(swapped[:, 0, 0].tolist()) == [0, 1, 2, 3]
        assert not (swapped[:, 0, 0] == RIGHT[:, 0, 0]).any()


def test_less_contrast_is_seen_by_the_network():
    half = found(Distortions(swapped=False, weight_noise=(), contrast=(0.5,), noise=()))["contrast 0.5"]
    assert int(answered(Threshold(), UNITS).sum()) == 4 * 8
    assert int(half.sum()) == 0


def test_noise_is_added_and_the_brightest_pixel_is_one_again():
    noisy = found(Distortions(swapped=False, weight_noise=(), contrast=(), noise=(0.3,)))["noise 0.3"]
    assert 0 < int((noisy != answered(Threshold(), UNITS)).sum()) < 32


def test_noise_on_weights_leaves_the_network_and_its_biases_as_they_were():
    network = Threshold()
    noisy = with_noise(network, 1.0, torch.Generator().manual_seed(1))
    assert network.weight.item() == 0.5
    assert noisy.weight.item() != 0.5
    assert noisy.bias.item() == 0


def test_shrink_and_perturb():
    network = nn.Linear(200, 200)
    before = network.weight.detach().clone()
    change_weights(network, factor=0.5, spread=0.01, generator=torch.Generator().manual_seed(0))
    added = network.weight.detach() - 0.5 * before
    assert abs(float(added.std()) - 0.01) < 0.0005
    assert abs(float(added.mean())) < 0.0005


def test_one_image_has_no_other_outline():
    one = distorter(Distortions(weight_noise=(), contrast=(), noise=()))
    assert list(one.outlines(UNITS[:1], RIGHT[:1])) == []
