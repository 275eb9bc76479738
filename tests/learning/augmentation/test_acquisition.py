"""Laws that every change between scanners keeps, what is drawn for it, and whose looks an image may take."""

from dataclasses import fields, replace

import pytest
import torch

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.augmentation import (
    AmplitudeExchange,
    Augmentation,
    BiasField,
    Draw,
    Ghosting,
    IntensityWindow,
    Motion,
    Parameters,
    RandomContrast,
    apply,
    identity,
    sample,
)
from cardiotrace.learning.augmentation.acquisition import sample_partners
from cardiotrace.learning.augmentation.partner import partners_of
from tests.learning.augmentation.drawing import HALF, batch, changed, seeded

CHANGES = {
    "bias_field": BiasField(Draw(1.0, 0.3, 0.3)),
    "slice_brightness": HALF,
    "inverted_gamma": HALF,
    "intensity_window": IntensityWindow(1.0),
    "acquired_resolution": HALF,
    "gibbs": HALF,
    "ghosting": Ghosting(HALF),
    "motion": Motion(1.0),
    "amplitude_exchange": AmplitudeExchange(HALF, 0.1),
    "histogram_matching": HALF,
    "random_contrast": RandomContrast(HALF),
}
NEVER = {
    "bias_field": BiasField(),
    "slice_brightness": Draw(),
    "inverted_gamma": Draw(),
    "intensity_window": IntensityWindow(),
    "acquired_resolution": Draw(),
    "gibbs": Draw(),
    "ghosting": Ghosting(),
    "motion": Motion(),
    "amplitude_exchange": AmplitudeExchange(),
    "histogram_matching": Draw(),
    "random_contrast": RandomContrast(),
}
EVERYTHING = Augmentation(**CHANGES, gamma_keeps_statistics=True)


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_changes_grey_values_within_their_range_and_no_label(name):
    images, labels = batch(channels=2)
    before = images.clone()
    new, moved = changed(Augmentation(**{name: CHANGES[name]}), images, labels)
    assert torch.equal(moved, labels)
    assert torch.equal(images, before)
    assert (new - images).abs().flatten(1).mean(dim=1).min() > 1e-4
    assert 0 <= new.min() <= new.max() <= 1


@pytest.mark.parametrize("name", NEVER)
def test_with_probability_0_nothing_changes_to_the_bit(name):
    images, labels = batch()
    new, _ = changed(Augmentation(**{name: NEVER[name]}), images, labels)
    assert torch.equal(new, images)


def test_a_record_is_replayed_to_the_bit_and_another_seed_draws_another():
    images, labels = batch()
    first, again, other = (changed(EVERYTHING, images, labels, seed)[0] for seed in (5, 5, 6))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_recipes_without_these_changes_draw_what_they_always_drew():
    plain = Augmentation(gamma=Draw(0.5, 0.7, 1.5), noise_sd=Draw(0.5, 0.0, 0.1))
    without, beside = (sample(config, 6, (48, 40), seeded()) for config in (plain, replace(plain, **CHANGES)))
    assert torch.equal(without.gamma, beside.gamma)
    assert without.noise_seed == beside.noise_seed
    first, second = seeded(), seeded()
    sample(Augmentation(), 6, (48, 40), first)
    sample(Augmentation(), 6, (48, 40), second, domains=["A"] * 6)
    assert torch.equal(first.get_state(), second.get_state())


def test_how_far_the_generator_advances_does_not_depend_on_what_happens():
    first, second = seeded(), seeded()
    sample(Augmentation(**CHANGES), 6, (48, 40), first)
    sample(Augmentation(**NEVER), 6, (48, 40), second)
    assert torch.equal(first.get_state(), second.get_state())


def test_each_image_changes_alike_alone_and_in_a_batch():
    """But for what takes its looks from others, and for drawn textures."""
    images, labels = batch()
    apart = {"amplitude_exchange": None, "histogram_matching": None, "random_contrast": None}
    parameters = sample(replace(EVERYTHING, **apart), 4, (48, 40), seeded())
    together, _ = apply(images, labels, parameters)
    for index in range(4):
        rows = {
            item.name: value[index : index + 1]
            for item in fields(Parameters)
            if isinstance(value := getattr(parameters, item.name), torch.Tensor)
        }
        alone, _ = apply(images[index : index + 1], labels[index : index + 1], replace(parameters, **rows))
        torch.testing.assert_close(alone[0], together[index], atol=1e-5, rtol=0)


def test_a_recipe_that_leaves_them_out_has_the_keys_it_always_had():
    """The digest by which an interrupted run knows its recipe is made of them."""
    assert not {*CHANGES, "gamma_keeps_statistics"} & set(to_plain(Augmentation()))
    assert from_plain(Augmentation, to_plain(EVERYTHING)) == EVERYTHING


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gibbs": {"probability": 1.0, "low": 0.0, "high": 1.0}}, "gibbs must be above 0"),
        (
            {"acquired_resolution": {"probability": 1.0, "low": 0.5, "high": 2.0}},
            "acquired_resolution must not be above",
        ),
        ({"slice_brightness": {"probability": 1.0, "low": -1.0, "high": 1.0}}, "slice_brightness must not be negative"),
        (
            {"histogram_matching": {"probability": 1.0, "low": 0.0, "high": 1.5}},
            r"histogram_matching must be in 0\.\.1",
        ),
        ({"ghosting": {"fewest": 1}}, "ghosting: 2 <= fewest <= most"),
        ({"ghosting": {"strength": {"low": 0.0, "high": 2.0}}}, r"strength must be in 0\.\.1"),
        ({"motion": {"earliest": 0.7}}, "motion: 0 < earliest <= latest <= 1"),
        ({"motion": {"shift": 0.7}}, r"shift must be in 0\.\.0\.5"),
        ({"motion": {"probability": 2.0}}, "probability must be in"),
        ({"amplitude_exchange": {"radius": 0.6}}, "radius must be in"),
        ({"intensity_window": {"cut_percent": 50.0}}, "cut_percent must be in"),
        ({"intensity_window": {"probability": -1.0}}, "probability must be in"),
        ({"bias_field": {"grid": 0}}, "bias_field: grid must be at least 1"),
        ({"bias_field": {"amplitude": {"low": -1.0}}}, "amplitude must not be negative"),
        ({"random_contrast": {"background_parts": 0}}, "background_parts must be at least 1"),
    ],
)
def test_a_bad_option_is_refused_in_words(values, message):
    with pytest.raises(ConfigError, match=message):
        from_plain(Augmentation, values)


# Partners


def test_looks_are_taken_from_another_domain_where_there_is_one():
    domains = ["GE", "GE", "GE", "Philips", ""]
    chosen = torch.stack([sample_partners(5, domains, seeded(seed))[:, 1] for seed in range(200)])
    assert set(chosen[:, :3].flatten().tolist()) == {3}
    assert set(chosen[:, 3].tolist()) == {0, 1, 2}
    # Of an unknown domain nobody is known to be of another: any other image.
    assert set(chosen[:, 4].tolist()) == {0, 1, 2, 3}


def test_without_domains_any_other_image_is_taken_and_alone_an_image_is_its_own():
    chosen = torch.stack([sample_partners(3, None, seeded(seed))[:, 1] for seed in range(50)])
    assert [set(chosen[:, index].tolist()) for index in range(3)] == [{1, 2}, {0, 2}, {0, 1}]
    assert sample_partners(1, ["GE"], seeded()).tolist() == [[0, 0]]
    with pytest.raises(ValueError, match="2 domains of 3 images"):
        sample_partners(3, ["GE", "GE"], seeded())


def test_of_a_part_of_a_batch_another_image_stands_in_for_a_partner_elsewhere():
    part = replace(identity(3), partner=torch.tensor([[0, 4], [2, 3], [4, 0]]))
    assert partners_of(part).tolist() == [2, 0, 0]
    volumes = replace(identity(6), partner=torch.tensor([[1, 3], [3, 2]]).repeat_interleave(3, dim=0))
    assert partners_of(volumes).tolist() == [3, 4, 5, 0, 1, 2]


def test_slices_of_a_volume_are_darkened_one_by_one():
    config = Augmentation(slice_brightness=Draw(1.0, 0.2, 0.9))
    drawn = sample(config, 2, (48, 40), seeded())
    planes = {
        item.name: value.repeat_interleave(3, dim=0)
        for item in fields(Parameters)
        if isinstance(value := getattr(drawn, item.name), torch.Tensor)
    }
    new, _ = apply(torch.ones(6, 1, 4, 4), torch.zeros(6, 4, 4, dtype=torch.int64), replace(drawn, **planes))
    torch.testing.assert_close(new[:, 0, 0, 0].view(2, 3), drawn.slice_brightness[:, :3])
    assert len(set(new[:, 0, 0, 0].tolist())) == 6


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_the_gpu_does_the_same_but_for_textures():
    images, labels = batch()
    parameters = sample(replace(EVERYTHING, random_contrast=None), 4, (48, 40), seeded())
    expected, _ = apply(images, labels, parameters)
    actual, _ = apply(images.cuda(), labels.cuda(), parameters)
    torch.testing.assert_close(actual.cpu(), expected, atol=1e-4, rtol=0)
