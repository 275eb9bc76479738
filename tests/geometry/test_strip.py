"""A strip of tissue along a line, and the film in which it is looked at."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.geometry.strip import Strip, StripFilm, StripSize, smooth_functions

SIZE = StripSize(beyond=6, inside=2, outside=8, cell=1, bend=16)


def arch(count: int = 91, radius: float = 30.0, middle: tuple[float, float] = (60.0, 60.0)) -> np.ndarray:
    """From the left over the top to the right, with its middle below."""
    angle = np.linspace(np.pi, 0, count)
    return np.stack([middle[0] - radius * np.sin(angle), middle[1] + radius * np.cos(angle)], axis=1)


def test_layers_lie_at_their_distance_from_the_line_and_outside_is_outside() -> None:
    strip = Strip.beside(arch(), SIZE)
    within = (strip.along > 0) & (strip.along < 30 * np.pi)
    away = np.linalg.norm(strip.start[within] - [60, 60], axis=2)
    assert np.abs(away - (30 + strip.depth)).max() < 0.35
    assert strip.depth[0] == -2
    assert strip.depth[-1] == 8


def test_line_of_no_motion_is_the_line() -> None:
    strip = Strip.beside(arch(), SIZE)
    line = strip.line(strip.rest)
    assert line[0] == pytest.approx([60, 30], abs=1.0)
    assert line[-1] == pytest.approx([60, 90], abs=1.0)
    assert np.abs(np.linalg.norm(line - [60, 60], axis=1) - 30).max() < 0.05


def test_strip_goes_on_straight_beyond_the_ends() -> None:
    strip = Strip.beside(arch(), SIZE)
    layer = strip.start[:, strip.depth == 0][:, 0]
    assert layer[0] == pytest.approx([66, 30], abs=0.6)
    assert layer[-1] == pytest.approx([66, 90], abs=0.6)


@given(st.floats(-20, 20), st.floats(-20, 20), st.floats(-0.2, 0.2))
@settings(max_examples=20, deadline=None)
def test_functions_hold_every_shift_and_thickening(down: float, right: float, slope: float) -> None:
    strip = Strip.beside(arch(), SIZE)
    field = strip.rest
    field[:, 0] = [down, right]
    field[:, 1, 0] = slope
    moved = strip.moved(field) - strip.start
    assert np.allclose(moved[..., 1], right)
    share = (strip.depth - strip.depth.mean()) * 2 / np.ptp(strip.depth)
    assert np.allclose(moved[..., 0], down + slope * share)


def test_several_fields_at_once_are_as_one_by_one() -> None:
    strip = Strip.beside(arch(), SIZE)
    fields = np.random.default_rng(0).normal(size=(3, strip.functions, 2, 2))
    assert np.allclose(strip.moved(fields), [strip.moved(field) for field in fields])
    assert np.allclose(strip.line(fields)[2], strip.line(fields[2]))


@given(st.integers(4, 30))
@settings(max_examples=20, deadline=None)
def test_functions_sum_to_one(count: int) -> None:
    assert np.allclose(smooth_functions(np.linspace(0, 1, 57), count).sum(axis=1), 1)


def film_of(frames: np.ndarray, pixel: tuple[float, float] = (1.0, 1.0), *, without_haze: bool = False) -> StripFilm:
    strip = Strip.beside(arch(), SIZE)
    return StripFilm.around(frames, pixel, strip, margin=5, blur=1.0, without_haze=without_haze)


def test_film_tells_the_grey_of_places_whatever_the_pixels_shape() -> None:
    rows, columns = np.mgrid[:120, :60]
    frames = np.stack([rows * 1.0 + 4 * columns, rows * 2.0 + 500])
    strip = Strip.beside(arch(), SIZE)
    values, seen = film_of(frames, (1.0, 2.0)).at(0, strip.start)
    assert np.abs(values - (strip.start[..., 0] + 2 * strip.start[..., 1])).max() < 0.1
    assert seen.all()


def test_what_never_changes_is_not_seen() -> None:
    frames = np.random.default_rng(0).uniform(0, 255, (4, 120, 120))
    frames[:, :, :40] = 0
    strip = Strip.beside(arch(), SIZE)
    _, seen = film_of(frames).at(0, strip.start)
    columns = strip.start[..., 1]
    assert not seen[columns < 38].any()
    assert seen[columns > 44].all()


def test_haze_goes_and_bright_muscle_that_stands_still_stays() -> None:
    rng = np.random.default_rng(1)
    frames = rng.uniform(0, 4, (20, 120, 120))
    frames += 20 * (np.sin(np.arange(120) / 3) + 1)[None, :, None]  # haze of 0 to 40, over blood and wall alike
    frames[:, 20:24] += 150
    kept = film_of(frames, without_haze=True)
    bright, dark = kept.frames[:, 20 - int(kept.origin[0]) : 24 - int(kept.origin[0])], kept.frames[:, 40:70]
    assert dark.mean(axis=0).std() < 2
    assert bright.mean() > 100
