import pytest
import torch

from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.models.sides import nearest_sides
from cardiotrace.learning.models.unet import (
    UNet,
    UNet1Config,
    UNetConfig,
    UNetShape,
    unet,
    unet1,
)


def count(network: torch.nn.Module) -> int:
    return sum(weights.numel() for weights in network.parameters())


def test_batch_norm_adds_a_scale_and_an_offset_per_feature():
    assert count(unet1(UNet1Config("batch"), NetworkSpec(1, 4))) == 1_980_164


def test_unet2_without_norm_after_its_deconvolutions():
    shape = UNetShape((48, 96, 192, 384), 768, (384, 192, 96, 48), norm="batch", up="transposed")
    assert count(UNet(shape, 1, 4)) == 17_465_092


def test_five_poolings_take_256_to_8():
    network = unet1(UNet1Config(), NetworkSpec(1, 4))
    assert network.divisor == 32
    seen = []
    network.encoder[-1].register_forward_hook(lambda module, inputs, output: seen.append(output.shape))
    network(torch.zeros(1, 1, 256, 256))
    assert seen == [(1, 128, 8, 8)]


def test_weights_start_he_normal_and_biases_at_zero():
    torch.manual_seed(0)
    network = unet1(UNet1Config(), NetworkSpec(1, 4))
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d) and module.weight.numel() > 10_000:
            fan_in = module.in_channels * 9
            assert module.weight.detach().std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)
        if isinstance(module, torch.nn.Conv2d):
            assert not module.bias.any()


def test_the_signal_keeps_its_size_at_the_start():
    torch.manual_seed(0)
    network, images = unet1(UNet1Config(), NetworkSpec(1, 4)), torch.randn(2, 1, 64, 64)
    spread = network(images).flatten(2).std(2).mean().item()  # over the image: biases are no signal
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.reset_parameters()
    # PyTorch's own first weights leave next to nothing of the signal, which is why learning starts slowly there.
    assert network(images).flatten(2).std(2).mean().item() < 0.01
    assert spread == pytest.approx(1.39, rel=0.05)


@pytest.mark.parametrize("norm", ["none", "batch", "instance"])
@pytest.mark.parametrize("down", ["max", "strided"])
@pytest.mark.parametrize("up", ["nearest", "transposed"])
def test_every_choice_runs(norm, down, up):
    config = UNetConfig(levels=2, width=4, norm=norm, down=down, up=up, activation="relu")
    assert unet(config, NetworkSpec(1, 2))(torch.rand(2, 1, 16, 24)).shape == (2, 2, 16, 24)


def test_widths_double_up_to_the_widest():
    network = unet(UNetConfig(levels=5, width=32, widest=256), NetworkSpec(1, 2))
    assert [block[0].out_channels for block in network.encoder] == [32, 64, 128, 256, 256, 256]


def test_explicit_widths():
    network = unet(UNetConfig(levels=2, widths=(5, 7, 11)), NetworkSpec(1, 2))
    assert [block[0].out_channels for block in network.encoder] == [5, 7, 11]
    assert [block[0].out_channels for block in network.decoder] == [7, 5]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"levels": 2, "widths": [8, 16]}, "2 levels need 3 widths, got 2"),
        ({"levels": 0}, "levels must be 1 to 8"),
        ({"norm": "layer"}, "'layer' is not one of"),
        ({"widths": [8, 16, 0], "levels": 2}, "widths must be positive"),
    ],
)
def test_a_bad_recipe_is_refused_in_words(values, message):
    with pytest.raises(ConfigError, match=message):
        unet(from_plain(UNetConfig, values), NetworkSpec(1, 2))


def test_an_unequal_number_of_levels_is_refused():
    with pytest.raises(ConfigError, match="as many decoder as encoder levels"):
        UNetShape((8, 16), 32, (16,))


def test_a_small_unet_learns_two_discs():
    """Forty steps separate a bright disc from its background: gradients, skips and head do their work."""
    torch.manual_seed(0)
    rows, columns = torch.meshgrid(torch.arange(32.0), torch.arange(32.0), indexing="ij")
    discs = torch.stack([((rows - y) ** 2 + (columns - x) ** 2 < 49).long() for y, x in [(12, 12), (18, 20)]])
    images = discs.unsqueeze(1).float() + 0.3 * torch.randn(2, 1, 32, 32)
    network = unet(UNetConfig(levels=2, width=8), NetworkSpec(1, 2))
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3)
    for _ in range(40):
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(images), discs).backward()
        optimiser.step()
    assert (network(images).argmax(1) == discs).float().mean().item() > 0.97


@pytest.mark.parametrize(("side", "expected"), [(1, (32, 32)), (32, (32, 32)), (33, (32, 64)), (95, (64, 96))])
def test_nearest_sides(side, expected):
    assert nearest_sides(side, 32) == expected
