"""What a reward network is shown, that it learns to tell right from wrong, and the temperature that fits it."""

import dataclasses

import numpy as np
import pytest
import torch

from cardiotrace.core.errors import InputError
from cardiotrace.datasets.packed import IGNORED, PackedDataset
from cardiotrace.datasets.split import Split
from cardiotrace.learning.rl4seg.reward_network import (
    WRONG,
    Judge,
    RewardNetwork,
    decoded,
    encoded,
    fitted_temperature,
)
from cardiotrace.learning.rl4seg.stage import RewardStage, make_reward_network, reward_recipe
from cardiotrace.learning.training.adaptation.rl4seg import RL4Seg
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.run import CheckedRun, Hardware, train
from cardiotrace.learning.training.weights import load_weights
from tests.learning.training.tiny import packed, recipe, training_data


def test_codes_hold_outline_and_error_and_what_is_not_seen():
    outlines = np.array([[0, 1, 2, 3]], np.uint8)
    codes = encoded(outlines, np.array([[True, False, True, False]]))
    back, wrong = decoded(torch.tensor([*codes[0].tolist(), IGNORED]))
    assert back.tolist() == [0, 1, 2, 3, 0]
    assert wrong.tolist() == [1, 0, 1, 0, IGNORED]


def test_too_many_classes_are_refused():
    with pytest.raises(InputError, match="more than 127 classes"):
        encoded(np.array([[127]], np.uint8), np.array([[False]]))


def test_an_outline_stands_in_channels_of_its_own():
    network = make_reward_network(recipe(), channels=1, classes=4)
    images = torch.full((1, 1, 8, 8), 0.5)
    given = network.joined(images, torch.full((1, 8, 8), 2))
    assert given.shape == (1, 5, 8, 8)
    assert given[0, :, 0, 0].tolist() == [0.5, 0.0, 0.0, 1.0, 0.0]


def reward_data(planes: int = 12) -> PackedDataset:
    """Half of the outlines are right, of the others a structure is lost: what is background there is wrong."""
    data = packed(planes)
    outlines = np.array(data.labels)
    outlines[::2][outlines[::2] == 2] = 0
    return dataclasses.replace(data, labels=encoded(outlines, outlines != data.labels))


def test_it_learns_where_outlines_are_wrong(tmp_path):
    settings = RL4Seg(reward_epochs=12, reward_batch_size=4, reward_learning_rate=1e-2)
    made, data = reward_recipe(recipe(), settings), reward_data()
    names = [sample.patient for sample in data.samples]
    learned = dataclasses.replace(
        training_data(), packed=data, split=Split(tuple(names[:8]), tuple(names[8:])), classes=(WRONG,)
    )
    folder = RunFolder(tmp_path)
    result = train(CheckedRun(made, folder), learned, hardware=Hardware("cpu"), objective=RewardStage(4))
    assert result.best_score > 0.9  # Dice of what is wrong, of planes that it has not seen

    network = make_reward_network(made, channels=1, classes=4)
    load_weights(network, folder.best)
    images = made.preprocessing.normalise(torch.from_numpy(data.unit_images(np.arange(8, 12))))
    outlines, wrong = decoded(torch.from_numpy(data.labels[8:12].astype(np.int64)))
    rewards = Judge(network).rewards(images, outlines)
    assert float(rewards[wrong == 1].mean()) < 0.35
    assert float(rewards[wrong == 0].mean()) > 0.9
    assert 0 <= float(rewards.min()) <= float(rewards.max()) <= 1


class Fixed(RewardNetwork):
    """Says of each pixel what the image holds there: the difference of both logits."""

    def __init__(self) -> None:
        torch.nn.Module.__init__(self)
        self.classes = 2

    def forward(self, given):
        return torch.stack([torch.zeros_like(given[:, 0]), given[:, 0]], dim=1)


def test_a_network_that_is_twice_too_sure_gets_a_temperature_of_two():
    generator = torch.Generator().manual_seed(0)
    margins = 3 * torch.randn(1, 1, 200, 200, generator=generator)
    wrong = (torch.rand(1, 200, 200, generator=generator) < margins[:, 0].sigmoid()).long()
    found = fitted_temperature(Fixed(), [(2 * margins, wrong)])
    assert found == pytest.approx(2, abs=0.06)


def test_without_outlines_that_were_held_out_the_temperature_is_one():
    assert fitted_temperature(Fixed(), []) == 1.0
    unseen = torch.full((1, 4, 4), IGNORED)
    assert fitted_temperature(Fixed(), [(torch.ones(1, 1, 4, 4), unseen)]) == 1.0


def test_a_judge_is_as_sure_as_its_temperature_says():
    images, outlines = torch.full((1, 1, 2, 2), 4.0), torch.zeros(1, 2, 2, dtype=torch.long)
    assert float(Judge(Fixed(), 2.0).rewards(images, outlines).mean()) == pytest.approx(1 / (1 + np.exp(2)))
