"""What the scanner measures of a point, an edge and noise: known in closed form."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.phantoms.cmr.kspace import Readout
from cardiotrace.phantoms.cmr.motion import BEATS, Motion

SIZE = 64
QUIET = np.random.default_rng(0)


def point(row: int, column: int, shape: tuple[int, int] = (SIZE, SIZE)) -> np.ndarray:
    image = np.zeros(shape, np.complex64)
    image[row, column] = 1
    return image


@given(st.integers(0, SIZE - 1), st.integers(0, SIZE - 1))
def test_a_point_is_a_plane_wave_in_k_space(row, column):
    readout = Readout((SIZE, SIZE), acquired=(0.5, 0.75))
    measured = readout.measured(point(row, column))
    assert measured.shape == (32, 48)
    down, across = readout.cycles
    np.testing.assert_allclose(measured, np.exp(-2j * np.pi * (down * row + across * column)), atol=1e-4)


def test_all_of_k_space_gives_the_object_back():
    shown = np.random.default_rng(1).normal(size=(2, 40, 30))
    object_ = (shown[0] + 1j * shown[1]).astype(np.complex64)
    readout = Readout((40, 30))
    np.testing.assert_allclose(readout.image(readout.measured(object_), QUIET), np.abs(object_), atol=1e-5)
    # Parseval: k-space holds the same energy.
    assert (np.abs(readout.measured(object_)) ** 2).sum() == pytest.approx(
        1200 * (np.abs(object_) ** 2).sum(), rel=1e-5
    )


def test_half_of_the_lines_blur_a_point_to_a_dirichlet_kernel():
    readout = Readout((SIZE, SIZE), acquired=(0.5, 1.0))
    profile = readout.image(readout.measured(point(32, 20)), QUIET)[:, 20]
    away = np.arange(SIZE) - 32
    with np.errstate(invalid="ignore"):
        kernel = np.abs(np.sin(np.pi * 32 * away / SIZE) / np.sin(np.pi * away / SIZE)) / SIZE
    kernel[32] = 0.5
    # 32 lines from -16 to 15: the kernel of an even number of them.
    np.testing.assert_allclose(profile, kernel, atol=1e-6)
    assert profile[32 + 2] == pytest.approx(0, abs=1e-6)


def test_the_filter_calms_the_ringing_and_keeps_what_is_flat():
    edge = np.zeros((SIZE, SIZE), np.complex64)
    edge[20:44] = 1
    sharp, smooth = (Readout((SIZE, SIZE), (0.5, 1.0), roll_off=share) for share in (0.0, 0.6))
    # Eight pixels and more beside the edge there is nothing but ringing.
    ripples = [made.image(made.measured(edge), QUIET)[:12].max() for made in (sharp, smooth)]
    assert ripples[0] > 0.015
    assert ripples[1] < 0.5 * ripples[0]
    flat = np.ones((SIZE, SIZE), np.complex64)
    np.testing.assert_allclose(smooth.image(smooth.measured(flat), QUIET), 1, atol=1e-5)


def test_rows_left_out_cost_resolution_but_no_signal_of_what_is_flat():
    whole, partial = (Readout((SIZE, SIZE), (0.5, 1.0), share) for share in (1.0, 0.75))
    images = [made.image(made.measured(point(32, 32)), QUIET) for made in (whole, partial)]
    # 24 of 32 lines remain: the peak is their share.
    assert images[0].max() == pytest.approx(32 / 64, rel=1e-5)
    assert images[1].max() == pytest.approx(24 / 64, rel=1e-5)
    flat = np.full((SIZE, SIZE), 3, np.complex64)
    np.testing.assert_allclose(partial.image(partial.measured(flat), QUIET), 3, rtol=1e-5)


@pytest.mark.parametrize("options", [{}, {"acquired": (0.6, 0.7)}, {"partial_fourier": 0.75, "roll_off": 0.4}])
def test_noise_is_as_strong_as_asked_for_however_k_space_is_filled(options):
    readout = Readout((128, 128), noise=0.2, **options)
    bright = np.full((128, 128), 50, np.complex64)
    # Far above the noise the magnitude is the real channel: normal, with the spread of one channel.
    image = readout.image(readout.measured(bright), np.random.default_rng(3))
    assert image.std() == pytest.approx(0.2, rel=0.06)
    assert image.mean() == pytest.approx(50, abs=0.02)


def test_a_chest_that_drifts_turns_the_phase_of_whole_lines_alone():
    readout = Readout((SIZE, SIZE))
    spectra = [readout.measured(point(10, 50)), readout.measured(point(11, 50))]
    (first, _) = Motion(drift_mm=2.0, seed=(4,)).mixed(spectra, 30.0, 1.5, readout.cycles)
    np.testing.assert_allclose(np.abs(first), np.abs(spectra[0]), rtol=1e-5)
    across = readout.cycles[1]
    # Lines of one heartbeat share their shift: what is left of the phase is a plane wave in both directions.
    for beat in range(BEATS):
        lines = slice(beat, None, BEATS)
        turn = np.angle(first[lines] / spectra[0][lines])
        shift = -np.angle(np.exp(1j * np.diff(turn, axis=1))).mean() / (2 * np.pi * (across[0, 1] - across[0, 0]))
        expected = turn[:, :1] - 2 * np.pi * shift * (across - across[0, 0])
        np.testing.assert_allclose(np.exp(1j * turn), np.exp(1j * expected), atol=2e-3)
