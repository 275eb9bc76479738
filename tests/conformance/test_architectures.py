"""Every architecture of the catalog keeps the same promises; a new entry is tested by being listed."""

import warnings
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors.torch import load_file, save_file

from cardiotrace.core.catalog import Entry
from cardiotrace.core.errors import InputError
from cardiotrace.learning.models.catalog import ARCHITECTURES
from cardiotrace.learning.models.outputs import final_output, output_weights, outputs_of

PARAMETERS_IN_PAPERS = {"unet1": 1_976_644, "unet2": 17_466_532, "unet-original": 31_030_788}
"""One channel, four classes."""

pytestmark = pytest.mark.parametrize("entry", list(ARCHITECTURES), ids=lambda entry: entry.name)


def make(entry: Entry[torch.nn.Module], channels: int = 1, classes: int = 4, seed: int = 0) -> torch.nn.Module:
    torch.manual_seed(seed)
    return entry.make(entry.config(), channels, classes)


def images_for(network: torch.nn.Module, batch: int = 2, channels: int = 1) -> torch.Tensor:
    """Small images that are not square."""
    return torch.rand(
        batch, channels, 2 * network.divisor, 3 * network.divisor, generator=torch.Generator().manual_seed(1)
    )


@pytest.mark.parametrize(("channels", "classes"), [(1, 4), (3, 2)])
def test_forward_gives_one_logit_per_class_and_backward_reaches_every_weight(entry, channels, classes):
    network = make(entry, channels, classes)
    images = images_for(network, channels=channels)
    logits = final_output(network(images))
    assert logits.shape == (2, classes, *images.shape[-2:])
    logits.square().mean().backward()
    for name, weights in network.named_parameters():
        assert weights.grad is not None, name
        assert torch.isfinite(weights.grad).all(), name
        # A bias right before a norm is taken out by it again: its gradient is rounding only.
        assert weights.ndim == 1 or weights.grad.abs().max() > 0, name


def test_further_outputs_come_with_weights_and_only_in_training(entry):
    network = make(entry)
    outputs = outputs_of(network(images_for(network)))
    assert len(output_weights(network, len(outputs))) == len(outputs)
    assert all(output.shape[:2] == (2, 4) for output in outputs)
    assert isinstance(network.eval()(images_for(network)), torch.Tensor)


def test_the_number_of_parameters_is_that_of_the_paper(entry):
    if entry.name not in PARAMETERS_IN_PAPERS:
        pytest.skip("its source states no number")
    assert sum(weights.numel() for weights in make(entry).parameters()) == PARAMETERS_IN_PAPERS[entry.name]


def test_a_side_that_does_not_fit_is_refused_with_the_nearest_sizes(entry):
    network = make(entry)
    divisor = network.divisor
    with pytest.raises(InputError) as caught:
        network(torch.zeros(1, 1, 2 * divisor + 1, 2 * divisor))
    assert f"{2 * divisor + 1}x{2 * divisor}" in str(caught.value)
    assert f"{2 * divisor}x{2 * divisor} and {3 * divisor}x{2 * divisor}" in str(caught.value)


def test_the_same_seed_makes_the_same_network(entry):
    first, second, other = make(entry).state_dict(), make(entry).state_dict(), make(entry, seed=1).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


@torch.no_grad()
def test_evaluation_is_deterministic_and_a_batch_equals_its_items(entry):
    network = make(entry).eval()
    images = images_for(network, batch=3)
    together = network(images)
    assert torch.equal(together, network(images))
    one_by_one = torch.cat([network(image.unsqueeze(0)) for image in images])
    torch.testing.assert_close(together, one_by_one, rtol=1e-4, atol=1e-4)
    assert not torch.equal(together[0], together[1])


@torch.no_grad()
def test_channels_last_gives_the_same_logits(entry):
    network = make(entry).eval()
    images = images_for(network)
    expected = network(images)
    network.to(memory_format=torch.channels_last)
    actual = network(images.contiguous(memory_format=torch.channels_last))
    torch.testing.assert_close(actual, expected, rtol=1e-4, atol=1e-4)


@torch.no_grad()
def test_weights_survive_safetensors(entry, tmp_path: Path):
    network = make(entry).train()
    images = images_for(network)
    network(images)  # running statistics, where there are any, leave their start
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    copy = make(entry, seed=1)
    copy.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    assert torch.equal(network.eval()(images), copy.eval()(images))


@pytest.mark.slow
@torch.no_grad()
def test_onnx_gives_the_same_logits_for_any_batch(entry, tmp_path: Path):
    network = make(entry).eval()
    images = images_for(network, batch=3)
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
