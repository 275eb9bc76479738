"""The heart is found on the image alone, and the network that labels sees a crop around it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, LV_ONLY, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.inference import localiser as module
from cardiotrace.inference import zoo
from cardiotrace.inference.localiser import FEWEST_PIXELS, Localiser
from cardiotrace.inference.message import delimited
from cardiotrace.inference.model_file import LOCALISER, SPEC_KEY, Model, open_seal, read_model, seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.spec import LocaliserSpec, spec_from_plain, spec_to_plain
from cardiotrace.preprocessing import Preprocessing
from tests.fake.models import make_model, make_spec, threshold_network

FIT = Preprocessing([Choice("resize", {"height": 48, "width": 48, "keep_aspect": True})])
AROUND = Preprocessing([Choice("crop-or-pad", {"height": 32, "width": 32, "around": "heart"})])


def bright_finder(scheme: LabelScheme = LV_ONLY, **changes: object) -> Localiser:
    """Takes for the heart what is brighter than half."""
    cuts = (0.5, 0.7, 0.8)[: scheme.class_count - 1]
    spec = make_spec(scheme, name="finder", preprocessing=FIT, **changes)
    return Localiser.of(make_model(threshold_network(*cuts), spec))


def around_model(finder: Localiser, preprocessing: Preprocessing = AROUND) -> Model:
    """Labels what is brighter than .3 within a crop around the heart."""
    spec = make_spec(LV_ONLY, preprocessing=preprocessing, localiser=finder.spec, views=(View.SAX,))
    content = seal(threshold_network(0.3), spec, graphs={LOCALISER: finder.graph})
    return Model(open_seal(content), content)


def stack(*blocks: tuple[slice, slice], depth: int = 3, shape: tuple[int, int] = (96, 144), value: int = 220) -> Image:
    frames = np.full((1, depth, *shape), 40, np.uint8)
    frames[..., 0, 0] = 0  # two grey values alone would be a blank image's
    for rows, columns in blocks:
        frames[:, :, rows, columns] = value
    return Image(frames, Geometry.of_spacing((8.0, 1.5, 1.5)), view=View.SAX)


def test_the_centre_is_that_of_the_bright_block() -> None:
    place = bright_finder().locate(stack((slice(12, 36), slice(99, 135))))
    # A pixel of the coarse grid is 3 x 3 of the image's.
    assert place.centre == pytest.approx((24, 117), abs=0.5)
    (top, bottom), (left, right) = place.extent
    assert (top, bottom, left, right) == pytest.approx((12, 36, 99, 135), abs=1.0)
    assert place.pixel == (3.0, 3.0)
    assert place.flags() == ()


def test_all_structures_of_the_heart_count_as_one() -> None:
    image = stack((slice(30, 60), slice(30, 60)), value=160)
    image.frames[:, :, 36:54, 60:90] = 230
    assert bright_finder(ACDC).locate(image).centre == pytest.approx((45, 60), abs=0.5)


def test_what_is_apart_or_thin_moves_nothing() -> None:
    heart = (slice(30, 66), slice(60, 96))
    other = stack(heart, (slice(0, 15), slice(0, 15)))
    assert bright_finder().locate(other).centre == pytest.approx((48, 78), abs=0.5)
    leak = stack(heart, depth=10)
    leak.frames[0, 4, 48:51, 96:117] = 220
    # A row of seven coarse pixels in one of ten slices, of 1440 of the heart: the middle of a box would lie at 88.5.
    assert bright_finder().locate(leak).centre[1] == pytest.approx(78, abs=0.6)


def test_a_third_of_the_beat_counts_as_well_as_its_begin() -> None:
    frames = np.repeat(stack((slice(36, 60), slice(36, 60))).frames, 9, axis=0)
    frames[3, :, 36:60, 36:108] = 220
    frames[5, :, :30, :30] = 220  # is not looked at
    image = Image(frames, NO_GEOMETRY, view=View.SAX)
    # Half sure of the right part: no more likely heart than not.
    assert bright_finder().locate(image).centre == pytest.approx((48, 48), abs=0.5)
    assert bright_finder().locate(dataclasses.replace(image, frames=frames[3:4])).centre[1] == pytest.approx(
        72, abs=0.5
    )


@pytest.mark.parametrize("side", [0, 12])
def test_where_nothing_is_found_the_middle_is_taken_and_told(side: int, caplog: pytest.LogCaptureFixture) -> None:
    image = stack((slice(10, 10 + side), slice(10, 10 + side)), depth=1)
    assert (side / 3) ** 2 < FEWEST_PIXELS
    place = bright_finder().locate(image)
    assert (place.centre, place.extent) == ((48.0, 72.0), None)
    (flag,) = place.flags()
    assert (flag.grade, flag.rule) == (Grade.LOOK_TWICE, "heart-not-found")
    assert str(flag) == "the heart was not found by finder; the middle of the image was taken"
    assert bright_finder().centre(image) == (48.0, 72.0)
    assert "the heart was not found" in caplog.text


def test_a_blank_image_has_its_heart_in_the_middle_and_no_network_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "run_single", lambda *_: pytest.fail("asked"))
    black = Image(np.zeros((2, 3, 40, 60), np.uint8), NO_GEOMETRY)
    assert bright_finder().locate(black).centre == (20.0, 30.0)
    labelled = Predictor.of(around_model(bright_finder())).segment(black)
    assert not labelled.labels.array.any()
    assert [flag.rule for flag in labelled.warnings] == ["all-blank", "heart-not-found"]


@pytest.mark.parametrize("corner", [(0, 0), (66, 3), (30, 114), (68, 116)])
def test_labels_of_an_off_centre_heart_lie_where_it_lies(corner: tuple[int, int]) -> None:
    """Pixel for pixel, also where the crop reaches beyond the image's edge; all around is background."""
    row, column = corner
    image = stack((slice(row, row + 28), slice(column, column + 28)))
    image.frames[:, :, 40:46, 60:66] = 110  # far from each of them: what no crop shows is no label
    result = Predictor.of(around_model(bright_finder())).segment(image, keep_probabilities=True)
    expected = np.zeros((96, 144), bool)
    expected[row : row + 28, column : column + 28] = True
    assert result.labels.array.shape == image.grid_shape
    np.testing.assert_array_equal(result.labels.array[0], np.repeat(expected[None], 3, axis=0))
    assert result.warnings == ()


def test_the_localiser_is_asked_once_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Image] = []
    locate = Localiser.locate
    monkeypatch.setattr(Localiser, "locate", lambda self, image: asked.append(image) or locate(self, image))
    predictor = Predictor.of(around_model(bright_finder()))
    image = stack((slice(30, 50), slice(30, 50)), depth=12)
    predictor.segment(image, test_time_augmentation=True)
    assert len(asked) == 1
    assert predictor.described_by(predictor.spec).segment(image).labels.array.any()


def test_a_heart_that_the_crop_cuts_is_told() -> None:
    result = Predictor.of(around_model(bright_finder())).segment(stack((slice(9, 81), slice(30, 60))))
    (flag,) = result.warnings
    assert (flag.grade, flag.rule) == (Grade.LOOK_TWICE, "heart-cut")
    # 72 rows are 20 more than 32 at each end, less the tails.
    assert str(flag) == "the heart that finder marks reaches 20 pixels beyond what the model sees of the image"


def test_volumes_are_cropped_around_the_heart_as_planes_are() -> None:
    finder = bright_finder()
    steps = [Choice("crop-or-pad", {"height": 32, "width": 32, "depth": 2, "around": "heart"})]
    transform = Preprocessing(steps).transform_for(
        (4, 96, 144), None, finder.centre(stack((slice(0, 30), slice(0, 30))))
    )
    assert [(axis.offset, axis.target_size) for axis in transform.axes] == [(1.0, 2), (-1.0, 32), (-1.0, 32)]


def test_a_colour_image_is_looked_at_in_grey() -> None:
    image = stack((slice(12, 36), slice(99, 135)))
    colour = Image(np.repeat(image.frames[..., None], 3, axis=-1), image.geometry, view=View.SAX)
    assert bright_finder().locate(colour) == bright_finder().locate(image)


def test_the_localiser_travels_in_the_model_file(tmp_path: Path) -> None:
    finder = bright_finder()
    model = around_model(finder)
    (tmp_path / "model.onnx").write_bytes(model.content)
    read = read_model(tmp_path / "model.onnx")
    within = Localiser.within(read)
    assert within is not None
    assert (within.graph, within.spec.name, within.sha256) == (finder.graph, "finder", finder.sha256)
    assert spec_to_plain(read.spec)["format_version"] == 3
    assert spec_to_plain(spec_from_plain(spec_to_plain(read.spec))) == spec_to_plain(read.spec)
    assert Localiser.within(make_model(threshold_network(0.5), make_spec(LV_ONLY))) is None


def test_a_file_that_lost_its_localiser_is_refused() -> None:
    finder = bright_finder()
    spec = make_spec(LV_ONLY, preprocessing=AROUND, localiser=finder.spec)
    with pytest.raises(ModelFileError, match="the model file lacks its graph 'localiser'"):
        seal(threshold_network(0.3), spec)
    with pytest.raises(ModelFileError, match="model 'tiny' sees a crop around the heart and has no localiser"):
        make_spec(LV_ONLY, preprocessing=AROUND)
    plain = spec_to_plain(spec) | {"graphs": []}
    del plain["localiser"]
    with pytest.raises(ModelFileError, match="has no localiser that finds it"):
        spec_from_plain(plain)
    described = threshold_network(0.3) + delimited(
        14, delimited(1, SPEC_KEY) + delimited(2, json.dumps(spec_to_plain(spec)).encode())
    )
    with pytest.raises(ModelFileError, match="lacks its graph 'localiser'"):
        open_seal(seal_of(described))
    with pytest.raises(ModelFileError, match="needs to know where the heart lies, and has no localiser"):
        Predictor(spec, finder._engine)


def seal_of(described: bytes) -> bytes:
    from cardiotrace.inference.model_file import _trailer

    return described + _trailer(described)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"dimensions": 3}, "cannot be a localiser: it does not work on grey planes"),
        ({"channels": 3}, "cannot be a localiser: it does not work on grey planes"),
    ],
)
def test_what_cannot_be_a_localiser(changes: dict[str, int], message: str) -> None:
    with pytest.raises(ModelFileError, match=message):
        LocaliserSpec.of(make_spec(LV_ONLY, **changes), sha256="")
    with pytest.raises(ModelFileError, match="needs to know where the heart lies itself"):
        LocaliserSpec("x", 2, AROUND)


def test_the_shipped_localiser_is_no_model_for_analysing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(zoo.FOLDER_VARIABLE, raising=False)
    model = zoo.load_model("heart-localiser")
    assert len(model.content) < 400_000
    assert (model.spec.views, model.spec.default_for) == ((), ())
    assert zoo.default_model(View.SAX, Modality.MR).name != "heart-localiser.onnx"
    assert Localiser.of(model).locate(stack(depth=2)).flags()
