"""Labels that can be no heart's are brought to the nearest that can; all others stay as they are."""

import dataclasses

import numpy as np
import pytest

from cardiotrace.clinical.correction import Outcome
from cardiotrace.core.errors import InputError, ModelFileError
from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import ACDC, CAMUS, LEFT_VENTRICLE, LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, Structure, View
from cardiotrace.inference.corrector import Corrector, mean_dice
from cardiotrace.inference.model_file import open_seal, seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.shape_frame import FRAME_WIDTH, ShapeFrame
from cardiotrace.inference.spec import spec_to_plain
from tests.fake.correctors import (
    broken_heart,
    encoder,
    heart,
    make_corrector,
    make_corrector_model,
    make_corrector_spec,
)
from tests.fake.models import make_model, make_spec, threshold_network

PIXEL = (1.0, 1.0)


def image_of(*frames: np.ndarray, **changes) -> Image:
    geometry = Geometry.of_spacing((1.0, *PIXEL))
    facts = {"geometry": geometry, "view": View.FOUR_CHAMBER, "modality": Modality.US, **changes}
    return Image(np.full((len(frames), 1, *frames[0].shape), 90, np.uint8), **facts)


def labels_of(*frames: np.ndarray, scheme: LabelScheme = CAMUS, geometry: Geometry | None = None) -> LabelMap:
    return LabelMap(np.stack(frames)[:, None], scheme, geometry or Geometry.of_spacing((1.0, *PIXEL)))


def test_the_made_hearts_are_what_they_are_to_be():
    corrector = make_corrector(heart())
    assert corrector.failures(heart(), PIXEL) == ()
    failed = corrector.failures(broken_heart(), PIXEL)
    assert any("holes" in words for words in failed)
    assert any("apart" in words for words in failed)


def test_a_broken_heart_is_made_whole_and_a_whole_one_is_not_touched():
    corrector = make_corrector(heart())
    whole, broken = corrector.project([heart(), broken_heart()], PIXEL)
    assert whole.outcome is Outcome.VALID
    assert np.array_equal(whole.labels, heart())
    assert (whole.failed, whole.dice) == ((), None)
    assert broken.outcome is Outcome.CORRECTED
    assert corrector.failures(broken.labels, PIXEL) == ()
    assert broken.failed == corrector.failures(broken_heart(), PIXEL)
    assert broken.dice == pytest.approx(mean_dice(broken_heart(), broken.labels))
    assert mean_dice(broken.labels, heart()) > max(0.97, mean_dice(broken_heart(), heart()))


def test_of_several_known_shapes_the_nearest_is_walked_towards():
    wide = np.repeat(heart(), 2, axis=1)[:, 50:150]
    corrector = make_corrector(wide, heart())
    (found,) = corrector.project([broken_heart()], PIXEL)
    assert mean_dice(found.labels, heart()) > mean_dice(found.labels, wide)


def test_what_is_no_fault_stays_as_it_was():
    """A border that is a pixel off what is known is no fault of shape, and is kept beside a hole that is closed."""
    corrector = make_corrector(heart())
    shifted = np.roll(heart(), 1, axis=1)
    holed = shifted.copy()
    holed[36:56, 42:60] = 0
    (found,) = corrector.project([holed], PIXEL)
    assert found.outcome is Outcome.CORRECTED
    assert mean_dice(found.labels, shifted) > 0.98


def test_where_no_valid_shape_is_near_nothing_is_changed():
    corrector = make_corrector(heart(), lowest_dice=0.999)
    (found,) = corrector.project([broken_heart()], PIXEL)
    assert found.outcome is Outcome.FAR
    assert np.array_equal(found.labels, broken_heart())
    assert found.dice is not None
    assert found.dice < 0.999


def test_without_any_valid_shape_nothing_is_changed():
    """What is drawn of the map's own code is as broken as it."""
    (found,) = make_corrector().project([broken_heart()], PIXEL)
    assert (found.outcome, found.dice) == (Outcome.FAR, None)
    assert np.array_equal(found.labels, broken_heart())


def test_the_size_of_the_pixels_is_seen():
    """The same heart in pixels that are twice as high as they are wide is the same shape."""
    corrector = make_corrector(heart())
    tall = (2.0, 1.0)
    (found,) = corrector.project([broken_heart()[::2]], tall)
    assert found.outcome is Outcome.CORRECTED
    assert mean_dice(found.labels, heart()[::2]) > 0.95
    first, second = corrector.code_of(heart(), PIXEL), corrector.code_of(heart()[::2], tall)
    assert np.abs(first - second).mean() < 0.02 < np.abs(first - corrector.code_of(heart()[::2], PIXEL)).mean()


def test_a_plane_without_labels_is_valid_and_has_no_code():
    corrector, nothing = make_corrector(heart()), np.zeros((40, 40), np.uint8)
    (found,) = corrector.project([nothing], PIXEL)
    assert found.outcome is Outcome.VALID
    assert not corrector.redrawn([nothing], PIXEL)[0].any()
    with pytest.raises(InputError, match="without labels"):
        corrector.code_of(nothing, PIXEL)


def test_a_value_of_no_structure_is_refused():
    with pytest.raises(InputError, match="of no structure of shapes"):
        make_corrector(heart()).project([np.full((40, 40), 7, np.uint8)], PIXEL)


def test_an_autoencoder_that_forgets_nothing_draws_what_it_is_shown():
    corrector = make_corrector(heart())
    (drawn,) = corrector.redrawn([heart()], PIXEL)
    assert mean_dice(drawn, heart()) > 0.9  # a grid of 32 x 32 is coarse


def test_only_the_frames_that_fail_are_corrected_and_those_before_are_kept():
    corrector = make_corrector(heart())
    before = labels_of(heart(), broken_heart())
    after, done = corrector.correct(image_of(heart(), heart()), before)
    assert [plane.frame for plane in done.corrected] == [1]
    assert not done.left
    assert np.array_equal(after.array[0], before.array[0])
    assert not np.array_equal(after.array[1], before.array[1])
    assert done.before is before
    assert np.array_equal(before.array[1, 0], broken_heart())


def test_labels_in_another_numbering_keep_it():
    other = LabelScheme("other", {Structure.LA: 1, Structure.LV: 2, Structure.MYO: 3})
    before = labels_of(broken_heart()).to(other)
    after, done = make_corrector(heart()).correct(image_of(heart()), before)
    assert done.corrected
    assert after.scheme is other
    assert mean_dice(after.to(CAMUS).array[0, 0], heart()) > 0.97


@pytest.mark.parametrize(
    ("labels", "image", "reason"),
    [
        (labels_of(broken_heart()).to(LEFT_VENTRICLE), image_of(heart()), "and the labels are of LV, MYO"),
        (labels_of(broken_heart(), geometry=NO_GEOMETRY), image_of(heart()), "size of its pixels is not known"),
        (labels_of(broken_heart()), image_of(heart(), view=View.TWO_CHAMBER), "no shapes of view A2C"),
        (labels_of(broken_heart()), image_of(heart(), modality=Modality.MR), "no shapes of view 4CH"),
    ],
)
def test_what_it_cannot_know_it_does_not_look_at(labels, image, reason):
    after, done = make_corrector(heart()).correct(image, labels)
    assert after is labels
    assert reason in done.why_not
    assert not done.planes


def test_a_stack_is_asked_what_short_axes_are_asked():
    ring = np.zeros((64, 64), np.uint8)
    rows, columns = np.mgrid[:64, :64]
    distance = np.hypot(rows - 32, columns - 32)
    ring[distance < 20], ring[distance < 12] = 2, 3
    crescent = (np.hypot(rows - 32, columns - 12) < 16) & (distance >= 20)
    ring[crescent] = 1
    broken = ring.copy()
    broken[:, 47:][broken[:, 47:] == 2] = 0  # the ventricle borders on nothing
    broken[28:36, 40:] = 0
    known = make_corrector(ring, scheme=ACDC, view=View.SAX)
    labels = LabelMap(np.stack([ring, broken])[None], ACDC, Geometry.of_spacing((8.0, 1.0, 1.0)))
    image = Image(np.zeros((1, 2, 64, 64), np.uint8), labels.geometry, view=View.SAX, modality=Modality.MR)
    after, done = known.correct(image, labels)
    assert [(plane.frame, plane.depth) for plane in done.planes] == [(0, 1)]
    assert done.corrected
    assert known.failures(after.array[0, 1], (1.0, 1.0)) == ()
    assert mean_dice(after.array[0, 1], ring) > 0.9


def test_the_file_says_that_it_corrects_and_is_no_model_of_images():
    model = make_corrector_model(heart())
    assert spec_to_plain(model.spec)["format_version"] == 6
    assert open_seal(model.content).corrects == model.spec.corrects
    assert model.graph("decoder")
    with pytest.raises(ModelFileError, match="corrects labels and sees no images"):
        Predictor.of_graph(model.spec, model.graph())


def test_another_kind_of_model_is_refused():
    model = make_model(threshold_network(60, 120, 200), make_spec(CAMUS))
    with pytest.raises(ModelFileError, match="corrects no labels"):
        Corrector.of(model)


def test_a_damaged_bank_is_refused():
    model = make_corrector_model(heart())
    bank = dataclasses.replace(model.spec.corrects, count=2)
    corrector = Corrector.of(model).described_by(dataclasses.replace(model.spec, corrects=bank))
    with pytest.raises(ModelFileError, match="bank of shapes is damaged"):
        corrector.project([broken_heart()], PIXEL)
    with pytest.raises(ModelFileError, match="bank of shapes is damaged"):
        make_corrector_spec(views=())


def test_a_corrector_without_its_decoder_is_refused():
    model = make_corrector_model(heart())
    sealed = seal(encoder(4), dataclasses.replace(model.spec, graphs=()))
    with pytest.raises(ModelFileError, match="no graph 'decoder'"):
        Corrector.of(dataclasses.replace(model, content=sealed, spec=open_seal(sealed)))


def test_the_frame_follows_the_largest_piece():
    labels = heart()
    alone = ShapeFrame.of(labels, PIXEL)
    labels[0:3, 0:3] = 1
    assert ShapeFrame.of(labels, PIXEL) == alone
    assert alone is not None
    assert alone.sides[0] == pytest.approx(FRAME_WIDTH * np.count_nonzero(heart()) ** 0.5)
    maps = alone.maps(heart(), 4, 16)
    assert maps.sum(axis=0) == pytest.approx(1)
    assert maps.shape == (4, 16, 16)
