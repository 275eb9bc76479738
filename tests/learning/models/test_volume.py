"""Networks of volumes, and the one that nnU-Net began with."""

import pytest
import torch

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.network import NetworkSpec, TrainingOutputs
from cardiotrace.learning.models.nnunet import GenericUNetConfig, NNUNet3DConfig, generic_unet, nnunet3d
from cardiotrace.learning.models.recurrent import ConvolutionalGRU, RecurrentUNetConfig, recurrent_unet

SPEC = NetworkSpec(1, 3)
SMALL = NNUNet3DConfig(((1, 3, 3), (3, 3, 3), (3, 3, 3)), ((1, 1, 1), (1, 2, 2), (2, 2, 2)), (4, 6, 8))


def test_depth_is_halved_where_the_plan_says_so_and_coarser_outputs_are_taught():
    network = nnunet3d(SMALL, SPEC).train()
    assert network.divisor == (2, 4, 4)
    deeper = NNUNet3DConfig(
        ((1, 3, 3), (1, 3, 3), (3, 3, 3), (3, 3, 3)), ((1, 1, 1), (1, 2, 2), (2, 2, 2), (2, 2, 2)), (4, 4, 6, 8)
    )
    outputs = TrainingOutputs.of(nnunet3d(deeper, SPEC).train()(torch.rand(1, 1, 4, 16, 16)))
    assert [tuple(logits.shape[2:]) for logits in outputs.logits] == [(4, 16, 16), (4, 8, 8)]
    assert outputs.weights == pytest.approx((2 / 3, 1 / 3))


@torch.no_grad()
def test_flat_kernels_see_no_neighbour_and_the_coarser_stages_do():
    flat = NNUNet3DConfig(((1, 3, 3), (1, 3, 3)), ((1, 1, 1), (1, 2, 2)), (4, 6))
    images = torch.rand(1, 1, 5, 8, 8)
    other = images.clone()
    other[:, :, 4] += 1
    for config, sees in ((flat, False), (SMALL, True)):
        torch.manual_seed(0)
        network = nnunet3d(config, SPEC).eval()
        depth = 5 if config is flat else 6
        one, two = (torch.nn.functional.pad(each, (0, 0, 0, 0, 0, depth - 5)) for each in (images, other))
        # Instance norm alone tells of the whole volume: its statistics are left out of this.
        for module in network.modules():
            if isinstance(module, torch.nn.InstanceNorm3d):
                module.forward = lambda values: values  # type: ignore[method-assign]
        changed = (network(one) - network(two)).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
        assert changed[4]
        assert changed[:4].any() == sees


@pytest.mark.parametrize(
    ("kernels", "strides", "message"),
    [
        (((1, 3, 3),) * 2, ((1, 2, 2), (2, 2, 2)), r"\(1, 1, 1\) for the first stage"),
        (((1, 3, 3),) * 2, ((1, 1, 1), (3, 2, 2)), "strides must be 1 or 2"),
        (((2, 3, 3),) * 2, ((1, 1, 1), (2, 2, 2)), "kernels must have odd sides"),
    ],
)
def test_plans_that_cannot_be_are_refused(kernels, strides, message):
    with pytest.raises(ConfigError, match=message):
        NNUNet3DConfig(kernels, strides, (4, 8))


def test_a_generic_unet_doubles_its_channels_up_to_the_widest():
    plan = GenericUNetConfig().plan
    assert plan.widths == (30, 60, 120, 240, 480, 480, 480)
    network = generic_unet(GenericUNetConfig(levels=2, width=4, widest=6), SPEC)
    kinds = {type(module) for module in network.modules()}
    assert torch.nn.BatchNorm2d in kinds
    assert torch.nn.InstanceNorm2d not in kinds
    assert torch.nn.LeakyReLU in kinds
    assert [pair[0].out_channels for pair in network.encoder] == [4, 6, 6]
    with pytest.raises(ConfigError, match="width must lie"):
        GenericUNetConfig(width=500)


def test_a_gated_unit_follows_its_equations():
    """Weights by hand: all of both gates are open by half, so that the state goes half way to tanh of what it reads."""
    unit = ConvolutionalGRU(1)
    with torch.no_grad():
        for weights in unit.parameters():
            weights.zero_()
        unit.candidate.weight[0, 0, 1, 1] = 1.0  # the pixel that is read
        states = unit(torch.tensor([1.0, 1.0, -2.0]).reshape(1, 3, 1, 1, 1)).flatten()
    tanh = torch.tanh(torch.tensor([1.0, 1.0, -2.0]))
    first = 0.5 * tanh[0]
    second = 0.5 * first + 0.5 * tanh[1]
    third = 0.5 * second + 0.5 * tanh[2]
    torch.testing.assert_close(states, torch.stack([first, second, third]))


@pytest.mark.parametrize(("direction", "told"), [("forward", [False, False, True, True]), ("both", [True] * 4)])
@torch.no_grad()
def test_slices_learn_of_those_before_them_and_either_way_of_all(direction, told):
    torch.manual_seed(0)
    network = recurrent_unet(RecurrentUNetConfig(8, 16, 2, direction=direction), SPEC).eval()
    stack = torch.rand(1, 1, 4, 8, 8)
    other = stack.clone()
    other[:, :, 2] = torch.rand(8, 8)
    changed = (network(stack) - network(other)).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
    assert changed.tolist() == told


@torch.no_grad()
def test_a_recurrent_network_takes_stacks_of_any_height():
    network = recurrent_unet(RecurrentUNetConfig(8, 16, 2), SPEC).eval()
    assert [network(torch.rand(2, 1, depth, 8, 12)).shape for depth in (1, 5)] == [(2, 3, 1, 8, 12), (2, 3, 5, 8, 12)]
