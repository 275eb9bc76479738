import dataclasses
import json
import os

import numpy as np
import pytest
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LabelMap
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets import packed as module
from cardiotrace.datasets.packed import Packing, open_packed, packed
from cardiotrace.learning.training.device_dataset import DeviceDataset
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.preprocessing.pipeline import unit_range
from tests.fake.acdc import write_acdc
from tests.fake.camus import write_camus
from tests.fake.order import FLIP_X, FLIP_Z, SWAP_XY, oblique, place, reorder

SIDE = 32
Z_SCORE = Choice("z-score")


def preprocessing(side=SIDE, *more):
    return Preprocessing([Choice("resize", {"height": side, "width": side}), *(more or (Z_SCORE,))])


@pytest.fixture
def camus(tmp_path, make):
    write_camus(tmp_path / "camus", patients=2, views=("4CH",))
    return make("camus", tmp_path / "camus")


@pytest.fixture
def acdc(tmp_path, make):
    write_acdc(tmp_path / "acdc", training=1)
    return make("acdc", tmp_path / "acdc")


def pack(dataset, prepare, cache, **options):
    return packed(dataset.cases(), Packing(dataset.root, dataset.scheme, prepare), cache=cache, **options)


def test_planes_are_what_the_cases_hold(camus, tmp_path):
    seen = []
    data = pack(camus, preprocessing(), tmp_path / "cache", on_progress=lambda done, total: seen.append((done, total)))
    assert data.images.shape == (4, 1, SIDE, SIDE)
    assert data.images.dtype == data.labels.dtype == np.uint8
    assert [(sample.case, sample.phase) for sample in data.samples] == [
        (case.name, case.phase.value) for case in camus.cases()
    ]
    assert set(np.unique(data.labels)) == {0, 1, 2, 3}
    assert data.indices_of(["patient0002"]).tolist() == [2, 3]
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_what_training_sees_is_what_direct_use_sees(camus, tmp_path):
    prepare = preprocessing()
    data = pack(camus, prepare, tmp_path)
    feed = DeviceDataset(data, np.arange(len(data)), prepare, torch.device("cpu"))
    for index, case in enumerate(camus.cases()):
        cine = case.read_image()
        transform = prepare.transform_for(cine.grid_shape[2:], cine.spacing_mm[1:])
        moved = prepare.resample(cine.frames[0, 0], transform)
        assert np.array_equal(data.unit_images(np.array([index]))[0], unit_range(moved))
        images, _ = feed.unit(torch.tensor([index]))
        assert np.array_equal(images[0].numpy(), unit_range(moved))
        direct = prepare.apply(cine.frames[0, 0], transform)
        assert np.array_equal(prepare.normalise(data.unit_images(np.array([index])))[0], direct)
        assert np.allclose(feed.normalise(images)[0].numpy(), direct, atol=1e-5)


def test_sixteen_bits_keep_unit_range_to_the_last_of_them(acdc, tmp_path):
    prepare = preprocessing()
    data = pack(acdc, prepare, tmp_path)
    assert data.images.dtype == np.uint16
    cases = {case.name: case for case in acdc.cases()}
    depths = {sample.depth for sample in data.samples}
    assert depths == {0, 1, 2, 3}
    for index, plane in enumerate(data.samples):
        cine = cases[plane.case].read_image()
        transform = prepare.transform_for(cine.grid_shape[2:], cine.spacing_mm[1:])
        moved = prepare.resample(cine.frames[plane.time, plane.depth], transform)
        assert moved.dtype == np.int16
        stored = data.unit_images(np.array([index]))[0]
        assert np.abs(stored - unit_range(moved)).max() <= 1 / 65535
        assert (plane.low, plane.high) == (moved.min(), moved.max())


def test_labels_are_class_indices_in_order_of_value(acdc, tmp_path):
    data = pack(acdc, Preprocessing([Choice("crop-or-pad", {"height": 40, "width": 48})]), tmp_path)
    case = acdc.cases()[0]
    expected = case.read_labels().array[0]
    ours = [index for index, plane in enumerate(data.samples) if plane.case == case.name]
    assert np.array_equal(data.labels[ours], expected)


def test_second_opening_packs_nothing(camus, tmp_path, monkeypatch):
    first = pack(camus, preprocessing(), tmp_path)
    monkeypatch.setattr(module, "_write", lambda *_: pytest.fail("packed again"))
    again = pack(camus, preprocessing(), tmp_path)
    assert again.folder == first.folder
    assert np.array_equal(again.images, first.images)


def test_changed_file_is_packed_again(camus, tmp_path):
    first = pack(camus, preprocessing(), tmp_path)
    file = camus.root / camus.cases()[0].files[0]
    status = file.stat()
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))
    assert pack(camus, preprocessing(), tmp_path).folder != first.folder


def test_only_geometry_makes_another_cache(camus, tmp_path):
    first = pack(camus, preprocessing(), tmp_path).folder
    assert pack(camus, preprocessing(SIDE, Choice("min-max", {"low": -1.0})), tmp_path).folder == first
    assert pack(camus, preprocessing(SIDE, Choice("z-score"), Choice("min-max")), tmp_path).folder == first
    assert pack(camus, preprocessing(64), tmp_path).folder != first


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "index.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "remove"])
def test_damaged_cache_is_refused_and_packed_again(name, damage, camus, tmp_path):
    first = pack(camus, preprocessing(), tmp_path)
    images = np.array(first.images)
    file = first.folder / name
    content = bytearray(file.read_bytes())
    content[-100 if name != "index.json" else 2] ^= 0xFF
    {"flip": lambda: file.write_bytes(content), "cut": lambda: file.write_bytes(content[:50]), "remove": file.unlink}[
        damage
    ]()
    with pytest.raises(InputError):
        open_packed(first.folder)
    again = pack(camus, preprocessing(), tmp_path)
    assert again.folder == first.folder
    assert np.array_equal(again.images, images)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_index_of_another_shape_is_refused(camus, tmp_path):
    folder = pack(camus, preprocessing(), tmp_path).folder
    index = json.loads((folder / "index.json").read_text())
    index["samples"][0].pop("depth")
    (folder / "index.json").write_text(json.dumps(index))
    with pytest.raises(InputError, match="not a packed cache"):
        open_packed(folder)


@pytest.mark.parametrize(
    ("stop", "seen"), [(KeyboardInterrupt(), KeyboardInterrupt), (OSError(28, "No space left on device"), WorkError)]
)
def test_interrupted_packing_leaves_nothing(stop, seen, camus, tmp_path, monkeypatch):
    written = []

    def interrupted(path):
        written.append(path.stat().st_size)
        raise stop

    monkeypatch.setattr(module, "_digest", interrupted)
    with pytest.raises(seen):
        pack(camus, preprocessing(), tmp_path / "cache")
    assert written[0] > 4 * SIDE * SIDE
    assert [path for path in tmp_path.rglob("*") if path.suffix in (".npy", ".partial")] == []
    assert not list(tmp_path.glob("cache/*"))


def case(name, frames, *, labels=True, spacing=(1.0, 0.5, 0.5)):
    cine = Image(frames, Geometry.of_spacing(spacing))
    given = LabelMap(np.ones(cine.grid_shape, np.uint8), CAMUS, Geometry.of_spacing(spacing))
    return Case(name, View.FOUR_CHAMBER, Phase.ED, {"patient": name}, lambda: cine, (lambda: given) if labels else None)


def pack_cases(cases, tmp_path, prepare=None, **options):
    packing = Packing(tmp_path, CAMUS, prepare or preprocessing(), **options)
    return packed(cases, packing, cache=tmp_path / "cache")


def test_bytes_among_sixteen_bits_keep_their_values(tmp_path):
    rng = np.random.default_rng(0)
    shallow = rng.integers(0, 256, (1, 1, SIDE, SIDE)).astype(np.uint8)
    deep = rng.integers(0, 4000, (1, 1, SIDE, SIDE)).astype(np.int16)
    data = pack_cases([case("a", shallow), case("b", deep)], tmp_path)
    assert data.images.dtype == np.uint16
    assert np.allclose(data.unit_images(np.array([0]))[0, 0], shallow[0, 0] / 255, atol=1e-6)


def test_colour_and_videos_are_planes_with_channels(tmp_path):
    video = np.zeros((3, 2, 20, 24, 3), np.uint8)
    video[2, 1, :, :, 1] = 200
    data = pack_cases([case("a", video)], tmp_path)
    assert data.images.shape == (6, 3, SIDE, SIDE)
    assert [(sample.time, sample.depth) for sample in data.samples][-1] == (2, 1)
    assert data.images[5].max(axis=(1, 2)).tolist() == [0, 200, 0]


def test_flat_image_is_black_not_an_error(tmp_path):
    data = pack_cases([case("a", np.full((1, 1, 8, 8), -7, np.int16))], tmp_path)
    assert data.unit_images(np.array([0])).max() == 0


def test_nothing_to_pack(tmp_path):
    with pytest.raises(InputError, match="nothing to pack"):
        pack_cases([], tmp_path)


def test_samples_without_labels_are_packed_and_kept_apart(tmp_path):
    frames = np.arange(64, dtype=np.uint8).reshape(1, 1, 8, 8)
    known, unknown = case("a", frames), case("b", frames, labels=False)
    unknown = dataclasses.replace(unknown, groups={"patient": "b", "vendor": "north"})
    data = pack_cases([known, unknown], tmp_path)
    assert [sample.is_labelled for sample in data.samples] == [True, False]
    assert data.samples[1].groups == {"patient": "b", "vendor": "north"}
    assert (data.labels[1] == module.IGNORED).all()
    assert not (data.labels[0] == module.IGNORED).any()
    assert np.array_equal(data.images[0], data.images[1])
    assert data.indices_of(["a", "b"]).tolist() == [0]
    assert data.indices_of(["a", "b"], labelled_only=False).tolist() == [0, 1]


def test_group_keys_and_axes_are_part_of_the_fingerprint(tmp_path):
    some = case("a", np.zeros((1, 2, 8, 8), np.uint8))
    other = dataclasses.replace(some, groups={"patient": "a", "vendor": "north"})
    unlabelled = dataclasses.replace(some, read_labels=None)
    folders = {pack_cases([one], tmp_path).folder for one in (some, other, unlabelled)}
    assert len(folders | {pack_cases([some], tmp_path, axes=3).folder}) == 4


def test_a_volume_holds_the_planes_of_a_frame_above_each_other(tmp_path):
    rng = np.random.default_rng(1)
    frames = rng.integers(0, 900, (2, 3, 20, 24)).astype(np.int16)
    planes, volumes = (pack_cases([case("a", frames)], tmp_path, axes=axes) for axes in (2, 3))
    assert volumes.images.shape == (2, 1, 3, SIDE, SIDE)
    assert volumes.labels.shape == (2, 3, SIDE, SIDE)
    assert [(sample.time, sample.depth) for sample in volumes.samples] == [(0, 0), (1, 0)]
    for time, sample in enumerate(volumes.samples):
        # All slices of a frame share one scale, so each value is that of its plane, within the rounding of both.
        grey = volumes.unit_images(np.array([time]))[0, 0] * (sample.high - sample.low) + sample.low
        for depth in range(3):
            index = 3 * time + depth
            low, high = planes.samples[index].low, planes.samples[index].high
            expected = planes.unit_images(np.array([index]))[0, 0] * (high - low) + low
            assert np.abs(grey[depth] - expected).max() < 0.02
        assert sample.high - sample.low > 800
    assert np.array_equal(volumes.labels.reshape(planes.labels.shape), planes.labels)


def test_stacks_of_unlike_height_are_filled_up_with_slices_that_do_not_count(tmp_path):
    """The base of a tall heart is not cut off, and no network learns that below a short one there is background."""
    cases = [case(name, np.full((1, depth, 8, 8), 9, np.uint8)) for name, depth in (("a", 2), ("b", 3))]
    whole = Preprocessing([])
    data = pack_cases(cases, tmp_path, whole, axes=3)
    assert data.images.shape == (2, 1, 3, 8, 8)
    assert [sample.slices for sample in data.samples] == [2, None]
    assert [data.images[0, 0, slice_].max() for slice_ in range(3)] == [9, 9, 0]
    assert [(data.labels[0, slice_] == module.IGNORED).all() for slice_ in range(3)] == [False, False, True]
    assert module.IGNORED not in data.labels[1]


def test_slices_that_a_step_adds_do_not_count_either(tmp_path):
    padded = Preprocessing([Choice("crop-or-pad", {"depth": 5, "height": 10, "width": 8})])
    data = pack_cases([case("a", np.full((1, 3, 8, 8), 9, np.uint8))], tmp_path, padded, axes=3)
    beyond = (data.labels[0] == module.IGNORED).all(axis=(1, 2)).tolist()
    assert beyond == [True, False, False, False, True]
    # In plane it is as it always was: what is added there is background.
    assert (data.labels[0, 2, 0] == 0).all()


def test_volumes_are_resampled_along_their_depth_as_in_use(tmp_path):
    ramp = np.broadcast_to(np.arange(0, 200, 50, dtype=np.uint8)[:, None, None], (4, 8, 8))
    halved = Preprocessing([Choice("resize", {"depth": 2, "height": 8, "width": 8})])
    data = pack_cases([case("a", ramp[None])], tmp_path, halved, axes=3)
    expected = halved.resample(ramp, halved.transform_for((4, 8, 8), None))
    assert data.images[0].tolist() == expected.tolist()
    assert data.images[0, 0, :, 0, 0].tolist() == [36, 114]


def test_planes_of_unlike_size_are_refused(tmp_path):
    cases = [case(name, np.zeros((1, 1, side, 8), np.uint8)) for name, side in (("a", 8), ("b", 9))]
    with pytest.raises(InputError, match=r"different sizes.*\(1, 8, 8\), \(1, 9, 8\)"):
        pack_cases(cases, tmp_path, Preprocessing([Z_SCORE]))


def test_labels_of_another_shape_are_refused(tmp_path):
    good = case("a", np.zeros((1, 1, 8, 8), np.uint8))
    labels = LabelMap(np.zeros((1, 1, 8, 9), np.uint8), CAMUS, NO_GEOMETRY)
    with pytest.raises(InputError, match="differ in shape"):
        pack_cases([dataclasses.replace(good, read_labels=lambda: labels)], tmp_path)


def test_missing_file_is_named(tmp_path):
    lost = dataclasses.replace(case("a", np.zeros((1, 1, 8, 8), np.uint8)), files=("gone.nii.gz",))
    with pytest.raises(InputError, match=r"gone\.nii\.gz"):
        pack_cases([lost], tmp_path)


def test_pixels_outside_the_field_of_view_are_marked(tmp_path):
    field = np.ones((1, 4, 4), bool)
    field[:, :2] = False
    labels = np.zeros((1, 1, 4, 4), np.uint8)
    labels[..., 1:3, :] = 2
    case = Case(
        "one",
        View.FOUR_CHAMBER,
        Phase.ED,
        {"patient": "p"},
        read_image=lambda: Image(np.zeros((1, 1, 4, 4), np.uint8), NO_GEOMETRY),
        read_labels=lambda: LabelMap(labels, CAMUS, NO_GEOMETRY),
        read_field_of_view=lambda: field,
    )
    whole = Preprocessing([Choice("pad-to-multiple", {"multiple": 8})])
    data = packed([case], Packing(tmp_path, CAMUS, whole), cache=tmp_path / "cache")
    expected = np.full((8, 8), module.IGNORED)
    expected[4:6, 2:6] = [[2] * 4, [0] * 4]
    assert data.labels[0].tolist() == expected.tolist()
    wrong = dataclasses.replace(case, read_field_of_view=lambda: field[:, :3])
    with pytest.raises(InputError, match="field of view"):
        packed([wrong], Packing(tmp_path, CAMUS, whole), cache=tmp_path / "other")


@pytest.mark.parametrize("order", [FLIP_X, FLIP_Z, SWAP_XY])
def test_labels_in_another_voxel_order_are_packed_as_the_image_lies(order, tmp_path, make):
    write_acdc(tmp_path / "acdc", training=1)
    for path in (tmp_path / "acdc").rglob("*.nii.gz"):
        place(path, oblique((1.4, 1.5, 10)))
    before = pack(make("acdc", tmp_path / "acdc"), preprocessing(), tmp_path / "before")
    for path in (tmp_path / "acdc").rglob("*_gt.nii.gz"):
        reorder(path, order)
    after = pack(make("acdc", tmp_path / "acdc"), preprocessing(), tmp_path / "after")
    assert set(np.unique(after.labels)) == {0, 1, 2, 3}
    np.testing.assert_array_equal(after.labels, before.labels)


def test_labels_of_another_place_are_refused(tmp_path, make):
    write_acdc(tmp_path / "acdc", training=1)
    for path in (tmp_path / "acdc").rglob("*.nii.gz"):
        place(path, oblique((1.4, 1.5, 10)))
    for path in (tmp_path / "acdc").rglob("*_gt.nii.gz"):
        place(path, oblique((1.4, 1.5, 10)) @ np.diag([-1, 1, 1, 1]))
    with pytest.raises(InputError, match="does not lie on the grid of patient001_frame01"):
        pack(make("acdc", tmp_path / "acdc"), preprocessing(), tmp_path / "cache")


class Finder:
    """Finds the heart at a place that is told, and remembers who asked."""

    def __init__(self, place, sha256="a"):
        self.place, self.sha256, self.asked = place, sha256, []

    def centre(self, image):
        self.asked.append(image)
        return self.place


AROUND = Preprocessing([Choice("crop-or-pad", {"height": 8, "width": 8, "around": "heart"})])


def test_samples_are_cropped_around_the_heart_with_and_without_labels(tmp_path):
    frames = np.arange(2 * 24 * 20, dtype=np.int16).reshape(1, 2, 24, 20)
    cases = [case("a", frames), case("b", frames, labels=False)]
    finder = Finder((19.0, 5.0))
    data = pack_cases(cases, tmp_path, AROUND, localiser=finder)
    assert len(finder.asked) == 2  # once a case
    assert [sample.is_labelled for sample in data.samples] == [True, True, False, False]
    expected = frames[0, 0, 15:23, 1:9]
    low, high = data.samples[0].low, data.samples[0].high
    assert (low, high) == (expected.min(), expected.max())
    assert np.allclose(data.unit_images(np.array([0]))[0, 0] * (high - low) + low, expected, atol=0.01)
    assert np.array_equal(data.images[0], data.images[2])
    assert (data.labels[0] == 1).all()


def test_what_finds_the_heart_is_part_of_the_fingerprint_where_it_is_asked(tmp_path):
    some = case("a", np.arange(400, dtype=np.int16).reshape(1, 1, 20, 20))
    finders = [Finder((8.0, 8.0)), Finder((8.0, 8.0), "b")]
    assert len({pack_cases([some], tmp_path, AROUND, localiser=finder).folder for finder in finders}) == 2
    assert pack_cases([some], tmp_path, localiser=finders[0]).folder == pack_cases([some], tmp_path).folder
    assert len(finders[0].asked) == 1
    with pytest.raises(InputError, match="needs to know where the heart lies"):
        pack_cases([some], tmp_path, AROUND)
