"""Which answers are valid, where a criterion that fails lowers the reward, and where the annulus is."""

import dataclasses

import numpy as np
import pytest

from cardiotrace.clinical.anatomy.criterion import Axis
from cardiotrace.core.label import ACDC
from cardiotrace.learning.rl4seg.answer import Anatomy
from tests.learning.rl4seg.hearts import ANATOMY, LA, LV, MYO, pierced, whole


def test_a_whole_heart_is_valid_and_worth_one_all_over():
    assert ANATOMY.is_valid(whole(), None)
    assert float(ANATOMY.reward(whole(), None).min()) == 1


def test_the_very_pixels_of_a_hole_are_worth_nothing():
    reward = ANATOMY.reward(pierced(), None)
    assert not ANATOMY.is_valid(pierced(), None)
    assert np.array_equal(reward == 0, (pierced() == 0) & (whole() == LV))
    assert set(np.unique(reward)) == {0.0, 1.0}


def test_a_piece_that_lies_apart_is_worth_nothing():
    classes = whole()
    classes[5:8, 90:94] = LA
    reward = ANATOMY.reward(classes, None)
    assert np.argwhere(reward == 0).tolist() == [[row, column] for row in (5, 6, 7) for column in (90, 91, 92, 93)]


def test_a_thin_wall_lowers_the_reward_of_the_wall_by_its_share_of_criteria():
    classes = whole()
    classes[: classes.shape[0] // 3][:, 50] = np.where(
        classes[: classes.shape[0] // 3][:, 50] == MYO, 0, classes[:40, 50]
    )
    classes[13:21, 48:52] = np.where(classes[13:21, 48:52] == MYO, 0, classes[13:21, 48:52])
    classes[20, 44:57] = np.where(classes[20, 44:57] == LV, MYO, classes[20, 44:57])
    reward = ANATOMY.reward(classes, None)
    wall = reward[classes == MYO]
    assert 0.5 in np.unique(wall)  # of two criteria about the shape of the wall one fails
    assert float(reward[classes == LA].min()) == 1


@pytest.mark.parametrize("structure", [LV, MYO, LA])
def test_an_answer_without_a_structure_is_not_valid(structure):
    classes = whole()
    classes[classes == structure] = 0
    assert not ANATOMY.is_valid(classes, None)


def test_an_empty_answer_is_not_valid_and_nothing_is_said_of_its_pixels():
    empty = np.zeros((40, 40), np.uint8)
    assert not ANATOMY.is_valid(empty, None)
    assert float(ANATOMY.reward(empty, None).min()) == 1
    assert ANATOMY.annulus(empty, None) is None


def test_the_annulus_is_where_the_ventricle_ends():
    points, length = ANATOMY.annulus(whole(), None)
    assert points[:, 0] == pytest.approx([69, 69], abs=1)
    assert points[:, 1] == pytest.approx([50 - 14.5, 50 + 14.5], abs=1.5)
    assert length == pytest.approx(47, abs=2)
    doubled, _ = ANATOMY.annulus(whole(), (2.0, 1.0))
    assert doubled[:, 0] == pytest.approx(2 * points[:, 0], abs=1)


def test_a_short_axis_has_no_annulus():
    assert not Anatomy(ACDC, Axis.SHORT, ANATOMY.limits, is_upright=False).has_annulus
    assert not dataclasses.replace(ANATOMY, is_upright=False).has_annulus
