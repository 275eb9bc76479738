"""Films that go on from frame to frame, and frames that do not."""

import numpy as np
import pytest

from cardiotrace.clinical.anatomy.film import ATTRIBUTES, FILM_PRESETS, Film
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.label import CAMUS, LV_ONLY, LabelMap
from tests.clinical.ventricle import Ventricle, label_map

PUBLISHED, SEQUENCE = FILM_PRESETS["painchaud-2022"], FILM_PRESETS["rl4seg3d"]


def beating(count: int = 9) -> list[np.ndarray]:
    """Half a beat and back, slow at both ends."""
    phases = (1 + np.cos(2 * np.pi * np.arange(count) / (count - 1))) / 2
    return [Ventricle(radius_mm=20 + 5 * phase, length_mm=70 + 10 * phase).draw() for phase in phases]


def test_a_smooth_film_is_consistent_and_a_lost_frame_is_not() -> None:
    planes = beating()
    sound = SEQUENCE.inconsistent(Film(label_map(planes)))
    assert not sound["lv_area"].any()
    assert not sound["lv_length"].any()
    planes[4] = np.zeros_like(planes[4])
    lost = SEQUENCE.inconsistent(Film(label_map(planes)))
    assert np.flatnonzero(lost["lv_area"]).tolist() == [3, 4, 5]


def test_two_frames_have_no_neighbours() -> None:
    assert PUBLISHED.inconsistent(Film(label_map(beating()[:2]))) == {}


def test_departures_are_scaled_by_the_film_or_by_a_data_set() -> None:
    values = np.array([20000.0, 30000.0, 20000.0, 21000.0])
    assert PUBLISHED.departures("lv_area", values)[1] == pytest.approx(10000 / (112404 - 19632))
    assert SEQUENCE.departures("lv_area", values)[1] == pytest.approx(10000 / (30000 * 1.01 - 20000 * 0.99))
    assert PUBLISHED.departures("lv_area", values)[[0, -1]].tolist() == [0, 0]
    assert np.isnan(PUBLISHED.departures("lv_area", np.array([1.0, np.nan, 1.0]))[1])


def test_ranges_in_pixels_need_square_ones() -> None:
    array = np.stack(beating()[:3])[:, None]
    oblong = LabelMap(array, CAMUS, Geometry.of_spacing((1.0, 0.3, 0.15)))
    assert PUBLISHED.inconsistent(Film(oblong)) == {}
    assert {"lv_area", "hd_frames_epi"} <= SEQUENCE.inconsistent(Film(oblong)).keys()


def test_pixels_and_millimetres_of_one_film() -> None:
    film = Film(LabelMap(np.stack(beating()[:3])[:, None], CAMUS, Geometry.of_spacing((1.0, 0.5, 0.5))))
    for name, power in (("lv_area", 2), ("lv_length", 1), ("lv_orientation", 0), ("epi_center_y", 1)):
        in_mm, in_pixels = (film.attribute(name, is_in_pixels=flag) for flag in (False, True))
        assert in_mm is not None
        assert in_pixels is not None
        assert in_mm == pytest.approx(in_pixels * 0.5**power)


def test_a_wall_that_jumps_is_measured_in_millimetres() -> None:
    plane = beating()[0]
    moved = np.roll(plane, 10, axis=1)
    film = Film(LabelMap(np.stack([plane, moved, plane])[:, None], CAMUS, Geometry.of_spacing((1.0, 0.5, 0.5))))
    apart = film.attribute("hd_frames_epi")
    assert apart is not None
    assert apart[0] == apart[2] == 0
    # Shifted by ten pixels of half a millimetre, at the widest place by as much.
    assert apart[1] == pytest.approx(5.0, abs=0.1)


def test_labels_without_a_wall_tell_the_area_alone() -> None:
    array = (np.stack(beating()[:3]) == 1).astype(np.uint8)[:, None]
    film = Film(LabelMap(array, LV_ONLY, Geometry.of_spacing((1.0, 0.5, 0.5))))
    assert [name for name in ATTRIBUTES if film.attribute(name) is not None] == ["lv_area"]
