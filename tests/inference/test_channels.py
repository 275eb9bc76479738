"""Channels behind convolutions, in the bytes of a graph: what comes out is a graph that does what was asked."""

import numpy as np
import onnx
import pytest

from cardiotrace.core.errors import ModelFileError
from cardiotrace.inference.channels import ChannelGraph
from cardiotrace.inference.engine import OnnxRuntimeEngine, run_single
from cardiotrace.inference.zoo import load_model
from tests.fake.models import layered_network, threshold_network

RNG = np.random.default_rng(3)
IMAGES = RNG.normal(size=(3, 1, 8, 10)).astype(np.float32)
SHIPPED = [
    ("camus-4ch-small", (1, 256, 256)),
    pytest.param(
        "cine-mri", (1, 10, 128, 128), marks=pytest.mark.slow
    ),  # an ensemble of networks of volumes and planes
]


def answers(graph: bytes, images: np.ndarray) -> dict[str, np.ndarray]:
    engine = OnnxRuntimeEngine(graph)
    return engine.run({engine.inputs[0]: images})


def test_only_channels_that_are_no_classes_can_be_adapted():
    (found,) = ChannelGraph(layered_network(0.3)).convolutions
    assert (found.output, found.channels, found.axes) == ("layer", 2, 4)


def test_a_network_of_one_convolution_is_refused_in_one_line():
    old = onnx.load_model_from_string(threshold_network(0.5))
    old.opset_import[0].version = 20
    with pytest.raises(ModelFileError, match="no channels"):
        _ = ChannelGraph(old.SerializeToString()).convolutions
    with pytest.raises(ModelFileError, match="version 17"):
        ChannelGraph(threshold_network(0.5))


def test_watched_moments_are_those_of_the_layer():
    known = ChannelGraph(layered_network(0.3))
    found = answers(known.watched(), IMAGES)
    (mean, variance) = known.moments_of(found)["layer"]
    np.testing.assert_allclose(mean, [IMAGES.mean() + 1, 2 - IMAGES.mean()], atol=1e-6)
    np.testing.assert_allclose(variance, IMAGES.var(), rtol=1e-5)
    np.testing.assert_array_equal(found["logits"], run_single(OnnxRuntimeEngine(layered_network(0.3)), IMAGES))


def test_scaling_is_what_a_layer_of_normalisation_would_do():
    gain, offset = np.array([2.0, 0.5]), np.array([-0.5, 1.0])
    found = run_single(OnnxRuntimeEngine(ChannelGraph(layered_network(0.3)).scaled({"layer": (gain, offset)})), IMAGES)
    # Only x + 1, behind the first gain, goes into the answer.
    layer = np.maximum((IMAGES + 1) * 2 - 0.5, 0)
    np.testing.assert_allclose(found[:, 1:], 100 * layer - 130, atol=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_renormalising_follows_its_formula(share):
    known = ChannelGraph(layered_network(0.3))
    mean, variance = np.array([1.2, 0.4]), np.array([0.5, 2.0])
    (gain, offset) = known.affine_of(answers(known.renormalised({"layer": (mean, variance)}, share), IMAGES))["layer"]
    own_mean, own_variance = np.array([IMAGES.mean() + 1, 2 - IMAGES.mean()]), IMAGES.var()
    wanted = np.sqrt(variance / (share * own_variance + (1 - share) * variance))
    np.testing.assert_allclose(gain, wanted, rtol=1e-4)
    np.testing.assert_allclose(offset, mean - wanted * (share * own_mean + (1 - share) * mean), rtol=1e-3, atol=1e-5)


def test_moments_of_another_network_are_refused():
    known = ChannelGraph(layered_network(0.3))
    for moments in ({"other": (np.zeros(2), np.ones(2))}, {"layer": (np.zeros(3), np.ones(3))}):
        with pytest.raises(ModelFileError, match="those of another network"):
            known.renormalised(moments, 0.5)


@pytest.mark.parametrize(("name", "shape"), SHIPPED)
def test_a_shipped_network_brought_to_moments_that_it_has_says_the_same(name, shape):
    network = load_model(name).graph()
    known, images = ChannelGraph(network), RNG.normal(size=(1, *shape)).astype(np.float32)
    watched = answers(known.watched(), images)
    found = answers(known.renormalised(known.moments_of(watched), 1.0), images)
    first = next(iter(watched))
    np.testing.assert_allclose(found[first], watched[first], atol=1e-3)
    baked = known.scaled(known.affine_of(found))
    onnx.checker.check_model(onnx.load_model_from_string(baked))
    np.testing.assert_allclose(answers(baked, images)[first], watched[first], atol=1e-3)


def test_gain_and_offset_of_the_input_are_taken_out_by_the_first_layer_on():
    """Deep networks: another contrast of the same image, which changes the answer, is no longer seen."""
    network = load_model("camus-4ch-small").graph()
    known, images = ChannelGraph(network), RNG.normal(size=(2, 1, 64, 64)).astype(np.float32)
    images = np.repeat(np.repeat(images, 4, axis=2), 4, axis=3)
    watched = answers(known.watched(), images)
    other = 1.7 * images + 0.4
    plain = run_single(OnnxRuntimeEngine(network), other)
    adapted = answers(known.renormalised(known.moments_of(watched), 1.0), other)["logits"]
    # Beyond the border a network sees zeros, so that a small difference stays.
    assert np.abs(adapted - watched["logits"]).mean() < 0.1 * np.abs(plain - watched["logits"]).mean()
