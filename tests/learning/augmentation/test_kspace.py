"""Changes of k-space, each against what it must be by hand or by numpy."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from cardiotrace.learning.augmentation import change_intensities, identity
from tests.learning.augmentation.drawing import batch, point


def test_ghosts_of_a_point_lie_where_they_must():
    for axis, places in ((0, [(10, 20), (26, 20), (42, 20), (58, 20)]), (1, [(10, 4), (10, 20), (10, 36), (10, 52)])):
        ghosts = change_intensities(point(), replace(identity(1), ghosting=torch.tensor([[4.0, 0.5, float(axis)]])))[
            0, 0
        ]
        assert [tuple(place) for place in (ghosts > 1e-4).nonzero().tolist()] == places
        assert ghosts[10, 20].item() == pytest.approx(0.5 + 0.5 / 4, abs=1e-5)
        assert ghosts.sum().item() == pytest.approx(1.0, abs=1e-3)
        assert sorted(ghosts[ghosts > 1e-4].tolist())[:3] == pytest.approx([0.5 / 4] * 3, abs=1e-5)


@pytest.mark.parametrize("shape", [(48, 40), (45, 41)])
def test_truncation_equals_numpy(shape):
    images, _ = batch(1, *shape)
    image = images[0, 0].double().numpy()
    spectrum = np.fft.fft2(image)
    far = [np.abs(np.fft.fftfreq(side)) > 0.305 for side in shape]
    spectrum[far[0]] = 0
    spectrum[:, far[1]] = 0
    expected = np.clip(np.abs(np.fft.ifft2(spectrum)), 0, 1)
    cut = change_intensities(images, replace(identity(1), gibbs=torch.tensor([0.61])))
    np.testing.assert_allclose(cut[0, 0].numpy(), expected, atol=1e-5)


def test_truncation_rings_at_an_edge_and_a_coarser_acquisition_hardly_does():
    edge = torch.full((1, 1, 64, 64), 0.2)
    edge[..., 16:48] = 0.6
    ringing = change_intensities(edge, replace(identity(1), gibbs=torch.tensor([0.5])))
    smooth = change_intensities(edge, replace(identity(1), acquired_resolution=torch.tensor([0.5])))
    # Gibbs: 9 % of the jump of 0.4 beyond either side, however many lines are left.
    assert ringing.max().item() == pytest.approx(0.6 + 0.09 * 0.4, abs=0.01)
    assert smooth.max().item() == pytest.approx(0.6, abs=0.005)
    for result in (ringing, smooth):
        assert result.mean().item() == pytest.approx(edge.mean().item(), abs=1e-4)
    assert smooth[0, 0, 0].diff().abs().max() < 0.6 * edge[0, 0, 0].diff().abs().max()


def test_all_lines_of_a_moved_image_are_the_moved_image():
    image = torch.full((1, 1, 64, 64), 0.4)
    image[..., 10:30, 20:40] += 0.2 * batch(1, 20, 20)[0]
    moved = change_intensities(image, replace(identity(1), motion=torch.tensor([[0.0, 0.125, 0.25, 0.0, 0.0]])))
    # But for the line in the middle of k-space, which is the mean of each column: that is read before.
    expected = image.roll((16, 8), (2, 3))
    expected = expected - expected.mean(dim=2, keepdim=True) + image.mean(dim=2, keepdim=True)
    torch.testing.assert_close(moved, expected, atol=1e-4, rtol=0)
    still = change_intensities(image, replace(identity(1), motion=torch.tensor([[0.1, 0.1, 0.1, 1.0, 0.0]])))
    assert torch.equal(still, image)


def test_a_turn_is_counter_clockwise_as_displayed():
    image = torch.full((1, 1, 64, 64), 0.4)
    image[..., 10:20, 28:36] = 0.9
    turn = torch.tensor([[torch.pi / 2, 0.0, 0.0, 0.0, 0.0]])
    moved = change_intensities(image, replace(identity(1), motion=turn))
    expected = torch.rot90(image, 1, (2, 3))
    expected = expected - expected.mean(dim=2, keepdim=True) + image.mean(dim=2, keepdim=True)
    torch.testing.assert_close(moved, expected, atol=1e-4, rtol=0)


def test_motion_blurs_along_the_axis_of_the_lines_alone():
    rows = torch.rand(1, 1, 64, 1).expand(1, 1, 64, 64).contiguous()
    motion = torch.tensor([[0.0, 0.1, 0.0, 0.3, 0.0], [0.0, 0.0, 0.1, 0.3, 0.0]])
    moved = change_intensities(rows.expand(2, 1, 64, 64), replace(identity(2), motion=motion))
    torch.testing.assert_close(moved[:1], rows, atol=1e-5, rtol=0)  # shifted along what is constant
    assert (moved[1:] - rows).abs().mean() > 0.05


def test_an_image_exchanged_with_itself_stays():
    images, _ = batch()
    own = replace(identity(4), amplitude_exchange=torch.tensor([[0.7, 0.2]]).repeat(4, 1))
    torch.testing.assert_close(change_intensities(images, own), images, atol=1e-5, rtol=0)


def test_low_frequencies_take_the_amplitude_of_the_partner_and_keep_their_phase():
    images = 0.3 + 0.2 * batch(2, 40, 48)[0]
    exchange = replace(
        identity(2), amplitude_exchange=torch.tensor([[1.0, 0.1], [0.0, 0.1]]), partner=torch.tensor([[0, 1], [1, 0]])
    )
    result = change_intensities(images, exchange)
    new, own, other = (np.fft.fft2(image[0].double().numpy()) for image in (result[0], images[0], images[1]))
    near = np.ix_(*(np.abs(np.fft.fftfreq(side)) <= 0.1 for side in (40, 48)))
    np.testing.assert_allclose(np.abs(new)[near], np.abs(other)[near], rtol=1e-3)
    np.testing.assert_allclose(np.angle(new)[near], np.angle(own)[near], atol=1e-3)
    new[near] = own[near] = 0
    np.testing.assert_allclose(new, own, atol=1e-2)
    assert torch.equal(result[1], images[1])


def test_a_black_image_stays_finite():
    black = torch.zeros(2, 1, 16, 16)
    exchange = replace(
        identity(2), amplitude_exchange=torch.tensor([[1.0, 0.1]] * 2), partner=torch.tensor([[0, 1], [1, 0]])
    )
    assert torch.equal(change_intensities(black, exchange), black)
