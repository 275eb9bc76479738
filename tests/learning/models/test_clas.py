"""Motion is found, carries shapes, and both losses reach the features that they share."""

import pytest
import torch

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.learning.models.clas import CLASConfig, MotionHead, clas, correlation, moved, roughness
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.training.loop import step
from cardiotrace.learning.training.recipe import recipe_from_plain
from tests.learning.training.tiny import RECIPE, task_and_state


def blob(row, column, side=64):
    """A soft disc with a texture that moves with it."""
    y, x = torch.meshgrid(torch.arange(side) - row, torch.arange(side) - column, indexing="ij")
    radius = (y**2 + x**2).float().sqrt()
    return ((14 - radius).clamp(0, 4) / 4 * (1.5 + torch.sin(y * 0.9) * torch.cos(x * 0.7)))[None, None]


def constant(right, down, side=64):
    return torch.tensor([2 * right / side, 2 * down / side]).reshape(1, 2, 1, 1).expand(1, 2, side, side)


def test_a_shift_by_whole_pixels_is_exact():
    image = torch.rand(1, 1, 64, 64, generator=torch.Generator().manual_seed(0))
    shifted = moved(image, constant(3, -5))
    torch.testing.assert_close(shifted[..., 5:, :-3], image[..., :-5, 3:], atol=1e-5, rtol=0)


def test_correlation_is_highest_at_the_true_motion():
    first, second = blob(30, 30), blob(33, 28)
    scores = {way: float(correlation(moved(first, constant(*way)), second)) for way in [(0, 0), (2, -3), (-2, 3)]}
    assert max(scores, key=scores.get) == (2, -3)
    assert float(correlation(first, torch.full_like(first, 2.0))) == pytest.approx(0)


def test_roughness_does_not_depend_on_the_resolution():
    ramp = torch.linspace(-0.5, 0.5, 65)
    coarse = torch.stack([ramp.expand(65, 65), 0 * ramp.expand(65, 65)])[None]
    fine = torch.nn.functional.interpolate(coarse, (260, 260), mode="bilinear", align_corners=False)
    assert float(roughness(fine)) == pytest.approx(float(roughness(coarse)), rel=0.05)
    assert float(roughness(constant(7, 9))) == 0


def losses_of(network, images, labels):
    return network.auxiliary_losses(network(images), labels)


def test_motion_alone_is_learned_first_and_shapes_then():
    torch.manual_seed(0)
    network = clas(CLASConfig(alone_steps=1, similarity_weight=0, smoothness_weight=0), NetworkSpec(1, 2)).train()
    images = torch.cat([blob(30, 30), blob(34, 27)])
    labels = (images[:, 0] > 0.4).long()
    assert losses_of(network, images, labels) == {"smoothness": 0, "similarity": 0}
    losses = losses_of(network, images, labels)
    assert set(losses) == {"smoothness", "similarity", "moved labels", "moved probabilities"}
    sum(losses.values()).backward()
    assert network.segmenter.encoder[0][0].weight.grad.abs().max() > 0
    assert network.segmenter.head.weight.grad.abs().max() > 0
    assert network.motion.layers[0][0].weight.grad.abs().max() > 0


def test_motion_between_two_images_is_found():
    """By the head alone, of features that are a coarse view of the images."""
    torch.manual_seed(0)
    head = MotionHead(1, CLASConfig(width=16))
    first, second = blob(32, 30), blob(28, 33)
    features = [torch.nn.functional.avg_pool2d(image, 4) for image in (first, second)]
    optimiser = torch.optim.Adam(head.parameters(), 5e-3)
    for _ in range(60):
        motion = head(*features, (64, 64))
        loss = 1 - correlation(moved(first, motion), second) + 0.1 * roughness(motion)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    there, here, before = (image[0, 0] > 0.4 for image in (moved(first, motion.detach()), second, first))
    assert overlap(before, here) < 0.76
    assert overlap(there, here) > 0.93


def overlap(one, other):
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


def test_ignored_pixels_do_not_count():
    network = clas(CLASConfig(alone_steps=0), NetworkSpec(1, 2)).train()
    images = torch.rand(2, 1, 32, 32)
    labels = (images[:, 0] > 0.5).long()
    labels[:, :8] = 255
    assert all(torch.isfinite(loss) for loss in losses_of(network, images, labels).values())


def test_in_use_single_frames_pass_and_in_training_pairs_are_needed():
    network = clas(CLASConfig(), NetworkSpec(1, 4))
    assert network.eval()(torch.zeros(1, 1, 32, 32)).shape == (1, 4, 32, 32)
    with pytest.raises(InputError, match="pairs of phases, got 3"):
        network.train()(torch.zeros(3, 1, 32, 32))


def test_impossible_weights_are_refused():
    with pytest.raises(ConfigError, match="must not be negative"):
        CLASConfig(label_weight=-1)


def test_the_loop_trains_it():
    values = {**RECIPE, "architecture": {"name": "clas", "alone_steps": 1}}
    some = recipe_from_plain({**values, "training": {**RECIPE["training"], "group": "phases"}})
    task, state = task_and_state(some)
    network = state.objective.network
    before = network.motion.layers[-1].weight.detach().clone()
    for batch in task.order.batches(task.training, 0):
        losses = step(task, state, batch)
        named = [value for name, value in losses.items() if name != "loss"]
        assert losses["loss"].item() == pytest.approx(sum(value.item() for value in named), rel=1e-5)
    assert not torch.equal(before, network.motion.layers[-1].weight)
