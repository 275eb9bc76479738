import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.clinical.annulus import annulus_by_myocardium
from cardiotrace.clinical.axis import outline_of
from cardiotrace.clinical.editing.composition import with_outline
from cardiotrace.clinical.editing.outline import checked_points, outline_names, outlined, outlines_of
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import ACDC, CAMUS, LV_ONLY
from cardiotrace.geometry.component import fill_holes, largest_component
from cardiotrace.geometry.spline import fill_curve
from cardiotrace.metrics.overlap import dice

CAVITY, WALL, ATRIUM = 1, 2, 3
SHAPE = (200, 160)


def apical():
    """An apical view as CAMUS labels it: open base at row 140, an atrium below."""
    rows, columns = np.mgrid[: SHAPE[0], : SHAPE[1]]
    outer = (((rows - 140) / 112) ** 2 + ((columns - 80) / 47) ** 2 < 1) & (rows < 140)
    inner = (((rows - 140) / 100) ** 2 + ((columns - 80) / 35) ** 2 < 1) & (rows < 140)
    atrium = (((rows - 140) / 40) ** 2 + ((columns - 80) / 33) ** 2 < 1) & (rows >= 140)
    return np.where(inner, CAVITY, np.where(outer, WALL, np.where(atrium, ATRIUM, 0))).astype(np.uint8)


def short_axis():
    """A ring of ACDC's values, its right ventricle to the left."""
    rows, columns = np.mgrid[:80, :80]
    far = np.hypot(rows - 40, columns - 46)
    right = (np.hypot(rows - 40, columns - 22) < 14) & (far >= 20)
    return np.where(far < 12, 3, np.where(far < 20, 2, np.where(right, 1, 0))).astype(np.uint8)


def corners_of(plane):
    found = annulus_by_myocardium(outline_of(plane == CAVITY, (1.0, 1.0)), plane == WALL, (1.0, 1.0), (1.0, 0.0))
    return found[np.argsort(found[:, 1])]


@pytest.mark.parametrize("name", ["lv", "epi", "la"])
def test_the_same_points_change_nothing(name):
    plane = apical()
    points = outlines_of(plane, CAMUS)[name]
    assert np.array_equal(with_outline(plane, CAMUS, name, points, is_open=True), plane)


@settings(max_examples=30)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["lv", "epi", "la"]))
def test_whatever_is_drawn_the_cavity_stays_in_its_wall(seed, name):
    """Along a wall the cavity borders on nothing but wall; others keep their place but for what the heart takes."""
    random, plane = np.random.default_rng(seed), apical()
    points = outlines_of(plane, CAMUS)[name]
    place = int(random.integers(len(points)))
    points = points + np.exp(-0.5 * (np.arange(len(points)) - place)[:, None] ** 2) * random.uniform(-12, 12, 2)
    drawn = with_outline(plane, CAMUS, name, np.clip(points, 0, [199, 159]), is_open=True)
    assert set(np.unique(drawn)) <= {0, CAVITY, WALL, ATRIUM}
    if name == "la":
        assert np.array_equal(np.isin(drawn, (CAVITY, WALL)), np.isin(plane, (CAVITY, WALL)))
    else:
        assert not ((drawn == ATRIUM) & (plane != ATRIUM)).any()
    if name == "lv":
        apart = np.arange(SHAPE[0])[:, None] < 100  # far from the base the cavity ends at the epicardium
        assert not ((drawn == CAVITY) & ~np.isin(plane, (CAVITY, WALL)) & apart).any()
    if name == "epi":
        inside = fill_curve(np.clip(points, 0, [199, 159]), SHAPE)
        assert dice(np.isin(drawn, (CAVITY, WALL)), inside) > 0.98


@pytest.mark.parametrize("name", ["lv", "epi"])
@pytest.mark.parametrize("step", [-12.0, 12.0])
def test_the_open_base_takes_both_outlines_along(name, step):
    plane = apical()
    points = outlines_of(plane, CAMUS)[name].copy()
    points[points[:, 0] > 125, 0] += step
    drawn = with_outline(plane, CAMUS, name, points, is_open=True)
    before, after = corners_of(plane), corners_of(drawn)
    assert after[:, 0] - before[:, 0] == pytest.approx([step, step], abs=2.5)
    # No bar of wall closes the base: along the axis there is nothing but cavity down to it.
    middle = drawn[:, 80]
    assert WALL not in middle[middle.tolist().index(CAVITY) :]
    # The wall ends where the cavity does.
    wall = np.flatnonzero((drawn == WALL).any(axis=1)).max()
    assert wall == pytest.approx(139 + step, abs=3)


def test_a_wider_annulus_moves_the_annulus_that_is_measured():
    plane = apical()
    points = outlines_of(plane, CAMUS)["lv"].copy()
    low = points[:, 0] > 120
    points[low & (points[:, 1] < 80)] += [4.0, -5.0]
    drawn = with_outline(plane, CAMUS, "lv", points, is_open=True)
    left = corners_of(drawn)[0] - corners_of(plane)[0]
    assert left == pytest.approx([4, -5], abs=2.5)


def test_a_cavity_ends_at_the_epicardium():
    plane = short_axis()
    points = outlines_of(plane, ACDC)["lv"]
    grown = 46 + (points - [40, 46]) * 2.2 + [-6, 0]
    drawn = with_outline(plane, ACDC, "lv", grown, is_open=False)
    assert not ((drawn == 3) & ~np.isin(plane, (2, 3))).any()
    assert np.array_equal(drawn == 1, plane == 1)


def test_a_smaller_epicardium_takes_the_cavity_with_it():
    plane = short_axis()
    points = outlines_of(plane, ACDC)["epi"]
    drawn = with_outline(plane, ACDC, "epi", [40, 46] + (points - [40, 46]) * 0.5, is_open=False)
    inside = fill_curve([40, 46] + (points - [40, 46]) * 0.5, plane.shape)
    assert np.array_equal(np.isin(drawn, (2, 3)), inside)


def test_the_heart_takes_from_the_right_ventricle_and_not_the_other_way():
    plane = short_axis()
    epi, right = (outlines_of(plane, ACDC)[name] for name in ("epi", "rv"))
    larger = with_outline(plane, ACDC, "epi", epi + np.array([0, -4]), is_open=False)
    assert ((plane == 1) & (larger == 2)).any()
    shifted = with_outline(plane, ACDC, "rv", right + np.array([0, 6]), is_open=False)
    assert np.array_equal(np.isin(shifted, (2, 3)), np.isin(plane, (2, 3)))


def test_one_point_leaves_the_far_side_to_the_pixel():
    plane = apical()
    plane[60, 52] = WALL  # a pixel that no smooth curve follows
    points = outlines_of(plane, CAMUS)["lv"].copy()
    place = int(points[:, 1].argmax())
    points[place] += [0.0, -6.0]
    drawn = with_outline(plane, CAMUS, "lv", points, is_open=True)
    assert np.array_equal(drawn[:, :70], plane[:, :70])
    assert not np.array_equal(drawn, plane)


def test_an_outline_where_there_was_none():
    square = np.array([[20.0, 20.0], [20.0, 60.0], [60.0, 60.0], [60.0, 20.0]])
    for scheme, name in ((LV_ONLY, "lv"), (CAMUS, "lv"), (CAMUS, "epi")):
        drawn = with_outline(np.zeros((80, 80), np.uint8), scheme, name, square, is_open=True)
        assert np.array_equal(outlined(drawn, scheme, name), fill_curve(square, (80, 80)))


@pytest.mark.parametrize(
    ("points", "says"),
    [
        ([[1, 1], [5, 5]], "3 to 96 points, this one has 2"),
        ([[1, 1]] * 10_000, "this one has 10000"),
        ([[1, 1], [1, 5], [float("nan"), 5]], "finite"),
        ([[1, 1], [1, 5], [float("inf"), 5]], "finite"),
        ([[1, 1], [1, 5], [500, 5]], "outside the image"),
        ([[1, 1], [1, 5], [-3, 5]], "outside the image"),
        ([[1, 1], [1, 5], ["x", 5]], "two numbers"),
        ([[1, 1], [1, 5], [5]], "two"),
        ([[1, 1], [1, 5], [10**400, 5]], "two numbers"),
        ([1, 2, 3], "two numbers"),
        ([[1, 1], [8, 8], [1, 8], [8, 1]], "crosses itself"),
        ([[4.4, 4.4], [4.4, 4.5], [4.5, 4.5]], "encloses no pixel"),
    ],
)
def test_hostile_outlines_are_one_line(points, says):
    with pytest.raises(InputError) as error:
        checked_points(points, (10, 10))
    assert says in error.value.what
    assert "\n" not in error.value.what


def test_an_outline_that_the_labels_cannot_have():
    with pytest.raises(InputError, match="no outline 'rv'"):
        outlined(apical(), CAMUS, "rv")


def test_names_follow_the_scheme():
    assert outline_names(ACDC) == ("lv", "epi", "rv")


@pytest.mark.data
@pytest.mark.parametrize(("name", "is_open"), [("camus", True), ("acdc", False)])
def test_few_points_draw_real_hearts_again(data_root, name, is_open):
    from cardiotrace.core.catalog import Choice
    from cardiotrace.datasets.catalog import DATASETS

    if not (data_root / name).is_dir():
        pytest.skip(f"no {name} at {data_root}")
    cases = DATASETS.make(Choice(name, {}), data_root / name).cases()
    labels = [case.read_labels() for case in cases[:: len(cases) // 8]]
    for found in labels:
        for plane in found.array[0, :: max(1, found.array.shape[1] // 3)]:
            for outline, points in outlines_of(plane, found.scheme).items():
                piece = largest_component(fill_holes(outlined(plane, found.scheme, outline)))
                if outline in ("lv", "epi") and piece.sum() > 100:
                    assert dice(fill_curve(points, plane.shape), piece) >= 0.99
                same = with_outline(plane, found.scheme, outline, points, is_open=is_open)
                assert np.count_nonzero(same != plane) <= 0.01 * np.count_nonzero(plane)
