"""Models adapted to one image, by what needs no torch."""

import dataclasses

import numpy as np
import pytest

from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.label import VESSEL
from cardiotrace.inference.learned_images import learned_images
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.test_time import (
    StatisticsConfig,
    StylesConfig,
    Subject,
    TonesConfig,
    entropy,
    renormalised,
    styled,
    toned,
)
from tests.fake.models import layered_network, make_model, make_spec

NETWORK = layered_network(0.5)
LEARNED = np.random.default_rng(1).integers(0, 256, size=(4, 1, 32, 40)).astype(np.uint8)
"""What the network learned from: classes are told apart at half of the grey scale."""
FOREIGN = (60 + LEARNED * 0.35).astype(np.uint8)
"""The same image as another machine shows it: paler, and no pixel above half but few."""


def subject(*, knows: bool = True) -> Subject:
    model = make_model(NETWORK, make_spec(VESSEL))
    predictor = Predictor.of(model)
    if knows:
        learned = learned_images(NETWORK, [predictor.inputs(image_of(LEARNED), most=4)])
        calibration = dataclasses.replace(model.spec.calibration, learned=learned)
        predictor = predictor.described_by(dataclasses.replace(model.spec, calibration=calibration))
    return Subject(predictor, model, predictor.inputs(image_of(FOREIGN), most=8))


def image_of(frames: np.ndarray) -> Image:
    return Image(frames, NO_GEOMETRY)


def agreement(predictor: Predictor) -> float:
    found = predictor.segment(image_of(FOREIGN)).labels.array > 0
    return float((found == (LEARNED > 127)).mean())


def test_statistics_of_the_image_bring_back_what_another_grey_scale_hid():
    given = subject()
    assert agreement(given.predictor) < 0.75
    assert agreement(renormalised(StatisticsConfig(share=1.0), given)) > 0.97
    assert agreement(toned(TonesConfig(share=1.0), given)) > 0.97


def test_a_part_of_the_way_lies_between():
    given = subject()
    shares = [agreement(toned(TonesConfig(share), given)) for share in (0.1, 0.5, 1.0)]
    assert agreement(given.predictor) <= shares[0] < shares[1] < shares[2]


def test_a_familiar_image_is_left_almost_as_it_is():
    given = subject()
    same = Subject(given.predictor, given.model, given.predictor.inputs(image_of(LEARNED), most=4))
    for other in (renormalised(StatisticsConfig(1.0), same), toned(TonesConfig(1.0), same)):
        found, plain = (each.segment(image_of(LEARNED)).labels.array for each in (other, given.predictor))
        assert (found == plain).mean() > 0.995


def test_a_model_that_does_not_say_what_it_learned_from_is_refused_in_one_line():
    for adapt, config in ((toned, TonesConfig()), (renormalised, StatisticsConfig())):
        with pytest.raises(ModelFileError, match="does not say what its training images were like"):
            adapt(config, subject(knows=False))


def test_a_model_without_a_judge_is_refused_in_one_line():
    with pytest.raises(ModelFileError, match="no network that judges"):
        _ = subject().judge


def test_styles_average_probabilities_and_need_nothing_of_the_file():
    given = subject(knows=False)
    other = styled(StylesConfig(), given)
    one = given.predictor.probabilities(given.batch)
    mean = other.probabilities(given.batch)
    assert entropy(mean) > entropy(one)
    labels = other.segment(image_of(FOREIGN), keep_probabilities=True)
    (found,) = labels.probabilities.values()
    np.testing.assert_allclose(found[:, 0], mean[:, 1], atol=1e-5)


def test_the_same_image_is_adapted_to_alike_and_nothing_is_kept_for_the_next():
    given = subject()
    first, second = (renormalised(StatisticsConfig(), given).probabilities(given.batch) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(
        given.predictor.probabilities(given.batch), subject().predictor.probabilities(given.batch)
    )


@pytest.mark.parametrize("share", [0.0, -1.0, 1.5])
def test_a_share_is_one(share):
    with pytest.raises(ValueError, match="share"):
        StatisticsConfig(share)


def test_inputs_are_spread_over_the_image_and_blank_ones_left_out():
    frames = LEARNED.copy()
    frames[1] = 0
    predictor = subject().predictor
    assert len(predictor.inputs(image_of(frames), most=8)) == 3
    np.testing.assert_array_equal(
        predictor.inputs(image_of(LEARNED), most=2), predictor.inputs(image_of(LEARNED), most=4)[[0, 3]]
    )
    assert len(predictor.inputs(image_of(np.zeros_like(frames)), most=8)) == 0
