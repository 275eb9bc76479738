import re
import shutil

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt, map_coordinates

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase, Structure
from cardiotrace.datasets.packed import Packing, packed
from cardiotrace.datasets.recognise import visits_at
from cardiotrace.datasets.sunnybrook_dicom import read_outline
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.inference import open_predictor
from cardiotrace.preprocessing import Preprocessing
from tests.fake.sunnybrook_dicom import CENTRE, ED, ES, INNER, WALL, write_circle, write_sunnybrook_dicom


@pytest.fixture
def root(tmp_path):
    return write_sunnybrook_dicom(tmp_path / "release")


@pytest.fixture(scope="module")
def real(data_root):
    folder = data_root / "sunnybrook_dicom"
    if not folder.is_dir():
        pytest.skip(f"no {folder}")
    return folder


def test_cases(root, make):
    cases = make("sunnybrook-dicom", root).cases()
    assert [case.name for case in cases] == ["SC-HF-I-1_ED", "SC-HF-I-1_ES", "SC-N-5_ED", "SC-N-5_ES"]
    assert [case.phase for case in cases[:2]] == [Phase.ED, Phase.ES]
    assert [case.instant.frame for case in cases[:2]] == [ED, ES]
    assert [case.groups["pathology"] for case in cases] == ["HF-I", "HF-I", "N", "N"]
    image, labels = cases[0].read_image(), cases[0].read_labels()
    assert image.grid_shape == labels.array.shape == (1, 3, 44, 40)
    # Files go from base to apex, as the image does; each plane was made with its slice and instant.
    np.testing.assert_array_equal(image.frames[0, :, 0, 0], [18, 118, 218])
    assert image.spacing_mm == labels.spacing_mm == pytest.approx((10.0, 1.5, 1.25), abs=1e-4)


def test_areas_inside_the_outlines_lie_where_these_do(root, make):
    diastole, systole = (case.read_labels() for case in make("sunnybrook-dicom", root).cases()[:2])
    for labels, instant in ((diastole, ED), (systole, ES)):
        cavity = labels.mask(Structure.LV)[0]
        for depth, radius in enumerate(INNER[instant]):
            assert cavity[depth].sum() == pytest.approx(np.pi * radius**2, rel=0.05)
            rows, columns = np.nonzero(cavity[depth])
            # The centre of pixel 0 lies half a pixel from the corner of the image.
            assert (columns.mean() + 0.5, rows.mean() + 0.5) == pytest.approx(CENTRE, abs=0.05)
    outer = np.pi * (np.array(INNER[ED]) + WALL) ** 2
    np.testing.assert_allclose(diastole.mask(Structure.MYO, Structure.LV)[0].sum(axis=(1, 2)), outer, rtol=0.05)


def test_at_end_systole_the_myocardium_is_not_known_and_not_absent(root, make, tmp_path):
    dataset = make("sunnybrook-dicom", root)
    assert set(dataset.cases()[1].read_labels().scheme.values) == {Structure.LV}
    found = packed(dataset.cases()[:2], Packing(root, dataset.scheme, Preprocessing(())), cache=tmp_path / "cache")
    told = {sample.phase: (sample.tells_of("LV"), sample.tells_of("MYO")) for sample in found.samples}
    assert told == {"ED": (True, True), "ES": (True, False)}


def test_a_slice_without_its_epicardium_leaves_the_myocardium_unknown(root, make):
    write_circle(root, "SC-HF-I-1", 2 * 20 + ED + 1, "o", 9.0).unlink()
    labels = make("sunnybrook-dicom", root).cases()[0].read_labels()
    assert set(labels.scheme.values) == {Structure.LV}
    assert labels.notes == ("the epicardium was not traced: the myocardium is not known",)


def test_an_exam_is_the_whole_cine_with_its_instants(root, make):
    exam = make("sunnybrook-dicom", root).exam("SC-HF-I-1")
    (cine,) = exam.images
    assert cine.image.grid_shape == (20, 3, 44, 40)
    assert cine.phases == {Phase.ED: ED, Phase.ES: ES}
    assert exam.facts == {"pathology": "HF-I"}


def test_it_is_recognised_on_disk(root):
    assert [(visit.dataset, visit.name) for visit in visits_at(root)] == [
        ("sunnybrook-dicom", "SC-HF-I-1"), ("sunnybrook-dicom", "SC-N-5"),
    ]  # fmt: skip
    assert visits_at(root / "SCD0000101") == []


@pytest.mark.parametrize(
    ("number", "kind", "message"),
    [(5, "i", "outlines of 3 instants"), (ES + 1, "o", "of which 2 have the epicardium"), (219, "i", "to no slice")],
)
def test_outlines_that_cannot_be_placed(root, make, number, kind, message):
    write_circle(root, "SC-HF-I-1", number, kind, 5.0)
    with pytest.raises(InputError, match=message):
        make("sunnybrook-dicom", root).cases()[0].read_labels()


@pytest.mark.parametrize("text", ["", "1 2\n3 4\n", "1 2\n3 4\n5 x\n", "1 2 3\n4 5 6\n7 8 9\n", "1 2\n3 nan\n5 6\n"])
def test_what_is_no_outline(tmp_path, text):
    path = tmp_path / "IM-0001-0001-icontour-manual.txt"
    path.write_text(text)
    with pytest.raises(InputError, match="is no outline"):
        read_outline(path)


def test_a_folder_that_is_no_cine(root, make):
    for number in range(21, 41):  # the middle slice
        (root / "SCD0000101" / f"{number}.dcm").unlink()
    shutil.copy(root / "SCD0000101/1.dcm", root / "SCD0000101/99.dcm")
    with pytest.raises(InputError, match="holds 0 short-axis cines where there should be one"):
        make("sunnybrook-dicom", root).cases()[0].read_image()


@pytest.mark.data
def test_volumes_of_the_real_outlines(real, make):
    expected = {"SC-HF-I-1_ED": 191.3, "SC-HF-I-1_ES": 141.3, "SC-HF-I-4_ED": 229.7, "SC-HF-I-4_ES": 179.6}
    found = {}
    for case in make("sunnybrook-dicom", real).cases():
        labels = case.read_labels()
        found[case.name] = labels.mask(Structure.LV).sum() * np.prod(labels.spacing_mm) / 1000
    assert found == pytest.approx(expected, rel=0.01)


@pytest.mark.data
def test_masks_keep_the_area_of_the_real_outlines(real):
    areas, counts = [], []
    for path in sorted(real.rglob("*contour-manual.txt")):
        points = read_outline(path)
        x, y = points.T
        areas.append(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)
        counts.append(fill_polygon(points[:, ::-1] - 0.5, (256, 256)).sum())
    assert sum(counts) == pytest.approx(sum(areas), rel=0.001)
    np.testing.assert_allclose(counts, areas, rtol=0.011)  # the worst is an apex of 500 pixels


@pytest.mark.data
def test_whole_numbers_of_the_real_outlines_are_corners_of_pixels(real, make):
    """The edge of the blood lies around the outlines where whole numbers as corners say, on all sides alike."""
    shifts = []
    for folder, outlines in (("SCD0000101", "SC-HF-I-1"), ("SCD0000301", "SC-HF-I-4")):
        cine = make("sunnybrook-dicom", real).exam(outlines).images[0].image
        header = cine.source.header
        planes = {
            int(frame.file.path.stem): cine.frames[time, depth]
            for time, instant in enumerate(header.frames)
            for depth, frame in enumerate(instant)
        }
        assert header.frames[0][0].file.path.parent.name == folder
        for path in sorted((real / "contours" / outlines / "i-contours").iterdir()):
            plane = planes[int(re.search(r"0001-(\d+)", path.name)[1])].astype(float)
            shifts += [found for found in [_edge_shift(plane, read_outline(path))] if found is not None]
    assert len(shifts) > 25
    # (x, y) of the edge from the outline, had whole numbers been the centres of pixels.
    assert np.median(shifts, axis=0) == pytest.approx([-0.5, -0.5], abs=0.2)


def _edge_shift(plane, points, *, fine=8, sides=24):
    """How far the edge of the blood lies from an outline, (x, y) in pixels; None where it is clear on too few sides."""
    first, last = points.min(axis=0).astype(int) - 14, points.max(axis=0).astype(int) + 14
    inside = fill_polygon((points - first)[:, ::-1] * fine, tuple((last - first)[::-1] * fine))
    depth = np.where(inside, distance_transform_edt(inside), -distance_transform_edt(~inside))[::4, ::4] / fine
    rows, columns = np.nonzero(np.abs(depth) < 3.5)
    x, y, depth = columns * 4 / fine + first[0], rows * 4 / fine + first[1], depth[rows, columns]
    values = map_coordinates(plane, [y, x], order=1)
    angle = np.arctan2(y - points[:, 1].mean(), x - points[:, 0].mean())
    side = np.floor((angle + np.pi) / (2 * np.pi) * sides).astype(int) % sides
    edges = np.array([_edge_depth(depth[side == each], values[side == each]) for each in range(sides)])
    clear = np.isfinite(edges) & np.isfinite(np.roll(edges, sides // 2))
    if clear.sum() < 8:
        return None
    middle = (np.arange(sides) + 0.5) * 2 * np.pi / sides - np.pi
    unknowns = np.stack([-np.cos(middle), -np.sin(middle), np.ones(sides)], axis=1)
    return np.linalg.lstsq(unknowns[clear], edges[clear], rcond=None)[0][:2]


def _edge_depth(depth, values):
    """Where grey values fall half-way from those of blood to those of muscle, inside the outline counted positive."""
    bins = np.arange(-3.5, 3.5, 0.5)
    members = [(depth >= low) & (depth < low + 0.5) for low in bins]
    if not all(each.any() for each in members):
        return np.nan
    profile = np.array([values[each].mean() for each in members])
    blood, muscle = profile[-3:].mean(), profile[:3].mean()
    half = (blood + muscle) / 2
    crossings = np.flatnonzero((profile[1:] > half) & (profile[:-1] <= half))
    if blood <= 1.5 * muscle or len(crossings) != 1:
        return np.nan
    at = crossings[0]
    return bins[at] + 0.25 + 0.5 * (half - profile[at]) / (profile[at + 1] - profile[at])


@pytest.mark.data
@pytest.mark.slow
def test_the_default_model_agrees_with_the_real_outlines(real, make):
    table = evaluate_predictor(open_predictor("cine-mri"), make("sunnybrook-dicom", real).cases())
    dice = [row.scores["dice"] for row in table.rows if row.region == "LV"]
    assert len(dice) == 4
    assert np.mean(dice) >= 0.92
