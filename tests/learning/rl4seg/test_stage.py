"""The recipe of each training, the samples that it gets, and what RL4Seg refuses to work on."""

import dataclasses

import numpy as np
import pytest

from cardiotrace.core.errors import ConfigError
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.learning.rl4seg.stage import (
    policy_recipe,
    require_planes,
    reward_recipe,
    reward_split,
    stacked,
    with_pseudo_labels,
)
from cardiotrace.learning.training.adaptation.rl4seg import RL4Seg
from cardiotrace.learning.training.recipe import read_recipe, recipe_text
from tests.learning.rl4seg.toy import toy_packed, toy_recipe


def test_stages_learn_as_their_settings_say():
    recipe = toy_recipe(augmentation={"rotation_degrees": {"probability": 1.0, "low": -5, "high": 5}})
    settings = RL4Seg(reward_epochs=7, policy_epochs=3, reward_batch_size=6, learning_rate=1e-4)
    reward, policy = reward_recipe(recipe, settings), policy_recipe(recipe, settings)
    assert (reward.training.epochs, reward.training.batch_size, policy.training.epochs) == (7, 6, 3)
    assert policy.optimiser.options["learning_rate"] == 1e-4
    assert (policy.training.gradient_clip, reward.training.gradient_clip) == (0.5, 0.0)
    assert reward.augmentation.rotation_degrees.probability == 1
    assert policy.augmentation.rotation_degrees.probability == 0
    assert reward.adaptation is None
    assert policy.adaptation is None


@pytest.mark.parametrize("of", [reward_recipe, policy_recipe])
def test_a_stage_is_the_same_once_it_was_written_and_read(of, tmp_path):
    made = of(toy_recipe(neighbours=1, neighbours_of="frames"), RL4Seg())
    path = tmp_path / "recipe.toml"
    path.write_text(recipe_text(made))
    assert read_recipe(path).digest() == made.digest()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"crop": [32, 32]}, "training.crop"),
        ({"group": "phases", "batch_size": 4}, "training.group"),
    ],
)
def test_what_it_does_not_work_on_is_refused(changes, told):
    recipe = toy_recipe()
    with pytest.raises(ConfigError, match=told):
        require_planes(toy_recipe(training=dataclasses.asdict(recipe.training) | changes))


def test_neighbouring_frames_become_channels():
    packed = toy_packed(2)
    recipe = toy_recipe(neighbours=1, neighbours_of="frames")
    found = stacked(packed, recipe, np.array([0, 1]))
    assert found.images.shape[1] == 3
    # Of two frames: the first sees itself twice and the second, the second the first and itself twice.
    assert np.array_equal(found.images[0], packed.images[[0, 0, 1], 0])
    assert np.array_equal(found.images[1], packed.images[[0, 1, 1], 0])


def test_patients_are_held_out_by_name_and_few_are_not():
    names = [f"p{number}" for number in range(10)]
    split = reward_split(names, 3)
    assert (len(split.training), len(split.validation)) == (8, 2)
    assert {*split.training, *split.validation} == set(names)
    assert reward_split(names[::-1], 3) == split
    assert reward_split(names[:2], 3).validation == ()


def test_a_pseudo_label_is_a_label_and_all_else_is_not_known():
    packed = toy_packed(4)
    label = np.full(packed.labels.shape[1:], 2, np.uint8)
    joined = with_pseudo_labels(packed, {1: label}, toy_packed(2))
    assert len(joined) == 8 + 4
    assert [sample.is_labelled for sample in joined.samples] == [False, True, *[False] * 6, *[True] * 4]
    assert (joined.labels[1] == 2).all()
    assert (joined.labels[[0, 2, 7]] == IGNORED).all()
    assert np.array_equal(joined.labels[8:], toy_packed(2).labels)
