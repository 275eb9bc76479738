"""Every architecture of the catalog lets its deepest and its last features be heard."""

import pytest
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.learning.models.catalog import ARCHITECTURES, axes_of, make_network
from cardiotrace.learning.models.network import NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.sides import all_sides
from cardiotrace.learning.training.adaptation.features import FeatureTap

QUICK = {"unet": {"levels": 2, "width": 4}}


def sides_of(name):
    """The smallest sides that a network can halve and that leave several places in its deepest layer."""
    axes = axes_of(Choice(name))
    with torch.device("meta"):
        network = make_network(Choice(name, QUICK.get(name, {})), NetworkSpec(1, 3, (64,) * axes))
    return tuple(max(2 * divisor, 16) for divisor in all_sides(network.divisor, axes))


# Those that learn from whole label maps or from no image adapt to nothing; unet2 is unet, wider.
OTHERS = ("acnn", "clas", "shape-autoencoder", "unet2", "unet-original")


@pytest.mark.parametrize("name", [name for name in ARCHITECTURES.names if name not in OTHERS])
def test_levels_are_heard(name):
    sides = sides_of(name)
    torch.manual_seed(0)
    network = make_network(Choice(name, QUICK.get(name, {})), NetworkSpec(1, 3, sides))
    tap = FeatureTap(network, (1, *sides), ("bottleneck", "decoder"))
    network.train()
    images = torch.randn(2, 1, *sides)
    with tap.listening() as heard:
        outputs = TrainingOutputs.of(network(images))
    assert {level: tuple(values.shape[1:]) for level, values in heard.items()} == tap.shapes
    assert heard["bottleneck"].shape[2] < sides[0]
    assert heard["decoder"].shape[2:] == sides
    # The gradient of the logits goes through both.
    gradients = torch.autograd.grad(outputs.logits[0].sum(), list(heard.values()), allow_unused=True)
    assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in gradients)
    heard_later = dict(heard)
    network(images)
    assert all(heard[level] is heard_later[level] for level in heard)  # nobody listens any more
