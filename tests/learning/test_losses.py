import numpy as np
import pytest
import torch

from cardiotrace.learning.losses import LOSSES, DiceConfig, DiceCrossEntropyConfig, marginal_loss, soft_dice_loss
from cardiotrace.learning.losses.marginal import merged_into_background
from cardiotrace.learning.losses.skeleton import ClDiceConfig, soft_cldice_loss, soft_skeleton

CLASSES = 4


def make(name: str, **values):
    entry = LOSSES[name]
    return entry.make(entry.config(**values))


def drawn(batch=3, height=6, width=5, dtype=torch.float32):
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(batch, CLASSES, height, width, generator=generator, dtype=dtype)
    return logits, torch.randint(0, CLASSES, (batch, height, width), generator=generator)


def numpy_losses(logits, labels, *, background=True, smooth=1e-5, ignore=None):
    """Both losses in float64 with a one-hot array: (Dice loss, cross-entropy)."""
    values = logits.double().numpy()
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    probabilities = np.moveaxis(exponentials / exponentials.sum(axis=1, keepdims=True), 1, -1)
    kept = np.ones(labels.shape, bool) if ignore is None else labels.numpy() != ignore
    p, t = probabilities[kept], np.eye(CLASSES)[labels.numpy()[kept]]
    dice = (2 * (p * t).sum(0) + smooth) / (p.sum(0) + t.sum(0) + smooth)
    return 1 - dice[0 if background else 1 :].mean(), -np.log((p * t).sum(1)).mean()


@pytest.mark.parametrize("ignore", [None, 255])
@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("smooth", [1e-5, 1.0])
def test_the_losses_equal_their_formulas(ignore, background, smooth):
    logits, labels = drawn()
    if ignore is not None:
        labels[:, :2] = ignore
    dice, entropy = numpy_losses(logits, labels, background=background, smooth=smooth, ignore=ignore)
    choices = {"background": background, "smooth": smooth, "ignore": ignore}
    assert make("dice", **choices)(logits, labels).item() == pytest.approx(dice, rel=1e-6)
    assert make("cross-entropy", ignore=ignore)(logits, labels).item() == pytest.approx(entropy, rel=1e-6)
    both = make("dice+cross-entropy", dice_weight=0.5, cross_entropy_weight=2.0, **choices)(logits, labels)
    assert both.item() == pytest.approx(0.5 * dice + 2 * entropy, rel=1e-6)


def test_cross_entropy_equals_pytorch():
    logits, labels = drawn()
    labels[0, 0] = 255
    expected = torch.nn.functional.cross_entropy(logits, labels, ignore_index=255)
    torch.testing.assert_close(make("cross-entropy", ignore=255)(logits, labels), expected)


@pytest.mark.parametrize("name", LOSSES.names)
@pytest.mark.parametrize("ignore", [None, 255])
def test_the_gradient_is_that_of_finite_differences(name, ignore):
    logits, labels = drawn(2, 3, 2, torch.float64)
    if ignore is not None:
        labels[0, 0] = ignore
    assert torch.autograd.gradcheck(lambda x: make(name, ignore=ignore)(x, labels), logits.requires_grad_())


@pytest.mark.parametrize("name", LOSSES.names)
def test_a_perfect_prediction_costs_nothing(name):
    _, labels = drawn()
    logits = 30 * torch.nn.functional.one_hot(labels, CLASSES).movedim(-1, 1).float()
    assert make(name)(logits, labels).item() == pytest.approx(0.0, abs=1e-5)


def test_the_worst_prediction_has_a_dice_loss_of_one():
    _, labels = drawn()
    logits = 30 * torch.nn.functional.one_hot((labels + 1) % CLASSES, CLASSES).movedim(-1, 1).float()
    assert make("dice")(logits, labels).item() == pytest.approx(1.0, abs=1e-5)
    assert make("cross-entropy")(logits, labels).item() == pytest.approx(30.0, abs=1e-4)


@pytest.mark.parametrize("name", LOSSES.names)
def test_ignored_pixels_have_neither_value_nor_gradient(name):
    logits, labels = drawn()
    cropped = make(name)(logits[:, :, 2:], labels[:, 2:])
    labels[:, :2] = 255
    logits.requires_grad_()
    loss = make(name, ignore=255)(logits, labels)
    torch.testing.assert_close(loss, cropped)
    loss.backward()
    assert not logits.grad[:, :, :2].any()
    assert logits.grad[:, :, 2:].any()


@pytest.mark.parametrize("name", LOSSES.names)
def test_a_batch_of_ignored_pixels_is_harmless(name):
    logits = drawn()[0].requires_grad_()
    loss = make(name, ignore=255)(logits, torch.full((3, 6, 5), 255))
    loss.backward()
    assert loss.item() == 0
    assert not logits.grad.any()


@pytest.mark.parametrize("name", LOSSES.names)
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_logits_are_computed_in_float32(name, dtype):
    logits, labels = drawn(2, 300, 300)
    halved = logits.to(dtype)
    loss = make(name)(halved, labels)
    assert loss.dtype == torch.float32
    torch.testing.assert_close(loss, make(name)(halved.float(), labels), rtol=0, atol=0)


@pytest.mark.parametrize("name", LOSSES.names)
def test_large_logits_stay_finite(name):
    logits, labels = drawn()
    logits = (1e4 * logits).requires_grad_()
    loss = make(name)(logits, labels)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(logits.grad).all()


def test_a_batch_of_millions_of_pixels_is_summed_accurately():
    """One float32 accumulator loses 4 % of a sum of this size, which would show as a Dice loss of 0.02."""
    labels = torch.zeros(32, 384, 384, dtype=torch.int64)
    right = 0.9 + 0.05 * torch.rand(labels.shape, generator=torch.Generator().manual_seed(0))
    loss = soft_dice_loss(torch.stack([right, 1 - right], 1), labels, DiceConfig(smooth=0.0))
    total, pixels = right.double().sum().item(), labels.numel()
    assert loss.item() == pytest.approx(1 - 0.5 * (2 * total / (total + pixels)), abs=1e-6)


@pytest.mark.parametrize("name", LOSSES.names)
def test_the_memory_layout_does_not_matter(name):
    logits, labels = drawn(2, 16, 16)
    last = logits.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(make(name)(last, labels), make(name)(logits, labels))


@pytest.mark.parametrize("name", LOSSES.names)
def test_a_step_against_the_gradient_lowers_the_loss(name):
    logits, labels = drawn()
    logits.requires_grad_()
    loss = make(name)(logits, labels)
    (gradient,) = torch.autograd.grad(loss, logits)
    assert make(name)(logits - 0.1 * gradient, labels) < loss


def test_without_background_its_pixels_count_only_as_false_positives():
    labels = torch.tensor([[[0, 0, 1]]])
    probabilities = torch.tensor([[[[1.0, 0.5, 0.0]], [[0.0, 0.5, 1.0]]]])
    loss = soft_dice_loss(probabilities, labels, DiceConfig(background=False, smooth=0.0))
    assert loss.item() == pytest.approx(1 - 2 * 1 / (1.5 + 1))


def test_both_terms_weigh_one_by_default():
    assert DiceCrossEntropyConfig().dice_weight == DiceCrossEntropyConfig().cross_entropy_weight == 1.0


def test_cldice_by_hand():
    """A reference bar of 3 x 5, of which the prediction has the left 3 columns: both skeletons lie in row 2."""
    labels = torch.zeros(1, 5, 7, dtype=torch.int64)
    labels[:, 1:4, 1:6] = 1
    predicted = torch.zeros(1, 1, 5, 7)
    predicted[..., 1:4, 1:4] = 1.0
    probabilities = torch.cat([1 - predicted, predicted], 1)
    line = soft_skeleton((labels == 1).unsqueeze(1).float(), 2)[0, 0]
    assert line.nonzero().tolist() == [[2, 2], [2, 3], [2, 4]]
    assert soft_skeleton(predicted, 2)[0, 0].nonzero().tolist() == [[2, 2]]
    # Precision 1/1, sensitivity 2/3: clDice = 2 * 1 * (2/3) / (5/3) = 0.8.
    loss = soft_cldice_loss(probabilities, labels, ClDiceConfig(iterations=2, smooth=0.0))
    assert loss.item() == pytest.approx(0.2, abs=1e-6)


def test_a_gap_in_a_line_costs_more_than_a_thinner_line():
    labels = torch.zeros(1, 9, 30, dtype=torch.int64)
    labels[:, 3:6] = 1
    whole = (labels == 1).unsqueeze(1).float()
    thin, broken = whole.clone(), whole.clone()
    thin[..., 3, :] = 0
    broken[..., :, 10:20] = 0
    costs = [
        soft_cldice_loss(torch.cat([1 - line, line], 1), labels, ClDiceConfig(smooth=0.0)).item()
        for line in (thin, broken)
    ]
    assert costs[0] < 0.5 * costs[1]


# One image of 2 x 2 pixels, classes background, RV, MYO; RV is not annotated. Probabilities of (b, RV, MYO) by pixel.
PIXELS = torch.tensor([[0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.25, 0.25, 0.5], [0.1, 0.1, 0.8]])
LABELS = torch.tensor([[[0, 0], [2, 2]]])
RING_ONLY = torch.tensor([[True, False, True]])


def test_marginal_losses_by_hand():
    logits = PIXELS.log().T.reshape(1, 3, 2, 2)
    # Where background is labelled p(b) + p(RV) counts: 0.8 and 0.9, though RV is the surest answer of the second pixel.
    entropy = -np.log([0.8, 0.9, 0.5, 0.8]).mean()
    background = 2 * (0.8 + 0.9) / (0.8 + 0.9 + 0.5 + 0.2 + 2)
    ring = 2 * (0.5 + 0.8) / (0.2 + 0.1 + 0.5 + 0.8 + 2)
    dice = 1 - (background + 1 + ring) / 3  # nobody says RV, nobody labels it: 1 by smoothing, without a gradient
    assert marginal_loss(make("cross-entropy"), RING_ONLY)(logits, LABELS).item() == pytest.approx(entropy, rel=1e-6)
    assert marginal_loss(make("dice"), RING_ONLY)(logits, LABELS).item() == pytest.approx(dice, abs=1e-5)
    both = marginal_loss(make("dice+cross-entropy"), RING_ONLY)(logits, LABELS)
    assert both.item() == pytest.approx(dice + entropy, abs=1e-5)
    assert make("cross-entropy")(logits, LABELS).item() > entropy + 0.4


def test_a_sample_that_lacks_a_structure_pulls_background_and_structure_alike():
    logits = PIXELS.log().T.reshape(1, 3, 2, 2).requires_grad_()
    marginal_loss(make("cross-entropy"), RING_ONLY)(logits, LABELS).backward()
    # Both rise where background is labelled, each by its share of what they hold together: their ratio stays.
    gradient = logits.grad.reshape(3, 4).T * 4
    shares = PIXELS[0, :2] / 0.8
    torch.testing.assert_close(gradient[0], torch.cat([PIXELS[0, :2] - shares, PIXELS[0, 2:]]))


@pytest.mark.parametrize("name", LOSSES.names)
def test_complete_samples_of_a_mixed_batch_count_as_they_did(name):
    logits, labels = drawn(2)
    whole = torch.ones(2, CLASSES, dtype=torch.bool)
    torch.testing.assert_close(marginal_loss(make(name), whole)(logits, labels), make(name)(logits, labels))
    merged = merged_into_background(logits, torch.tensor([[True] * 4, [True, False, True, False]]))
    torch.testing.assert_close(merged[0], logits[0])
    expected = logits[1].softmax(0)
    torch.testing.assert_close(merged[1].softmax(0)[0], expected[0] + expected[1] + expected[3])
    torch.testing.assert_close(merged[1].softmax(0)[2], expected[2])


@pytest.mark.parametrize("name", LOSSES.names)
def test_marginal_losses_are_finite_without_smoothing_and_in_half_precision(name):
    logits, labels = drawn(2)
    labels[labels == 1] = 0
    known = torch.tensor([[True, False, True, True]] * 2)
    smooth = {} if name == "cross-entropy" else {"smooth": 0.0 if "cldice" not in name else 1e-5}
    values = (logits.to(torch.bfloat16) * 30).requires_grad_()
    loss = marginal_loss(make(name, **smooth), known)(values, labels)
    loss.backward()
    assert loss.isfinite()
    assert values.grad.isfinite().all()
