import pytest
import torch
from torch import nn

from cardiotrace.learning.training.loop import step
from cardiotrace.learning.training.recipe import recipe_from_plain
from cardiotrace.learning.training.supervision import supervised_loss
from tests.learning.training.tiny import RECIPE, task_and_state


class Several(nn.Module):
    output_weights = (0.5, 0.25, 0.0)


def right(logits, labels):
    """Share of pixels whose first logit is the label."""
    return (logits[:, 0] == labels).float().mean()


def test_coarser_outputs_meet_the_nearest_labels():
    labels = torch.arange(16).reshape(1, 4, 4)
    fine, coarse = labels.unsqueeze(1).float(), torch.tensor([[[[0.0, 2.0], [8.0, 10.0]]]])
    unseen = torch.full((1, 1, 1, 1), float("nan"))
    assert supervised_loss(Several(), (fine, coarse, unseen), labels, right).item() == 0.75


def test_a_single_output_needs_no_weights():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    assert supervised_loss(nn.Identity(), torch.zeros(1, 1, 4, 4), labels, right).item() == 1


def test_too_few_weights_are_refused():
    with pytest.raises(ValueError, match="zip"):
        supervised_loss(Several(), (torch.zeros(1, 1, 4, 4),) * 2, torch.zeros(1, 4, 4, dtype=torch.long), right)


def test_an_extra_loss_is_added():
    network = nn.Identity()
    network.auxiliary_loss = lambda outputs, labels: outputs.sum() + labels.sum()
    labels = torch.ones(1, 2, 2, dtype=torch.long)
    assert supervised_loss(network, torch.ones(1, 1, 2, 2), labels, right).item() == 1 + 4 + 4


@pytest.mark.parametrize("architecture", [{"name": "unet++", "widths": [4, 6, 8]}, {"name": "acnn", "prior_steps": 2}])
def test_the_loop_trains_such_networks(architecture):
    task, state = task_and_state(recipe_from_plain({**RECIPE, "architecture": architecture}))
    losses = [
        step(task, state, batch, 1e-3).item()
        for epoch in range(2)
        for batch in task.order.batches(task.training, epoch)
    ]
    assert all(0 < loss < 10 for loss in losses)
    assert state.step == len(losses) > 2
