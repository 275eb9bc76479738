"""Labels come back on the cine's own grid, and say when they should not be trusted."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.flag import Grade
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import FileSource, Image
from cardiotrace.core.label import CAMUS, LV_ONLY, VESSEL255
from cardiotrace.core.terms import Structure, View
from cardiotrace.inference.predictor import MANY_SAMPLES, Predictor, softmax
from cardiotrace.io.colour import luma
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.preprocessing import Preprocessing
from tests.fake.models import make_model, make_spec, pointwise_network, resize, threshold_network

THRESHOLDS = Predictor.of(make_model(threshold_network(0.25, 0.5, 0.75), make_spec(CAMUS)))


def disc(height: int, width: int, *, radius: float, value: int = 255) -> np.ndarray:
    rows, columns = np.ogrid[:height, :width]
    inside = (rows - (height - 1) / 2) ** 2 + (columns - (width - 1) / 2) ** 2 <= radius**2
    return np.where(inside, value, 0).astype(np.uint8)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 3), st.integers(1, 3), st.integers(1, 37), st.integers(1, 37), st.integers(1, 5), st.integers(0, 99)
)
def test_a_network_that_thresholds_is_reproduced_pixel_by_pixel(
    time: int, depth: int, height: int, width: int, batch_size: int, seed: int
) -> None:
    frames = np.random.default_rng(seed).integers(0, 256, (time, depth, height, width), np.uint8)
    result = THRESHOLDS.segment(Image(frames, NO_GEOMETRY, view=View.FOUR_CHAMBER), batch_size=batch_size)
    expected = np.digitize(frames / 255, [0.25, 0.5, 0.75]).astype(np.uint8)
    np.testing.assert_array_equal(result.labels.array, expected)


@pytest.mark.parametrize("shape", [(97, 63), (64, 64), (31, 200)])
def test_labels_of_a_resized_image_lie_on_the_image(shape: tuple[int, int]) -> None:
    predictor = Predictor.of(make_model(threshold_network(0.5), make_spec(LV_ONLY, preprocessing=resize(128, 128))))
    source = FileSource(Path("exam.nii.gz"), "nifti", ".nii.gz")
    image = disc(*shape, radius=min(shape) / 3)
    cine = Image(
        np.stack([image, np.zeros_like(image)])[:, None],
        Geometry.of_spacing((1.0, 0.3, 0.3)),
        view=View.FOUR_CHAMBER,
        source=source,
    )
    result = predictor.segment(cine)
    assert result.labels.array.shape == cine.grid_shape
    assert result.labels.source is source
    assert result.labels.spacing_mm == (1.0, 0.3, 0.3)
    mask, truth = result.labels.array[0, 0] == 1, image > 0
    assert 2 * np.count_nonzero(mask & truth) / (mask.sum() + truth.sum()) > 0.97
    assert result.confidence[0] > 0.98
    assert np.isnan(result.confidence[1])
    assert [str(flag) for flag in result.warnings] == ["frame 1 is blank"]


def test_a_frame_in_which_nothing_is_seen_is_told() -> None:
    frames = np.stack([disc(40, 40, radius=12), disc(40, 40, radius=12, value=100)])[:, None]
    result = Predictor.of(make_model(threshold_network(0.5), make_spec(LV_ONLY))).segment(Image(frames, NO_GEOMETRY))
    assert [str(flag) for flag in result.warnings] == ["model tiny sees nothing in 1 of 2 frames"]


def test_frames_without_an_image_have_no_labels_and_are_not_shown_to_the_network() -> None:
    # A network that takes everything for the ventricle, as one may that never saw a flat image.
    network = pointwise_network(np.zeros((2, 1), np.float32), np.array([0.0, 2.0], np.float32))
    predictor = Predictor.of(make_model(network, make_spec(LV_ONLY)))
    image = disc(40, 40, radius=12)
    frames = np.stack([np.zeros_like(image), image, np.full_like(image, 255), image])[:, None]
    seen: list[tuple[int, int]] = []
    result = predictor.segment(Image(frames, NO_GEOMETRY), on_progress=lambda done, total: seen.append((done, total)))
    assert result.labels.mask(Structure.LV).any(axis=(1, 2, 3)).tolist() == [False, True, False, True]
    assert seen == [(3, 4), (4, 4)]
    assert [(str(flag), flag.grade) for flag in result.warnings] == [("frames 0 and 2 are blank", Grade.NOTE)]
    nothing = predictor.segment(Image(frames[:1], NO_GEOMETRY))
    assert not nothing.labels.array.any()
    assert [(str(flag), flag.grade) for flag in nothing.warnings] == [("the image is blank", Grade.LOOK_TWICE)]


def test_doubt_is_a_share_of_the_least_certain_validation_image() -> None:
    network = pointwise_network(np.zeros((2, 1), np.float32), np.array([0.0, 2.0], np.float32))
    image = Image(disc(40, 40, radius=12)[None, None], NO_GEOMETRY)
    certainty = 1 / (1 + np.exp(-2.0))
    known = Predictor.of(make_model(network, make_spec(LV_ONLY, lowest_confidence=0.8)))
    assert known.segment(image).doubt[0] == pytest.approx((1 - certainty) / 0.2, rel=1e-5)
    assert np.isnan(known.segment(image, test_time_augmentation=True).doubt[0])
    assert np.isnan(Predictor.of(make_model(network, make_spec(LV_ONLY))).segment(image).doubt[0])


def test_confidence_is_the_mean_winning_probability_over_the_foreground() -> None:
    logits = np.array([0.0, 2.0], np.float32)
    network = pointwise_network(np.zeros((2, 1), np.float32), logits)
    result = Predictor.of(make_model(network, make_spec(LV_ONLY))).segment(
        Image(np.zeros((1, 1, 5, 4), np.uint8), NO_GEOMETRY)
    )
    assert result.confidence[0] == pytest.approx(1 / (1 + np.exp(-2.0)), rel=1e-6)


def test_network_classes_become_the_label_values_of_the_scheme() -> None:
    predictor = Predictor.of(make_model(threshold_network(0.5), make_spec(VESSEL255)))
    result = predictor.segment(Image(np.array([[[[0, 255]]]], np.uint8), NO_GEOMETRY))
    assert result.labels.array.tolist() == [[[[0, 255]]]]


def test_post_processing_is_applied_and_counted() -> None:
    spec = make_spec(LV_ONLY, postprocessing=Postprocessing([Choice("largest-component")]))
    frames = np.zeros((2, 1, 9, 9), np.uint8)
    frames[0, 0, 1:4, 1:4] = 255
    frames[0, 0, 7, 7] = 255
    result = Predictor.of(make_model(threshold_network(0.5), spec)).segment(Image(frames, NO_GEOMETRY))
    assert result.labels.array.sum() == 9
    assert result.removed[Structure.LV].tolist() == [1, 0]
    assert result.added[Structure.LV].tolist() == [0, 0]


def test_an_unfamiliar_view_is_a_warning_and_an_unknown_one_is_not() -> None:
    frames = np.full((1, 1, 4, 4), 255, np.uint8)
    assert THRESHOLDS.segment(Image(frames, NO_GEOMETRY)).warnings == ()
    (warning,) = THRESHOLDS.segment(Image(frames, NO_GEOMETRY, view=View.SAX)).warnings
    assert str(warning) == "model tiny was not trained on view SAX (but on 4CH)"


def test_a_model_that_names_no_view_is_not_taken_for_one_of_the_image() -> None:
    """As a localiser does not: its outlines look like any other model's."""
    model = make_model(threshold_network(0.5), make_spec(LV_ONLY, views=()))
    frames = np.full((1, 1, 4, 4), 255, np.uint8)
    assert Predictor.of(model).segment(Image(frames, NO_GEOMETRY)).warnings == ()
    (warning,) = Predictor.of(model).segment(Image(frames, NO_GEOMETRY, view=View.SAX)).warnings
    assert str(warning) == "model tiny says of no view that it was trained on it, nor of SAX"


def test_a_model_of_grey_images_sees_the_brightness_of_coloured_ones() -> None:
    colours = np.random.default_rng(0).integers(0, 256, (1, 1, 4, 4, 3), np.uint8)
    grey, coloured = (
        THRESHOLDS.segment(Image(luma(colours), NO_GEOMETRY)),
        THRESHOLDS.segment(Image(colours, NO_GEOMETRY)),
    )
    assert np.array_equal(coloured.labels.array, grey.labels.array)
    (warning,) = set(coloured.warnings) - set(grey.warnings)
    assert "strongly coloured" in str(warning)


def test_a_model_of_colour_images_needs_colour() -> None:
    weight = np.array([[0, 0, 0], [0, 100, 0]], np.float32)  # the vessel is where green is
    network = pointwise_network(weight, np.array([1.0, 0.0], np.float32))
    predictor = Predictor.of(make_model(network, make_spec(VESSEL255, channels=3)))
    frames = np.zeros((1, 1, 2, 2, 3), np.uint8)
    frames[0, 0, 0, 1, 1] = frames[0, 0, 1, 0, 0] = 255
    assert predictor.segment(Image(frames, NO_GEOMETRY)).labels.array.tolist() == [[[[0, 255], [0, 0]]]]
    with pytest.raises(InputError, match="the image is in grey"):
        predictor.segment(Image(frames[..., 0], NO_GEOMETRY))


def test_a_model_of_fixed_pixel_size_refuses_an_image_without_one() -> None:
    spec = make_spec(LV_ONLY, preprocessing=Preprocessing([Choice("resample")]))
    with pytest.raises(InputError, match="pixel size is unknown"):
        Predictor.of(make_model(threshold_network(0.5), spec)).segment(
            Image(np.zeros((1, 1, 4, 4), np.uint8), NO_GEOMETRY)
        )


@pytest.mark.parametrize("mirror_axes", [(), ("width",), ("height", "width")])
def test_augmentation_does_not_move_what_is_clear(mirror_axes: tuple[str, ...]) -> None:
    spec = make_spec(LV_ONLY, mirror_axes=mirror_axes)
    predictor = Predictor.of(make_model(threshold_network(0.5), spec))
    image = disc(41, 52, radius=12)
    image[5:9, 30:40] = 255  # not symmetric
    result = predictor.segment(Image(image[None, None], NO_GEOMETRY), test_time_augmentation=True)
    np.testing.assert_array_equal(result.labels.array[0, 0], image > 0)


def test_progress_counts_planes() -> None:
    seen: list[tuple[int, int]] = []
    cine = Image(np.zeros((2, 2, 3, 3), np.uint8), NO_GEOMETRY)
    THRESHOLDS.segment(cine, batch_size=3, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_many_planes_side_by_side_are_labelled_as_one_by_one() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (MANY_SAMPLES + 3, 2, 6, 5)).astype(np.uint8)
    together = THRESHOLDS.segment(Image(frames, NO_GEOMETRY))
    alone = [THRESHOLDS.segment(Image(frame[None], NO_GEOMETRY)) for frame in frames]
    assert np.array_equal(together.labels.array, np.concatenate([item.labels.array for item in alone]))
    assert together.confidence == pytest.approx(np.concatenate([item.confidence for item in alone]), nan_ok=True)


def test_bad_batch_size_is_refused() -> None:
    with pytest.raises(InputError, match="batch size must be at least 1"):
        THRESHOLDS.segment(Image(np.zeros((1, 1, 3, 3), np.uint8), NO_GEOMETRY), batch_size=0)


def test_softmax_survives_huge_logits() -> None:
    logits = np.array([1e4, 1e4 - np.log(3), -1e4], np.float32).reshape(1, 3, 1, 1)
    np.testing.assert_allclose(softmax(logits).ravel(), [0.75, 0.25, 0.0], atol=1e-3)


def test_a_network_that_does_not_fit_its_description_is_refused() -> None:
    with pytest.raises(ModelFileError, match="returned shape"):
        Predictor.of(make_model(threshold_network(0.5), make_spec(CAMUS))).segment(
            Image(np.zeros((1, 1, 3, 3), np.uint8), NO_GEOMETRY)
        )


def test_a_threshold_decides_what_the_structure_is() -> None:
    grey = np.linspace(0, 255, 64, dtype=np.uint8).reshape(1, 1, 8, 8)
    cine = Image(grey, Geometry.of_spacing((1.0, 1.0, 1.0)))
    network = threshold_network(0.5, steepness=4.0)
    for threshold in (0.2, 0.7):
        predictor = Predictor.of(make_model(network, make_spec(LV_ONLY, threshold=threshold)))
        result = predictor.segment(cine, keep_probabilities=True)
        expected = 1 / (1 + np.exp(-4 * (grey / 255 - 0.5)))
        assert result.probabilities is not None
        np.testing.assert_allclose(result.probabilities[Structure.LV], expected, atol=1e-5)
        np.testing.assert_array_equal(result.labels.array, (expected > threshold).astype(np.uint8))
        assert result.confidence[0] == pytest.approx(expected[expected > threshold].mean(), abs=1e-5)
    plain = Predictor.of(make_model(network, make_spec(LV_ONLY))).segment(cine)
    np.testing.assert_array_equal(plain.labels.array, (grey / 255 > 0.5).astype(np.uint8))
    assert plain.probabilities is None


def logits_network() -> bytes:
    """Four classes of which each grows with the image in its own way."""
    return pointwise_network(np.array([[0], [3], [-2], [1]], np.float32), np.array([0.5, -1, 1, 0], np.float32))


def test_probabilities_of_all_structures_are_kept_and_streamed_alike() -> None:
    frames = np.random.default_rng(3).integers(0, 256, (3, 2, 20, 17), np.uint8)
    predictor = Predictor.of(make_model(logits_network(), make_spec(CAMUS, preprocessing=resize(24, 16))))
    cine = Image(frames, NO_GEOMETRY)
    kept, plain = predictor.segment(cine, keep_probabilities=True), predictor.segment(cine)
    assert plain.probabilities is None
    np.testing.assert_array_equal(kept.labels.array, plain.labels.array)
    assert kept.probabilities is not None
    assert list(kept.probabilities) == [Structure.LV, Structure.MYO, Structure.LA]
    stacked = np.stack(list(kept.probabilities.values()))
    background = 1 - stacked.sum(axis=0)
    assert stacked.shape == (3, *frames.shape)
    # The labels are those of the most probable class, wherever that is not a tie.
    all_classes = np.concatenate([background[None], stacked])
    first, second = np.sort(all_classes, axis=0)[[-1, -2]]
    clear = first - second > 1e-4
    np.testing.assert_array_equal(kept.labels.array[clear], all_classes.argmax(axis=0)[clear])
    streamed = list(predictor.samples(cine, batch_size=2))
    assert [sample.position for sample in streamed] == [(time, depth) for time in range(3) for depth in range(2)]
    for sample in streamed:
        np.testing.assert_allclose(sample.probabilities, stacked[:, *sample.position], atol=1e-6)


def test_probabilities_are_the_softmax_of_the_logits_pixel_by_pixel() -> None:
    grey = np.arange(0, 256, dtype=np.uint8).reshape(1, 1, 16, 16)
    predictor = Predictor.of(make_model(logits_network(), make_spec(CAMUS)))
    kept = predictor.segment(Image(grey, NO_GEOMETRY), keep_probabilities=True).probabilities
    assert kept is not None
    unit = grey / 255
    terms = [np.exp(0.5) * np.ones_like(unit), np.exp(3 * unit - 1), np.exp(1 - 2 * unit), np.exp(unit)]
    for structure, term in zip(CAMUS.structures, terms[1:], strict=True):
        np.testing.assert_allclose(kept[structure], term / sum(terms), atol=1e-6)


def test_colour_may_become_one_channel() -> None:
    preprocessing = Preprocessing([Choice("channel", {"colour": "green"}), Choice("pad-to-multiple", {"multiple": 4})])
    predictor = Predictor.of(make_model(threshold_network(0.5), make_spec(LV_ONLY, preprocessing=preprocessing)))
    frames = np.zeros((1, 1, 7, 9, 3), np.uint8)
    frames[..., 2:5, 3:6, 1] = 200
    result = predictor.segment(Image(frames, NO_GEOMETRY))
    assert result.labels.array.shape == (1, 1, 7, 9)
    assert result.labels.array.sum() == 9


def test_around_the_field_of_view_all_is_background() -> None:
    """A network that takes the dark for the structure, as one may that never learned from what lies outside."""
    frames = np.zeros((1, 1, 40, 40), np.uint8)
    frames[0, 0, 8:32, 8:32] = 200
    frames[0, 0, 15:17, 10:30] = 20
    network = pointwise_network(np.array([[100.0], [0.0]], np.float32), np.array([0.0, 50.0], np.float32))
    found = {
        within: Predictor.of(make_model(network, make_spec(LV_ONLY, within_field_of_view=within))).segment(
            Image(frames, NO_GEOMETRY), keep_probabilities=True
        )
        for within in (False, True)
    }
    sizes = {within: np.count_nonzero(each.labels.array) for within, each in found.items()}
    assert sizes == {False: 40 * 40 - 24 * 24 + 40, True: 40}
    assert found[True].probabilities is not None
    assert found[True].probabilities[Structure.LV][0, 0, 0, 0] == 0.0
    assert found[True].confidence[0] == pytest.approx(1.0, abs=1e-6)


def test_a_description_may_be_exchanged_without_building_the_network_again() -> None:
    class Counting:
        inputs, outputs = ("image",), ("logits",)
        calls = 0

        def run(self, inputs):
            self.calls += 1
            return {"logits": np.stack([0 * inputs["image"][:, 0], 4 * inputs["image"][:, 0] - 2], axis=1)}

    engine = Counting()
    first = Predictor(make_spec(LV_ONLY), engine)
    frames = np.array([[[[0, 100, 140, 255]]]], np.uint8)
    strict = first.described_by(make_spec(LV_ONLY, threshold=0.8))
    assert first.segment(Image(frames, NO_GEOMETRY)).labels.array.ravel().tolist() == [0, 0, 1, 1]
    assert strict.segment(Image(frames, NO_GEOMETRY)).labels.array.ravel().tolist() == [0, 0, 0, 1]
    assert engine.calls == 2
    assert first.spec.calibration.threshold is None


def test_a_model_is_opened_by_name(tmp_path, monkeypatch) -> None:
    from cardiotrace.inference import open_predictor
    from tests.fake.models import write_camus_model

    path = write_camus_model(tmp_path / "own.onnx")
    monkeypatch.setenv("CARDIOTRACE_MODELS", str(tmp_path))
    named, placed = open_predictor("own"), open_predictor(path)
    assert named.sha256 == placed.sha256 != ""
    with pytest.raises(InputError, match="there is no model 'other'"):
        open_predictor("other")


def test_a_model_is_used_where_torch_and_onnx_are_not_installed() -> None:
    import subprocess
    import sys

    code = """
import sys
for name in ("torch", "onnx", "safetensors", "lightning_fabric"):
    sys.modules[name] = None  # importing it fails
import numpy as np
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.inference import open_predictor
image = Image(np.random.default_rng(0).integers(0, 256, (1, 1, 64, 64), np.uint8), NO_GEOMETRY)
print(open_predictor("camus-4ch-small").segment(image).labels.array.shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(1, 1, 64, 64)"


def test_a_frame_that_jumps_is_decided_anew_with_the_frames_beside_it() -> None:
    radii = (20, 19, 6, 18, 18, 17, 17, 16, 16, 17)
    frames = np.stack([disc(64, 64, radius=radius) for radius in radii])[:, None]
    cine = Image(frames, NO_GEOMETRY, view=View.FOUR_CHAMBER)
    model = make_model(
        threshold_network(0.5), make_spec(LV_ONLY, postprocessing=Postprocessing([Choice("steady-frames")]))
    )
    found = Predictor.of(model).segment(cine)
    sizes = np.count_nonzero(found.labels.array, axis=(1, 2, 3))
    assert sizes[2] == sizes[3]  # what two of the three frames say
    assert found.added[Structure.LV].tolist() == [0, 0, sizes[2] - np.count_nonzero(frames[2]), *[0] * 7]
    assert [(flag.rule, flag.grade) for flag in found.warnings] == [("steadied", Grade.NOTE)]
    # Beside a frame without an image nobody can tell.
    frames[1] = 0
    assert not Predictor.of(model).segment(cine).added[Structure.LV].any()


def test_a_temperature_mends_what_is_handed_out_and_moves_no_label() -> None:
    network = threshold_network(0.4, steepness=12.0)
    frames = np.random.default_rng(4).integers(0, 256, (2, 1, 31, 27), np.uint8)
    cine = Image(frames, NO_GEOMETRY, view=View.FOUR_CHAMBER)
    plain, mended = (
        Predictor.of(make_model(network, make_spec(LV_ONLY, preprocessing=resize(64, 64), **facts))).segment(
            cine, keep_probabilities=True
        )
        for facts in ({}, {"temperature": 2.0})
    )
    np.testing.assert_array_equal(mended.labels.array, plain.labels.array)
    np.testing.assert_array_equal(mended.confidence, plain.confidence)
    before, after = (found.probabilities[Structure.LV] for found in (plain, mended))
    odds = np.log(before / (1 - before))
    inside = np.abs(odds) < 8  # beyond, probabilities are kept from 0
    np.testing.assert_allclose(np.log(after / (1 - after))[inside], odds[inside] / 2, atol=0.02)


def test_the_probability_of_the_ventricle_is_kept_for_every_frame_of_a_planar_cine() -> None:
    bright = np.stack([disc(40, 30, radius=9), np.zeros((40, 30), np.uint8)])
    predictor = Predictor.of(make_model(threshold_network(0.5), make_spec(LV_ONLY, preprocessing=resize(80, 60))))
    result = predictor.segment(Image(bright[:, None], NO_GEOMETRY, view=View.FOUR_CHAMBER))
    shown, blank = result.soft
    assert blank is None
    places = np.argwhere(bright[0] > 0).astype(float)
    assert (shown.at(places) > 0.5).mean() > 0.99
    assert shown.at(np.array([[2.0, 2.0]]))[0] == 0
    assert predictor.segment(Image(bright[None], NO_GEOMETRY, view=View.SAX)).soft == ()
