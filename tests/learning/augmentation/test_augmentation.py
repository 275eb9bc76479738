from dataclasses import fields, replace
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cardiotrace.core.config import from_plain, to_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.augmentation import (
    Augmentation,
    Draw,
    Elastic,
    Parameters,
    apply,
    change_intensities,
    identity,
    sample,
)

EVERYTHING = Augmentation(
    rotation_degrees=Draw(0.7, -30.0, 30.0),
    scale=Draw(0.7, 0.7, 1.4),
    shift=Draw(0.7, -0.1, 0.1),
    shear=Draw(0.7, -0.2, 0.2),
    elastic=Elastic(0.7, 0.05, 6),
    low_resolution=Draw(0.5, 0.5, 1.0),
    blur_sigma=Draw(0.5, 0.5, 1.5),
    brightness=Draw(0.5, 0.75, 1.25),
    contrast=Draw(0.5, 0.75, 1.25),
    gamma=Draw(0.5, 0.7, 1.5),
    noise_sd=Draw(0.5, 0.0, 0.1),
)
SPATIAL = replace(
    EVERYTHING,
    **{name: Draw() for name in ("low_resolution", "blur_sigma", "brightness", "contrast", "gamma", "noise_sd")},
)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn(count: int = 6, height: int = 40, width: int = 48, channels: int = 1):
    images = torch.rand(count, channels, height, width, generator=seeded(1))
    return images, torch.randint(0, 4, (count, height, width), generator=seeded(2))


def changed(config: Augmentation, images, labels, seed: int = 0, mirror_axes=()):
    parameters = sample(config, len(images), images.shape[-2:], seeded(seed), mirror_axes=mirror_axes)
    return apply(images, labels, parameters)


def always(name: str, value: float) -> Augmentation:
    return Augmentation(**{name: Draw(1.0, value, value)})


def smooth_labels(count: int, height: int, width: int) -> torch.Tensor:
    rows, columns = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    disc = ((rows - height / 2) ** 2 / 100 + (columns - width / 2) ** 2 / 60) < 1
    return (disc.long() + (rows > height / 2).long() * disc).expand(count, -1, -1).clone()


def test_nothing_is_changed_by_default():
    images, labels = drawn()
    for parameters in (identity(6), sample(Augmentation(), 6, (40, 48), seeded(), mirror_axes=())):
        new_images, new_labels = apply(images, labels, parameters)
        assert torch.equal(new_images, images)
        assert torch.equal(new_labels, labels)


def test_the_inputs_are_left_as_they_are():
    images, labels = drawn()
    before = images.clone(), labels.clone()
    changed(EVERYTHING, images, labels)
    assert torch.equal(images, before[0])
    assert torch.equal(labels, before[1])


@pytest.mark.parametrize("turns", [1, 2, 3, -1])
def test_rotation_is_counter_clockwise_as_displayed(turns):
    images, labels = drawn(height=32, width=32)
    new_images, new_labels = changed(always("rotation_degrees", 90.0 * turns), images, labels)
    torch.testing.assert_close(new_images, torch.rot90(images, turns, (2, 3)), atol=1e-5, rtol=0)
    assert torch.equal(new_labels, torch.rot90(labels, turns, (1, 2)))


def test_shift_moves_down_and_right_and_uncovers_black_and_background():
    images, labels = drawn(height=40, width=80)
    new_images, new_labels = changed(always("shift", 0.1), images, labels)
    torch.testing.assert_close(new_images[..., 4:, 8:], images[..., :-4, :-8], atol=1e-5, rtol=0)
    assert torch.equal(new_labels[:, 4:, 8:], labels[:, :-4, :-8])
    assert new_images[..., :4, :].max() < 1e-5
    assert new_images[..., :8].max() < 1e-5
    assert not new_labels[:, :4].any()
    assert not new_labels[..., :8].any()


def test_outside_can_repeat_the_edge():
    images, labels = drawn()
    new_images, new_labels = changed(replace(always("shift", 0.25), outside="edge"), images, labels)
    torch.testing.assert_close(new_images[:, :, 0, 12:], images[:, :, 0, :-12], atol=1e-5, rtol=0)
    assert not new_labels[:, :10].any()


def test_scale_above_one_enlarges_about_the_middle():
    labels = torch.zeros(1, 40, 40, dtype=torch.int64)
    labels[:, 15:25, 15:25] = 1
    _, enlarged = changed(always("scale", 2.0), labels.unsqueeze(1).float(), labels)
    expected = torch.zeros_like(labels)
    expected[:, 10:30, 10:30] = 1
    assert torch.equal(enlarged, expected)


def test_shear_moves_lower_rows_to_the_right():
    labels = torch.zeros(1, 41, 41, dtype=torch.int64)
    labels[:, :, 20] = 1
    _, sheared = changed(always("shear", 0.5), labels.unsqueeze(1).float(), labels)
    assert sheared[0, 20].argmax() == 20
    assert sheared[0, 40].argmax() == 30
    assert sheared[0, 0].argmax() == 10


def test_a_rotation_keeps_shapes_in_an_image_that_is_not_square():
    labels = torch.zeros(1, 60, 120, dtype=torch.int64)
    labels[:, 20:40, 55:65] = 1
    _, turned = changed(always("rotation_degrees", 90.0), labels.unsqueeze(1).float(), labels)
    expected = torch.zeros_like(labels)
    expected[:, 25:35, 50:70] = 1
    assert torch.equal(turned, expected)


def test_the_warp_equals_scipy():
    images, labels = drawn(1, 50, 64)
    config = Augmentation(
        rotation_degrees=Draw(1.0, 17.0, 17.0),
        scale=Draw(1.0, 1.2, 1.2),
        shear=Draw(1.0, 0.1, 0.1),
        shift=Draw(1.0, 0.05, 0.05),
    )
    new_images, _ = changed(config, images, labels)
    angle = np.deg2rad(17)
    # Vectors are (row, column); rows run down.
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    inverse = np.linalg.inv(rotation @ np.array([[1.2, 0], [1.2 * 0.1, 1.2]]))
    middle = (np.array([50, 64]) - 1) / 2
    offset = middle - inverse @ (middle + 0.05 * np.array([50, 64]))
    expected = ndimage.affine_transform(images[0, 0].double().numpy(), inverse, offset, order=1, mode="grid-constant")
    np.testing.assert_allclose(new_images[0, 0].numpy(), expected, atol=2e-5)


def test_mirroring_happens_only_along_the_axes_of_the_data_set():
    images, labels = drawn(64)
    for axes, dimension in ((("width",), 3), (("height",), 2)):
        new_images, new_labels = changed(Augmentation(), images, labels, mirror_axes=axes)
        mirrored = torch.tensor([not torch.equal(new, old) for new, old in zip(new_labels, labels, strict=True)])
        drawn_map = sample(Augmentation(), 64, images.shape[-2:], seeded(), mirror_axes=axes).to_source
        assert torch.equal(mirrored, torch.linalg.det(drawn_map[:, :, :2]) < 0)
        assert int(mirrored.sum()) == pytest.approx(32, abs=3 * 4)  # three standard deviations of 64 coins
        torch.testing.assert_close(new_images[mirrored], images[mirrored].flip(dimension), atol=1e-5, rtol=0)
        assert torch.equal(new_labels[mirrored], labels[mirrored].flip(dimension - 1))
        assert torch.equal(new_images[~mirrored], images[~mirrored])
    with pytest.raises(ValueError, match="mirror axes are height and width, got depth"):
        sample(Augmentation(), 1, (8, 8), seeded(), mirror_axes=("depth",))


def test_without_mirror_axes_no_map_reverses_orientation():
    parameters = sample(EVERYTHING, 500, (40, 48), seeded())
    assert (torch.linalg.det(parameters.to_source[:, :, :2]) > 0).all()


@given(st.integers(0, 10_000), st.sampled_from([(32, 32), (24, 40)]))
@settings(max_examples=25, deadline=None)
def test_image_and_label_stay_together_and_no_label_is_invented(seed, shape):
    labels = smooth_labels(3, *shape)
    images = labels.unsqueeze(1).float() / 2
    new_images, new_labels = changed(SPATIAL, images, labels, seed, mirror_axes=("width",))
    assert set(new_labels.unique().tolist()) <= {0, 1, 2}
    # Linear interpolation of the two neighbours that the nearest one is of is never further than half a step
    # away along one axis, three quarters along both; beyond a 2-to-0 border that is 0.75.
    assert (new_images[:, 0] - new_labels / 2).abs().max() <= 0.75 + 1e-4
    # Away from the borders of the labels both agree, except at a tip so thin that no nearest pixel meets it.
    values = new_labels.unsqueeze(1).float()
    pool = partial(torch.nn.functional.max_pool2d, kernel_size=5, stride=1, padding=2)
    flat = pool(values) == -pool(-values)
    assert flat.float().mean() > 0.2
    assert (new_images - values / 2)[flat].abs().mean() < 0.003


@given(st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_results_stay_in_range(seed):
    images, labels = drawn(channels=3)
    new_images, new_labels = changed(EVERYTHING, images, labels, seed)
    assert new_images.shape == images.shape
    assert new_labels.dtype == labels.dtype
    assert 0 <= new_images.min() <= new_images.max() <= 1


def test_the_same_generator_state_gives_the_same_bytes():
    images, labels = drawn()
    first, second, other = (changed(EVERYTHING, images, labels, seed) for seed in (5, 5, 6))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])


def test_a_record_can_be_replayed():
    images, labels = drawn()
    parameters = sample(EVERYTHING, 6, (40, 48), seeded())
    assert torch.equal(apply(images, labels, parameters)[0], apply(images, labels, parameters)[0])


def test_how_far_the_generator_advances_does_not_depend_on_what_happens():
    seldom = replace(EVERYTHING, rotation_degrees=Draw(0.0, -30.0, 30.0), noise_sd=Draw(1.0, 0.1, 0.1))
    first, second = seeded(), seeded()
    sample(EVERYTHING, 6, (40, 48), first)
    sample(seldom, 6, (40, 48), second, mirror_axes=("width",))
    assert torch.equal(first.get_state(), second.get_state())


def test_an_image_changes_alike_alone_and_in_a_batch():
    images, labels = drawn()
    parameters = sample(replace(EVERYTHING, noise_sd=Draw()), 6, (40, 48), seeded())
    together, moved = apply(images, labels, parameters)
    for index in range(6):
        tensors = {
            field.name: getattr(parameters, field.name)[index : index + 1]
            for field in fields(Parameters)
            if isinstance(getattr(parameters, field.name), torch.Tensor)
        }
        alone, alone_moved = apply(images[index : index + 1], labels[index : index + 1], replace(parameters, **tensors))
        torch.testing.assert_close(alone[0], together[index], atol=1e-5, rtol=0)
        assert (alone_moved[0] != moved[index]).float().mean() < 0.001


def test_a_record_of_another_batch_is_refused():
    images, labels = drawn()
    with pytest.raises(ValueError, match="parameters of 5 for 6 images"):
        apply(images, labels, identity(5))
    assert apply(images[:0], labels[:0], sample(EVERYTHING, 0, (40, 48), seeded()))[0].shape == (0, 1, 40, 48)


def test_probabilities_and_ranges_are_kept():
    config = Augmentation(gamma=Draw(0.3, 0.7, 1.5), noise_sd=Draw(0.1, 0.05, 0.1))
    parameters = sample(config, 20_000, (8, 8), seeded())
    happened = parameters.gamma != 1
    assert happened.float().mean().item() == pytest.approx(0.3, abs=0.015)
    assert parameters.gamma[happened].min().item() == pytest.approx(0.7, abs=0.01)
    assert parameters.gamma[happened].max().item() == pytest.approx(1.5, abs=0.01)
    assert (parameters.noise_sd > 0).float().mean().item() == pytest.approx(0.1, abs=0.01)
    assert (parameters.brightness == 1).all()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
def test_the_gpu_does_the_same_but_for_the_noise():
    images, labels = drawn()
    parameters = sample(replace(EVERYTHING, noise_sd=Draw()), 6, (40, 48), seeded())
    expected, moved = apply(images, labels, parameters)
    actual, actual_moved = apply(images.cuda(), labels.cuda(), parameters)
    torch.testing.assert_close(actual.cpu(), expected, atol=1e-4, rtol=0)
    assert (actual_moved.cpu() != moved).float().mean() < 0.001


# Elastic


def test_an_elastic_deformation_moves_no_pixel_further_than_its_amplitude():
    """An image of its own row numbers shows where each pixel came from."""
    size, amplitude = 100, 0.04
    ramp = (torch.arange(size) + 0.5).div(size).view(1, 1, size, 1).expand(4, 1, size, size)
    config = Augmentation(elastic=Elastic(1.0, amplitude, 5), outside="edge")
    warped, _ = changed(config, ramp, torch.zeros(4, size, size, dtype=torch.int64))
    moved = (warped - ramp).abs()
    assert moved.max().item() <= amplitude + 1e-3
    assert moved.max().item() > amplitude / 3
    assert (warped[:, :, 1:] - warped[:, :, :-1]).min() >= -1e-6  # rows keep their order: nothing folds


def test_equal_coefficients_shift_the_whole_image():
    images, labels = drawn(2, 40, 80)
    shifted = replace(identity(2), displacement=torch.full((2, 2, 8, 8), -0.1))
    new_images, new_labels = apply(images, labels, shifted)
    torch.testing.assert_close(new_images[..., 2:, 4:], images[..., :-2, :-4], atol=1e-5, rtol=0)
    assert torch.equal(new_labels[:, 2:, 4:], labels[:, :-2, :-4])


def test_a_deformation_that_could_fold_is_refused():
    with pytest.raises(ValueError, match="may fold"):
        Elastic(1.0, 0.1, 6)


# Grey values


def test_blur_equals_scipy():
    images, _ = drawn(3, 40, 48, channels=2)
    sigma = torch.tensor([0.6, 1.2, 0.0])
    blurred = change_intensities(images, replace(identity(3), blur_sigma=sigma))
    for index in range(2):
        for channel in range(2):
            expected = ndimage.gaussian_filter(
                images[index, channel].double().numpy(), sigma[index].item(), mode="nearest", radius=(2, 4)[index]
            )
            np.testing.assert_allclose(blurred[index, channel].numpy(), expected, atol=1e-5)
    assert torch.equal(blurred[2], images[2])


def test_brightness_and_contrast():
    images = 0.3 + 0.2 * drawn(3)[0]
    parameters = replace(identity(3), brightness=torch.tensor([1.2, 1.0, 1.2]), contrast=torch.tensor([1.0, 0.5, 0.5]))
    result = change_intensities(images[:3], parameters)
    torch.testing.assert_close(result[0], 1.2 * images[0])
    torch.testing.assert_close(result[1], images[1].mean() + 0.5 * (images[1] - images[1].mean()))
    torch.testing.assert_close(result[2], 1.2 * (images[2].mean() + 0.5 * (images[2] - images[2].mean())))


def test_gamma_keeps_black_and_white():
    images = torch.tensor([0.0, 0.25, 1.0]).view(1, 1, 1, 3)
    result = change_intensities(images, replace(identity(1), gamma=torch.tensor([0.5])))
    torch.testing.assert_close(result.flatten(), torch.tensor([0.0, 0.5, 1.0]))


def test_noise_has_the_standard_deviation_asked_for():
    images = torch.full((2, 1, 100, 100), 0.5)
    result = change_intensities(images, replace(identity(2), noise_sd=torch.tensor([0.05, 0.0]), noise_seed=3))
    assert (result[0] - 0.5).std().item() == pytest.approx(0.05, rel=0.03)
    assert (result[0] - 0.5).mean().item() == pytest.approx(0.0, abs=0.002)
    assert torch.equal(result[1], images[1])


def test_low_resolution_keeps_the_mean_and_loses_detail():
    images, _ = drawn(1, 64, 64)
    coarse = change_intensities(images, replace(identity(1), low_resolution=torch.tensor([0.5])))
    assert coarse.shape == images.shape
    assert coarse.mean().item() == pytest.approx(images.mean().item(), abs=0.03)
    assert (coarse[..., 1:] - coarse[..., :-1]).std() < 0.7 * (images[..., 1:] - images[..., :-1]).std()


# Configuration


def test_the_configuration_survives_plain_data():
    assert from_plain(Augmentation, to_plain(EVERYTHING)) == EVERYTHING


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"gamma": {"probability": 1.0, "low": 0.0, "high": 1.0}}, "gamma must be above 0"),
        ({"scale": {"probability": 1.5, "low": 1.0, "high": 1.0}}, "scale: probability must be in 0..1"),
        ({"shift": {"probability": 1.0, "low": 0.1, "high": -0.1}}, "shift: low 0.1 is above high -0.1"),
        ({"low_resolution": {"probability": 1.0, "low": 0.5, "high": 2.0}}, "low_resolution must not be above 1"),
        ({"noise_sd": {"probability": 1.0, "low": -1.0, "high": 1.0}}, "noise_sd must not be negative"),
        ({"mirror_axes": ["width"]}, "unknown key 'mirror_axes'"),
    ],
)
def test_a_bad_recipe_is_refused_in_words(values, message):
    with pytest.raises(ConfigError, match=message):
        from_plain(Augmentation, values)


def test_colours_turn_about_grey_and_grey_images_stay():
    config = Augmentation(
        hue_degrees=Draw(1.0, 120.0, 120.0),
        channel_brightness=Draw(1.0, 0.5, 0.5),
        channel_contrast=Draw(1.0, 1.0, 1.0),
    )
    parameters = sample(config, 1, (1, 2), torch.Generator().manual_seed(0))
    image = torch.tensor([[[[0.8, 0.4]], [[0.0, 0.4]], [[0.0, 0.4]]]])
    changed = change_intensities(image, parameters)
    torch.testing.assert_close(changed[0, :, 0].T, torch.tensor([[0.0, 0.4, 0.0], [0.2, 0.2, 0.2]]), atol=1e-5, rtol=0)
    grey = torch.rand(1, 1, 4, 4)
    assert torch.equal(change_intensities(grey, parameters), grey)


def test_contrast_of_each_channel_is_about_its_own_mean():
    parameters = replace(identity(1), channel_contrast=torch.tensor([[0.5, 1.0, 2.0]]))
    image = torch.tensor([0.2, 0.6]).expand(1, 3, 1, 2).contiguous()
    changed = change_intensities(image, parameters)[0, :, 0]
    torch.testing.assert_close(changed, torch.tensor([[0.3, 0.5], [0.2, 0.6], [0.0, 0.8]]))
