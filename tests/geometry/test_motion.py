"""Motion of a strip through made films whose motion is known."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter, map_coordinates

from cardiotrace.geometry.motion import MotionSearch, MotionSettings, alikeness
from cardiotrace.geometry.strip import Strip, StripSize
from tests.geometry.test_strip import arch

SETTINGS = MotionSettings(
    blurs=(2.0, 1.0),
    tries=2,
    around=(20.0, 8.0),
    without_haze=False,
    margin=15.0,
    smooth=3.0,
    even=0.3,
    volume=0.1,
    lags=(1, 2, 4),
    rounds=2,
    calm=0.1,
)
SIZE = StripSize(beyond=5, inside=3, outside=9, cell=1, bend=16)
COUNT = 9
APEX = np.array([30.0, 60.0])


def texture() -> np.ndarray:
    speckle = gaussian_filter(np.random.default_rng(3).normal(size=(160, 160)), 1.5)
    return 128 + 40 * speckle / speckle.std()


def squeezed(share: float) -> np.ndarray:
    """The texture shortened towards the apex along the columns, and by half as much across."""
    rows, columns = np.mgrid[:120, :120].astype(float)
    where = [APEX[0] + (rows - APEX[0]) / (1 - share), APEX[1] + (columns - APEX[1]) / (1 - share / 2)]
    return np.asarray(map_coordinates(texture(), where, order=3, mode="reflect"))


def shortened(line: np.ndarray, share: float) -> np.ndarray:
    return np.asarray(APEX + (line - APEX) * [1 - share, 1 - share / 2])


def length(line: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())


SHARES = 0.16 * np.sin(np.linspace(0, np.pi / 2, COUNT)) ** 2
FILM = np.stack([squeezed(share) for share in SHARES])


def search(frames: np.ndarray = FILM, **changed: object) -> MotionSearch:
    settings = MotionSettings(**{**vars(SETTINGS), **changed})
    return MotionSearch(frames, (1.0, 1.0), Strip.beside(arch(), SIZE), settings)


def test_a_line_goes_where_the_tissue_goes() -> None:
    found = search()
    motion = found.joined(range(COUNT), found.follow(range(COUNT)), closed=False)
    lines = found.strip.line(motion)
    for share, line in zip(SHARES, lines, strict=True):
        true = shortened(lines[0], share)
        assert np.linalg.norm(line - true, axis=1).max() < 0.8
        assert 100 * (length(line) / length(lines[0]) - 1) == pytest.approx(
            100 * (length(true) / length(lines[0]) - 1), abs=0.5
        )


def test_what_stands_still_stays() -> None:
    found = search(np.stack([texture()[:120, :120]] * 4))
    assert np.abs(found.follow(range(4))).max() < 1e-6


def test_gain_and_offset_do_not_matter() -> None:
    gains = np.linspace(0.6, 1.5, COUNT)[:, None, None]
    plain, changed = search().follow(range(COUNT)), search(gains * FILM + 20).follow(range(COUNT))
    assert np.abs(plain - changed).max() < 0.2


def test_a_closed_film_ends_where_it_began() -> None:
    there_and_back = [*range(COUNT), *range(COUNT - 2, -1, -1)]
    found = search()
    motion = found.follow(there_and_back)
    motion = found.joined(there_and_back, motion - np.linspace(0, 1, len(motion))[:, None, None, None] * motion[-1],
                          closed=True)  # fmt: skip
    assert np.abs(motion[-1]).max() == 0
    lines = found.strip.line(motion)
    assert np.linalg.norm(lines[COUNT - 1] - shortened(lines[0], SHARES[-1]), axis=1).max() < 0.8


def test_haze_holds_back_and_is_taken_out() -> None:
    haze = gaussian_filter(np.random.default_rng(8).normal(size=(120, 120)), 1.5)
    rows, columns = np.mgrid[:120, :120]
    # Blood within the line shows the haze alone; the wall both.
    film = FILM.copy()
    for frame, share in zip(film, SHARES, strict=True):
        inner = APEX + (np.stack([rows, columns], axis=-1) - APEX) / [1 - share, 1 - share / 2]
        frame[np.linalg.norm(inner - [60, 60], axis=2) < 30] = 60
    hazy = film + 45 * haze / haze.std()
    true = shortened(arch(), SHARES[-1])

    def error(without_haze: bool) -> float:
        found = search(hazy, without_haze=without_haze)
        line = found.strip.line(found.follow(range(COUNT))[-1])
        return abs(length(line) - length(true))

    assert error(True) < 0.6 * error(False)


def test_nothing_to_see_is_no_motion() -> None:
    found = search(np.zeros((3, 120, 120)))
    assert np.abs(found.follow(range(3))).max() == 0
    assert alikeness(found.look(0, found.strip.rest), found.look(1, found.strip.rest)) == 0


def test_alikeness_is_one_of_the_same_and_little_of_others() -> None:
    other = np.stack([FILM[0], texture()[40:160, 40:160]])
    found = search(other)
    first, second = (found.look(frame, found.strip.rest) for frame in (0, 1))
    assert alikeness(first, first) == pytest.approx(1)
    assert abs(alikeness(first, second)) < 0.2
