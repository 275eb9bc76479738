"""Which answers are taken for right, what wrong outlines are made of them, and that pairs are kept whole."""

from pathlib import Path

import numpy as np
import torch

from cardiotrace.datasets.packed import PackedDataset, PackedSample, open_packed
from cardiotrace.learning.models.network import Network
from cardiotrace.learning.rl4seg.reward_data import (
    Answers,
    RewardPair,
    answers_of,
    reward_pairs,
    sort_answers,
    together,
    write_reward_data,
)
from cardiotrace.learning.rl4seg.reward_network import decoded
from cardiotrace.learning.rl4seg.shapes import ShapeLimits
from cardiotrace.learning.training.adaptation.rl4seg import Distortions
from cardiotrace.learning.training.device_dataset import DeviceDataset
from cardiotrace.preprocessing import Preprocessing
from tests.learning.rl4seg.hearts import LA, MYO, cut, loose, pierced, shapes, whole

LIMITS = ShapeLimits(0.5, None)


def packed(images: np.ndarray) -> PackedDataset:
    samples = tuple(
        PackedSample(f"c{number}", {"patient": f"p{number}"}, "ED", "4CH", 0, 0, 0.0, 255.0)
        for number in range(len(images))
    )
    return PackedDataset(Path("packed"), images[:, None], np.zeros(images.shape, np.uint8), samples)


class Grey(Network):
    """A class for each grey value: 0, 60, 120 and 180 of 255; less sure the less contrast there is."""

    def forward(self, images):
        levels = torch.arange(4).reshape(1, 4, 1, 1) * 60 / 255
        return -50 * (images - levels).square()


def dataset(*planes: np.ndarray) -> tuple[PackedDataset, DeviceDataset]:
    data = packed(np.stack(planes) * np.uint8(60))
    return data, DeviceDataset(data, np.arange(len(planes)), Preprocessing([]), torch.device("cpu"))


def sorted_answers(*planes: np.ndarray, known=None, limits=LIMITS):
    stacked = np.stack(planes)
    return sort_answers(Answers(stacked, stacked), known or shapes(), limits, [None] * len(planes))


def test_valid_answers_are_accepted_spoilt_ones_corrected_others_left_out():
    found = sorted_answers(whole(), cut(), np.zeros_like(whole()))
    assert (list(found.accepted), list(found.corrected)) == ([0], [1])
    assert found.told() == "of 3 answers 1 taken as pseudo-labels, 1 corrected, 1 left out"
    assert np.array_equal(found.accepted[0], whole())


def test_holes_and_stray_pixels_are_mended_before_an_answer_is_judged():
    strayed = pierced()
    strayed[3, 3] = LA
    found = sorted_answers(strayed)
    assert np.array_equal(found.accepted[0], whole())


def test_a_valid_answer_that_is_drawn_otherwise_is_left_out():
    found = sorted_answers(whole(), limits=ShapeLimits(0.9999, None))
    assert not found.accepted
    assert not found.corrected


def test_what_no_valid_shape_is_near_is_left_out():
    assert not sorted_answers(cut(), known=loose()).corrected


def test_likeliest_and_drawn_answers():
    _, images = dataset(whole(), pierced())
    first = answers_of(Grey(), images, torch.Generator().manual_seed(0))
    again = answers_of(Grey(), images, torch.Generator().manual_seed(0))
    assert np.array_equal(first.likeliest, np.stack([whole(), pierced()]))
    assert np.array_equal(first.drawn, again.drawn)
    differing = np.mean(first.drawn != first.likeliest)
    assert 0.03 < differing < 0.3  # the next class has exp(-50 (60/255)^2) = 0.06 of the odds


def test_every_way_of_both_branches():
    _, images = dataset(whole(), whole()[:, ::-1].copy(), cut())
    answers = answers_of(Grey(), images, torch.Generator().manual_seed(0))
    found = sorted_answers(*answers.likeliest)
    assert (list(found.accepted), list(found.corrected)) == ([0, 1], [2])
    pairs = list(
        reward_pairs(Grey(), images, answers, found, Distortions(weight_noise=(), noise=(0.2,)), torch.Generator())
    )
    assert [pair.way for pair in pairs if pair.image == 2] == ["corrected", "answer", "drawn"]
    assert [pair.way for pair in pairs if pair.image == 0] == [
        "accepted",
        "swapped",
        "contrast 0.7",
        "contrast 0.8",
        "noise 0.2",
    ]
    right = next(pair for pair in pairs if pair.way == "accepted")
    assert np.array_equal(right.outline, right.right)
    swapped = next(pair for pair in pairs if pair.way == "swapped")
    assert np.array_equal(swapped.outline, whole()[:, ::-1])
    assert np.array_equal(swapped.right, whole())
    fainter = next(pair for pair in pairs if pair.way == "contrast 0.7")
    assert (fainter.outline == LA).sum() == 0  # 180 of 255 became 126: the wall's grey
    assert (fainter.outline == MYO).sum() > 0


def test_pairs_are_kept_with_their_images(tmp_path):
    data, _ = dataset(whole(), pierced())
    pairs = [RewardPair(1, "answer", pierced(), whole()), RewardPair(0, "accepted", whole(), whole())]
    write_reward_data(tmp_path / "a", data, range(2), pairs)
    kept = open_packed(tmp_path / "a")
    assert np.array_equal(kept.images, data.images[[1, 0]])
    outlines, wrong = decoded(torch.from_numpy(np.array(kept.labels).astype(np.int64)))
    assert np.array_equal(outlines.numpy(), np.stack([pierced(), whole()]))
    assert np.array_equal(wrong[0].numpy() == 1, pierced() != whole())
    assert int(wrong[1].sum()) == 0
    assert [sample.patient for sample in kept.samples] == ["p1", "p0"]
    assert len({sample.case for sample in kept.samples}) == 2
    both = together([kept, kept])
    assert len(both) == 4
    assert together([kept]) is kept
