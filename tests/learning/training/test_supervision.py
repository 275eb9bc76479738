import pytest
import torch

from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.models.network import TrainingOutputs
from cardiotrace.learning.training.loop import step
from cardiotrace.learning.training.recipe import recipe_from_plain
from cardiotrace.learning.training.supervision import supervised_loss
from tests.learning.training.tiny import RECIPE, task_and_state


def right(logits, labels):
    """Share of pixels whose first logit is the label."""
    return (logits[:, 0] == labels).float().mean()


def test_coarser_outputs_meet_the_nearest_labels():
    labels = torch.arange(16).reshape(1, 4, 4)
    fine, coarse = labels.unsqueeze(1).float(), torch.tensor([[[[0.0, 2.0], [8.0, 10.0]]]])
    unseen = torch.full((1, 1, 1, 1), float("nan"))
    assert supervised_loss(TrainingOutputs((fine, coarse, unseen), (0.5, 0.25, 0.0)), labels, right).item() == 0.75


def test_a_single_output_needs_no_weights():
    labels = torch.zeros(1, 4, 4, dtype=torch.long)
    assert supervised_loss(TrainingOutputs.of(torch.zeros(1, 1, 4, 4)), labels, right).item() == 1


def test_too_few_weights_are_refused():
    outputs = TrainingOutputs((torch.zeros(1, 1, 4, 4),) * 2, (0.5, 0.25, 0.25))
    with pytest.raises(ValueError, match="zip"):
        supervised_loss(outputs, torch.zeros(1, 4, 4, dtype=torch.long), right)


@pytest.mark.parametrize("architecture", [{"name": "unet++", "widths": [4, 6, 8]}, {"name": "acnn", "prior_steps": 2}])
def test_the_loop_trains_such_networks(architecture):
    slow = {"optimiser": {"name": "adam", "learning_rate": 1e-3}}
    recipe = recipe_from_plain({**RECIPE, **slow, "architecture": architecture})
    task, state = task_and_state(recipe)
    batches = [batch for epoch in range(2) for batch in task.order.batches(task.training, epoch)]
    losses = [step(task, state, batch)["loss"].item() for batch in batches]
    assert state.step == len(losses) == 2 * task.steps_per_epoch > 2
    # The first of them by hand, of a network with the same first weights.
    network, loss = task_and_state(recipe)[1].objective.network.train(), LOSSES.make(recipe.loss)
    outputs = TrainingOutputs.of(network(batches[0].images))
    parts = [supervised_loss(outputs, batches[0].labels, loss)]
    parts += network.auxiliary_losses(outputs, batches[0].labels).values()
    assert len(outputs.logits) + len(parts) == 3  # two outputs and one loss, or one output and a further loss
    assert losses[0] == pytest.approx(sum(part.item() for part in parts), rel=1e-5)
