"""Every architecture of the catalog keeps the same promises; a new entry is tested by being listed."""

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from cardiotrace.core.catalog import Choice, Entry
from cardiotrace.core.errors import InputError
from cardiotrace.learning.models.blocks import Axes, with_channels_last
from cardiotrace.learning.models.catalog import ARCHITECTURES, axes_of
from cardiotrace.learning.models.describe import multiply_adds
from cardiotrace.learning.models.network import Network, NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import all_sides
from cardiotrace.learning.training.supervision import supervised_loss

PARAMETERS_IN_PAPERS = {
    "unet1": "2.0",
    "unet2": "17.5",
    "unet-original": "31.0",
    "stacked-hourglass": "4.5",
    "unet++": "1.1",
    "runet": "4.0",
    "acnn": "2.2",
}
"""Millions, as the papers print them: for one channel and four classes. RU-Net's paper cuts 3.953 to 3.9."""

pytestmark = pytest.mark.parametrize("entry", list(ARCHITECTURES), ids=lambda entry: entry.name)


def make(entry: Entry[Network], channels: int = 1, classes: int = 4, seed: int = 0) -> Network:
    torch.manual_seed(seed)
    return entry.make(entry.config(), NetworkSpec(channels, classes))


def images_for(entry: Entry[Network], network: Network, batch: int = 2, channels: int = 1) -> torch.Tensor:
    """Small images that are not square, or stacks of a few of them."""
    size = [times * side for times, side in zip((2, 2, 3)[-axes(entry) :], divisors(entry, network), strict=True)]
    return torch.rand(batch, channels, *size, generator=torch.Generator().manual_seed(1))


def axes(entry: Entry[Network]) -> Axes:
    """Of what the network sees."""
    return axes_of(Choice(entry.name))


def divisors(entry: Entry[Network], network: Network) -> tuple[int, ...]:
    """What rows and columns must be multiples of, after the slices of a volume."""
    return all_sides(network.divisor, axes(entry))


def squares(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """A loss that every logit takes part in."""
    return logits.square().mean()


@pytest.mark.parametrize(("channels", "classes"), [(1, 4), (3, 2)])
def test_forward_gives_one_logit_per_class_and_backward_reaches_every_weight(entry, channels, classes):
    network = make(entry, channels, classes).train()
    with torch.no_grad():  # a convolution that begins as 0 lets its inputs' weights learn from the second step on
        for weights in network.parameters():
            if weights.ndim > 1 and not weights.any():
                weights.add_(0.01 * torch.randn_like(weights))
    images = images_for(entry, network, channels=channels)
    outputs = TrainingOutputs.of(network(images))
    assert outputs.logits[0].shape == (2, classes, *images.shape[2:])
    labels = (images[:, 0] * classes).long()
    auxiliary = network.auxiliary_losses(outputs, labels)
    assert all(loss.shape == () for loss in auxiliary.values())
    sum(auxiliary.values(), supervised_loss(outputs, labels, squares)).backward()
    for name, weights in network.named_parameters():
        assert weights.grad is not None, name
        assert torch.isfinite(weights.grad).all(), name
        # A bias right before a norm is taken out by it again: its gradient is rounding only.
        assert weights.ndim == 1 or weights.grad.abs().max() > 0, name


def test_several_outputs_in_training_one_in_use(entry):
    network = make(entry).train()
    images = images_for(entry, network)
    outputs = TrainingOutputs.of(network(images))
    assert len(outputs.logits) == len(outputs.weights)
    assert sum(outputs.weights) == pytest.approx(1)
    for output in outputs.logits:
        assert output.shape[:2] == (2, 4)
        # Each is at the resolution of the image, or coarser by a whole number.
        assert all(fine % coarse == 0 for fine, coarse in zip(images.shape[2:], output.shape[2:], strict=True))
    with torch.no_grad():
        assert network.eval()(images).shape == (2, 4, *images.shape[2:])


def test_the_number_of_parameters_is_that_of_the_paper(entry):
    if entry.name not in PARAMETERS_IN_PAPERS:
        pytest.skip("its source states no number for two dimensions")
    millions = sum(weights.numel() for weights in make(entry).parameters()) / 1e6
    assert f"{millions:.1f}" == PARAMETERS_IN_PAPERS[entry.name]


def test_multiply_adds_grow_with_the_image(entry):
    if entry.name == "shape-autoencoder":
        pytest.skip("it sees maps of every size on one grid")
    with torch.device("meta"):
        network = make(entry)
    *slices, rows, columns = divisors(entry, network)
    small, large = (multiply_adds(network, size=(*slices, side * rows, side * columns)) for side in (4, 8))
    assert large == pytest.approx(4 * small, rel=0.01)


def test_a_side_that_does_not_fit_is_refused_with_the_nearest_sizes(entry):
    network = make(entry)
    *slices, rows, columns = divisors(entry, network)
    with pytest.raises(InputError) as caught:
        network(torch.zeros(1, 1, *slices, 2 * rows + 1, 2 * columns))
    stack = "".join(f"{side}x" for side in slices)
    assert f"{stack}{2 * rows + 1}x{2 * columns}" in str(caught.value)
    assert f"{stack}{2 * rows}x{2 * columns} and {stack}{3 * rows}x{2 * columns}" in str(caught.value)


def test_the_same_seed_makes_the_same_network(entry):
    first, second, other = make(entry).state_dict(), make(entry).state_dict(), make(entry, seed=1).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@torch.no_grad()
def test_evaluation_is_deterministic_and_a_batch_equals_its_items(entry):
    network = make(entry).eval()
    images = images_for(entry, network, batch=3)
    together = network(images)
    assert torch.equal(together, network(images))
    one_by_one = torch.cat([network(image.unsqueeze(0)) for image in images])
    torch.testing.assert_close(together, one_by_one, rtol=1e-4, atol=1e-4)
    assert not torch.equal(together[0], together[1])


@torch.no_grad()
def test_channels_last_gives_the_same_logits(entry):
    network = make(entry).eval()
    images = images_for(entry, network)
    expected = network(images)
    layout = torch.channels_last if images.ndim == 4 else torch.channels_last_3d
    with_channels_last(network)
    actual = network(images.contiguous(memory_format=layout))
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_weights_survive_safetensors(entry, tmp_path: Path):
    network = make(entry).train()
    images = images_for(entry, network)
    network(images)  # running statistics, where there are any, leave their start
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    copy = make(entry, seed=1)
    copy.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(network.eval()(images), copy.eval()(images))


@pytest.mark.slow
@torch.no_grad()
def test_onnx_gives_the_same_logits_for_any_batch(entry, tmp_path: Path):
    network = make(entry).eval()
    images = images_for(entry, network, batch=3)
    path = tmp_path / "network.onnx"
    with warnings.catch_warnings():
        # The exporter's own use of what PyTorch and Python deprecate; nothing that our networks do.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        torch.onnx.export(
            network,
            (images[:2],),
            path,
            input_names=["images"],
            output_names=["logits"],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            dynamo=True,
            verbose=False,
        )
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert session.get_inputs()[0].shape[1:] == list(images.shape[1:])
    for batch in (1, 3):
        (logits,) = session.run(None, {"images": images[:batch].numpy()})
        np.testing.assert_allclose(logits, network(images[:batch]).numpy(), rtol=1e-3, atol=1e-4)
