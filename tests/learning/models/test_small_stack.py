"""The small U-Net of stacks: what it takes over from planes, and what slices learn of each other."""

import pytest
import torch

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.models.small import (
    SmallStackUNetConfig,
    SmallUNetConfig,
    small_stack_unet,
    small_unet,
)

SPEC = NetworkSpec(1, 3)
WIDTHS = (8, 12, 16)


def network(joined=3, seed=0):
    torch.manual_seed(seed)
    return small_stack_unet(SmallStackUNetConfig(2, WIDTHS, joined=joined), SPEC).eval()


def telling(joined=3):
    """One whose slices have something to tell, as after training."""
    made = network(joined)
    with torch.no_grad():
        for joint in (*made.through_down, *made.through_up):
            torch.nn.init.normal_(joint.last.weight, std=0.3)
    return made


@torch.no_grad()
def test_it_goes_on_from_a_network_of_planes():
    made = network()
    planes = small_unet(SmallUNetConfig(2, WIDTHS), SPEC).eval()
    missing, unknown = made.load_state_dict(planes.state_dict(), strict=False)
    assert unknown == []
    assert {name.split(".")[0] for name in missing} == {"through_down", "through_up"}
    stack = torch.rand(2, 1, 5, 16, 24)
    alone = torch.stack([planes(stack[:, :, slice_]) for slice_ in range(5)], dim=2)
    torch.testing.assert_close(made(stack), alone)


@torch.no_grad()
@pytest.mark.parametrize(("joined", "reach"), [(1, 2), (3, 6)])
def test_slices_learn_of_each_other_as_far_as_the_joined_levels_reach(joined, reach):
    made = telling(joined)
    stack = torch.rand(1, 1, 9, 16, 16)
    other = stack.clone()
    other[:, :, 0] = torch.rand(16, 16)
    changed = (made(stack) - made(other)).abs().amax(dim=(0, 1, 3, 4)) > 1e-6
    # Two slices a level on the way down, and on the way up again but for the coarsest.
    furthest = min(8, 2 * (2 * joined - 1))
    assert furthest >= reach
    assert changed.tolist() == [number <= furthest for number in range(9)]


@torch.no_grad()
def test_a_slice_that_shows_nothing_is_the_end_of_the_stack():
    made = telling()
    stack = torch.rand(2, 1, 6, 16, 16)
    filled = torch.cat([stack, torch.zeros(2, 1, 3, 16, 16)], dim=2)
    torch.testing.assert_close(made(filled)[:, :, :6], made(stack))
    # Its content counts, not its being zero; and a slice with a picture is no end.
    grey = torch.cat([stack, torch.full((2, 1, 3, 16, 16), 0.7)], dim=2)
    torch.testing.assert_close(made(grey)[:, :, :6], made(stack))
    longer = torch.cat([stack, torch.rand(2, 1, 3, 16, 16)], dim=2)
    assert (made(longer)[:, :, :6] - made(stack)).abs().max() > 1e-3


def test_stacks_of_any_depth_and_of_sides_that_fit():
    assert network().divisor == (1, 8, 8)
    assert network()(torch.rand(1, 1, 1, 16, 8)).shape == (1, 3, 1, 16, 8)
    with pytest.raises(InputError, match="multiples of 1, 8 and 8"):
        network()(torch.rand(1, 1, 4, 12, 16))
    with pytest.raises(ConfigError, match="joined must be 1 to the number of widths"):
        SmallStackUNetConfig(2, WIDTHS, joined=4)
