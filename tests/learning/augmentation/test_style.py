"""Styles of features: what is mixed, where, and that use knows nothing of it."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.augmentation.style import (
    MaxStyle,
    MixStyle,
    StyleSearch,
    attach_mixstyle,
    levels_of,
    mixed,
    style_of,
    with_style,
)
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.models.unet import UNetConfig, unet
from tests.learning.training.tiny import recipe


def features(count=6, seed=1):
    generator = torch.Generator().manual_seed(seed)
    scale = torch.linspace(0.5, 3, count)[:, None, None, None]
    return scale * torch.randn(count, 3, 20, 24, generator=generator) + scale


def network():
    torch.manual_seed(0)
    return unet(UNetConfig(levels=2, width=4), NetworkSpec(1, 3))


def test_a_style_is_mean_and_standard_deviation():
    mean, sd = style_of(features())
    torch.testing.assert_close(mean.flatten(), features().mean(dim=(2, 3)).flatten())
    torch.testing.assert_close(sd.flatten(), features().std(dim=(2, 3), correction=0).flatten())
    new_mean, new_sd = style_of(with_style(features(), torch.tensor(2.0), torch.tensor(0.5)))
    torch.testing.assert_close(new_mean, torch.full_like(mean, 2.0), atol=1e-5, rtol=0)
    torch.testing.assert_close(new_sd, torch.full_like(sd, 0.5), atol=1e-4, rtol=0)


def test_mixed_styles_lie_between_those_of_two_images_and_contents_stay():
    torch.manual_seed(3)
    before, after = features(), mixed(features(), MixStyle(1.0, alpha=1.0))
    (mean, sd), (new_mean, new_sd) = style_of(before), style_of(after)
    torch.testing.assert_close((after - new_mean) / new_sd, (before - mean) / sd, atol=1e-3, rtol=0)
    # The share and the partner by hand, from the same random numbers.
    torch.manual_seed(3)
    share = torch.distributions.Beta(1.0, 1.0).sample((6,))[:, None, None, None]
    torch.rand(())
    other = torch.randperm(6)
    torch.testing.assert_close(new_mean, share * mean + (1 - share) * mean[other], atol=1e-4, rtol=0)
    torch.testing.assert_close(new_sd, share * sd + (1 - share) * sd[other], atol=1e-4, rtol=0)
    assert (new_mean - mean).abs().max() > 0.1


def test_probability_0_changes_nothing():
    assert torch.equal(mixed(features(), MixStyle(0.0)), features())


def test_a_network_mixes_in_training_alone():
    plain, mixing = network(), network()
    attach_mixstyle(mixing, MixStyle(1.0, 1.0))
    assert mixing.state_dict().keys() == plain.state_dict().keys()
    images = torch.rand(4, 1, 16, 16) * torch.linspace(0.2, 1, 4)[:, None, None, None]
    assert torch.equal(mixing.eval()(images), plain.eval()(images))
    assert (mixing.train()(images) - plain.train()(images)).abs().max() > 1e-3


def test_a_search_begins_with_new_styles_and_ends_without():
    some = network().train()
    search = StyleSearch(some, MaxStyle(steps=1))
    images = torch.rand(4, 1, 16, 16) * torch.linspace(0.2, 1, 4)[:, None, None, None]
    plain = some(images)
    with search:
        first = some(images)
        assert torch.equal(some(images), first)
        # The style is on the last images, as many as it was drawn for.
        twice = some(torch.cat([images, images]))
        torch.testing.assert_close(twice[:4], plain, atol=1e-5, rtol=0)
        torch.testing.assert_close(twice[4:], first, atol=1e-5, rtol=0)
    assert (first - plain).abs().max() > 1e-3
    assert torch.equal(some(images), plain)
    with search:
        assert (some(images) - first).abs().max() > 1e-3


def test_ascent_makes_the_loss_larger():
    some = network().train()
    search = StyleSearch(some, MaxStyle(steps=1, rate=0.05))
    images = torch.rand(4, 1, 16, 16) * torch.linspace(0.2, 1, 4)[:, None, None, None]
    labels = torch.randint(0, 3, (4, 16, 16), generator=torch.Generator().manual_seed(0))
    losses = []
    with search:
        for _ in range(5):
            loss = nn.functional.cross_entropy(some(images), labels)
            search.ascended(loss)
            losses.append(loss.item())
    assert all(after > before for before, after in pairwise(losses))
    assert all(weights.grad is None for weights in some.parameters())


def test_levels_that_are_not_there_are_refused_when_the_recipe_is_read():
    assert len(levels_of(network(), (0, 2), "mixstyle")) == 2
    with pytest.raises(ConfigError, match=r"augmentation.mixstyle acts on levels 0, 7 .* has 3 levels"):
        recipe(augmentation={"mixstyle": {"levels": [0, 7]}})
    with pytest.raises(ConfigError, match=r"augmentation.maxstyle acts on levels 0, 1 .* has 0 levels"):
        recipe(architecture={"name": "wnet"}, augmentation={"maxstyle": {}})
    for values, words in (
        ({"mixstyle": {"probability": 2.0}}, "probability must be in"),
        ({"mixstyle": {"alpha": 0.0}}, "alpha must be above 0"),
        ({"mixstyle": {"levels": [1, 1]}}, "levels must be different"),
        ({"maxstyle": {"steps": 0}}, "steps must be at least 1"),
    ):
        with pytest.raises(ConfigError, match=words):
            recipe(augmentation=values)
