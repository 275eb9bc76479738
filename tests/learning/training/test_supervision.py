import pytest
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.learning.models.catalog import ARCHITECTURES
from cardiotrace.learning.training import loop
from cardiotrace.learning.training.supervision import supervised_loss
from tests.learning.training.tiny import recipe, task_and_state


class Two(torch.nn.Module):
    output_weights = (1.0, 0.5)


def count(logits, labels):
    """Not a loss: the number of labels that are 1, at the size of the logits."""
    assert logits.shape[-2:] == labels.shape[-2:]
    return (labels == 1).sum().float()


def test_each_output_is_compared_at_its_own_size_and_weighted():
    labels = torch.ones(1, 8, 8, dtype=torch.int64)
    fine, coarse = torch.zeros(1, 2, 8, 8), torch.zeros(1, 2, 4, 4)
    assert supervised_loss(count, Two(), (fine, coarse), labels).item() == 64 + 0.5 * 16
    assert supervised_loss(count, Two(), fine, labels).item() == 64


def test_a_wrong_number_of_weights_is_said():
    with pytest.raises(ValueError, match="Two gives 3 outputs and states 2 weights"):
        supervised_loss(count, Two(), (torch.zeros(1, 2, 4, 4),) * 3, torch.zeros(1, 4, 4, dtype=torch.int64))


def test_a_network_of_two_outputs_learns_in_the_loop():
    some = recipe(architecture={"name": "wnet", "levels": 2, "width": 4, "norm": "none"})
    task, state = task_and_state(some)
    scores = []
    loop.run_epochs(task, state, on_step=lambda *_: None, on_epoch=lambda row, _: scores.append(row["loss"]))
    assert scores[-1] < scores[0]


def test_the_second_network_of_a_wnet_sees_the_first():
    torch.manual_seed(0)
    network = ARCHITECTURES.make(Choice("wnet"), 1, 2)
    final, _first = network(torch.rand(1, 1, 16, 16))
    final.sum().backward()
    assert network.first.head.weight.grad.abs().max() > 0
