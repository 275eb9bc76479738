"""The second output of a network: its numbers, and what joins, calibrates and reads it."""

import numpy as np
import pytest

from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS, LV_ONLY
from cardiotrace.core.terms import Structure, View
from cardiotrace.inference.engine import FEATURES, OnnxRuntimeEngine
from cardiotrace.inference.model_file import Model, open_seal
from cardiotrace.inference.plane_signs import SIGN_COUNT
from cardiotrace.inference.predictor import Predictor
from cardiotrace.learning.ensemble import join
from cardiotrace.learning.features import with_features
from cardiotrace.workflows.quality import with_trust
from tests.evaluation.cases import make_case
from tests.fake.models import make_model, make_spec, pointwise_network, threshold_network


def network(seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    return pointwise_network(rng.normal(size=(4, 1)).astype(np.float32), rng.normal(size=4).astype(np.float32))


def test_features_are_mean_and_deviation_and_logits_stay() -> None:
    images = np.random.default_rng(0).normal(size=(2, 1, 6, 9)).astype(np.float32)
    plain = OnnxRuntimeEngine(network(1)).run({"image": images})["logits"]
    engine = OnnxRuntimeEngine(with_features(network(1)))
    found = engine.run({"image": images})
    assert engine.outputs == ("logits", FEATURES)
    np.testing.assert_array_equal(found["logits"], plain)
    wanted = np.concatenate([plain.mean(axis=(2, 3)), plain.std(axis=(2, 3))], axis=1)
    np.testing.assert_allclose(found[FEATURES], wanted, atol=1e-5)


def test_a_network_that_has_them_stays_as_it_is() -> None:
    once = with_features(network(1))
    assert with_features(once) == once


def test_an_ensemble_hands_out_those_of_its_first_member() -> None:
    images = np.random.default_rng(0).normal(size=(1, 1, 6, 9)).astype(np.float32)
    members = [make_model(with_features(network(seed)), make_spec(CAMUS, name=f"m{seed}")) for seed in (1, 2)]
    wanted = OnnxRuntimeEngine(members[0].graph()).run({"image": images})[FEATURES]
    joined = OnnxRuntimeEngine(join(members, name="pair")[1]).run({"image": images})
    np.testing.assert_allclose(joined[FEATURES], wanted, atol=1e-6)
    bare = [make_model(network(seed), make_spec(CAMUS, name=f"m{seed}")) for seed in (1, 2)]
    late = OnnxRuntimeEngine(with_features(join(bare, name="pair")[1])).run({"image": images})
    np.testing.assert_allclose(late[FEATURES], wanted, atol=1e-6)


def test_predictors_gather_a_row_for_each_plane() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 20, 24), np.uint8)
    predictor = Predictor.of(make_model(with_features(network(1)), make_spec(CAMUS)))
    image = Image(frames, NO_GEOMETRY, view=View.FOUR_CHAMBER)
    found = predictor.segment(image, keep_evidence=True)
    assert [each.rows.shape for each in found.evidence if each is not None] == 2 * [(3, 8 + SIGN_COUNT)]
    assert all(each.sums.any() for each in found.evidence if each is not None)
    assert found.expected_dice == {}
    assert np.isnan(found.unlikeness).all()


def test_evidence_that_a_model_tells_nothing_from_is_not_gathered() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (2, 3, 20, 24), np.uint8)
    found = Predictor.of(make_model(with_features(network(1)), make_spec(CAMUS))).segment(Image(frames, NO_GEOMETRY))
    assert not any(each.rows.size or each.sums.any() for each in found.evidence if each is not None)


def disc(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A soft bright disc on a dark ground, and a reference that differs more where it is softer."""
    rng = np.random.default_rng(seed)
    middle, softness = rng.uniform(18, 22, 2), rng.uniform(0.5, 4)
    away = np.hypot(*(np.ogrid[:40, :40][axis] - middle[axis] for axis in (0, 1)))
    image = 30 + 180 / (1 + np.exp((away - 10) / softness)) + rng.normal(0, 2, (40, 40))
    reference = away < 10 + 0.6 * softness
    return image.clip(0, 255).astype(np.uint8), reference.astype(np.uint8)


@pytest.fixture(scope="module")
def trusted() -> Predictor:
    model = make_model(threshold_network(0.5, steepness=20.0), make_spec(LV_ONLY))
    cases = []
    for seed in range(40):
        image, reference = disc(seed)
        cases.append(make_case(f"c{seed}", reference, patient=f"p{seed // 2}", scheme=LV_ONLY, image=image))
    content = with_trust(model, cases)
    return Predictor.of(Model(open_seal(content), content))


def shown(plane: np.ndarray) -> Image:
    return Image(plane[None, None], NO_GEOMETRY, view=View.FOUR_CHAMBER)


def test_a_calibrated_file_tells_what_to_expect(trusted: Predictor) -> None:
    found = trusted.segment(shown(disc(101)[0]))
    assert 0.5 < found.expected_dice[Structure.LV][0] < 1
    assert found.unlikeness[0] < 1.5
    rules = {flag.rule for flag in trusted.segment(shown(255 - disc(102)[0])).warnings}
    assert "unlike-training" in rules


def test_nothing_is_expected_of_a_mean_over_changed_images(trusted: Predictor) -> None:
    found = trusted.segment(shown(disc(101)[0]), test_time_augmentation=True)
    assert found.expected_dice == {}
    assert np.isfinite(found.unlikeness).all()


def test_blank_frames_have_neither(trusted: Predictor) -> None:
    frames = np.stack([disc(5)[0], np.zeros((40, 40), np.uint8)])[:, None]
    found = trusted.segment(Image(frames, NO_GEOMETRY, view=View.FOUR_CHAMBER))
    assert np.isnan(found.expected_dice[Structure.LV]).tolist() == [False, True]
    assert np.isnan(found.unlikeness).tolist() == [False, True]
