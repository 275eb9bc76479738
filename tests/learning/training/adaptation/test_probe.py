"""Probes tell what can be told, and nothing where nothing can."""

import numpy as np
import pytest
import torch

from cardiotrace.core.errors import InputError
from cardiotrace.learning.training.adaptation.probe import KINDS, Probed, ProbeSettings, balanced_accuracy, heard, probe
from cardiotrace.learning.training.build import build_model
from cardiotrace.learning.training.device_dataset import DeviceDataset
from tests.learning.training.tiny import packed, recipe

QUICK = ProbeSettings(steps=120, rate=1e-2)


def features(patients, first, shift=0.0, texture=0.0):
    """Four images each of patients of two domains in turn, of which one is shifted, or has stripes."""
    torch.manual_seed(first)
    domains = torch.tensor([index % 2 for index in range(patients) for _ in range(4)])
    values = torch.randn(len(domains), 3, 8, 8)
    values[domains == 1, 0] += shift
    stripes = torch.tensor([1.0, -1.0]).repeat(4)
    values[domains == 1, 1] += texture * stripes
    names = tuple(f"patient{first + index}" for index in range(patients) for _ in range(4))
    return Probed(values, domains, names)


@pytest.mark.parametrize("kind", KINDS)
def test_a_difference_is_found_and_none_is_not_made_up(kind):
    told = probe("bottleneck", kind, features(20, 0, shift=1.0), features(20, 100, shift=1.0), QUICK)
    assert told.accuracy > 0.9
    assert told.tells
    assert (told.chance, told.images, told.patients) == (0.5, 80, 20)
    nothing = probe("bottleneck", kind, features(20, 0), features(20, 100), QUICK)
    assert nothing.interval[0] < 0.5 < nothing.interval[1]
    assert not nothing.tells


def test_texture_of_no_mean_takes_a_convolution():
    learned, tested = features(20, 0, texture=1.0), features(20, 100, texture=1.0)
    linear, convolutional = (probe("bottleneck", kind, learned, tested, QUICK) for kind in KINDS)
    assert linear.accuracy < 0.7
    assert convolutional.accuracy > 0.9


def test_who_was_learned_from_is_not_tested_on():
    with pytest.raises(InputError, match="tested on patient4, from whom it learned"):
        probe("bottleneck", "linear", features(6, 0), features(6, 4), QUICK)
    one = features(4, 50)
    one = Probed(one.features, torch.zeros_like(one.domains), one.patients)
    with pytest.raises(InputError, match="patients of every domain"):
        probe("bottleneck", "linear", features(6, 0), one, QUICK)


def test_a_rare_domain_counts_as_much_and_patients_not_images_are_drawn():
    right, domains = np.array([1] * 90 + [0] * 10), np.array([0] * 90 + [1] * 10)
    names = [f"a{index // 9}" for index in range(90)] + [f"b{index // 5}" for index in range(10)]
    assert balanced_accuracy(right, domains, names) == (0.5, (0.5, 0.5))
    half = np.tile([1, 1, 1, 1, 1, 0, 0, 0, 0, 0], 4)  # whole patients right or wrong
    few = balanced_accuracy(half, np.zeros(40, int), [f"p{index // 5}" for index in range(40)])[1]
    many = balanced_accuracy(half, np.zeros(40, int), [f"p{index}" for index in range(40)])[1]
    assert few[1] - few[0] > 1.5 * (many[1] - many[0])


def test_features_are_those_of_the_network_as_in_use():
    some = recipe(architecture={"name": "unet", "levels": 2, "width": 8, "norm": "batch"})
    network = build_model(some, channels=1, classes=4)
    dataset = DeviceDataset(packed(5), np.arange(5), some.preprocessing, torch.device("cpu"))
    domains = [sample.groups["vendor"] for sample in dataset.samples]
    found = heard(network, dataset, ("bottleneck", "decoder"), domains)
    assert found["bottleneck"].features.shape == (5, 32, 8, 8)
    assert found["decoder"].features.shape == (5, 8, 32, 32)
    assert found["bottleneck"].domains.tolist() == [0, 1, 0, 1, 0]
    images = dataset.normalise(dataset.unit(torch.arange(5))[0])
    with torch.no_grad():
        expected = network.eval().encoded(images)[1]
    assert torch.allclose(found["bottleneck"].features.float(), expected, atol=1e-2)
