"""A torch network stands where a predictor expects an engine, and says what its exported graph says."""

import numpy as np
import pytest
import torch

from cardiotrace.core.geometry import NO_GEOMETRY
from cardiotrace.core.image import Image
from cardiotrace.core.label import CAMUS
from cardiotrace.inference.engine import Engine, run_single
from cardiotrace.inference.predictor import Predictor
from cardiotrace.learning.export import export_network
from cardiotrace.learning.predict import TorchEngine
from tests.fake.models import make_spec, resize
from tests.learning.test_export import images, network

SPEC = make_spec(CAMUS, preprocessing=resize(32, 32))


def test_a_predictor_needs_no_file() -> None:
    model = network()
    graph = export_network(model, SPEC.preprocessing, examples=images(), half_weights=False)
    frames = np.random.default_rng(0).integers(0, 256, (2, 1, 40, 50), np.uint8)
    direct = Predictor(SPEC, TorchEngine(model)).segment(Image(frames, NO_GEOMETRY), keep_probabilities=True)
    exported = Predictor.of_graph(SPEC, graph).segment(Image(frames, NO_GEOMETRY), keep_probabilities=True)
    assert direct.probabilities is not None
    assert exported.probabilities is not None
    for structure, probability in direct.probabilities.items():
        np.testing.assert_allclose(probability, exported.probabilities[structure], atol=1e-5)
    assert direct.confidence == pytest.approx(exported.confidence, abs=1e-5)


def test_a_torch_engine_is_an_engine_and_changes_no_norms() -> None:
    model = network(norm="batch").train()
    before = {name: buffer.clone() for name, buffer in model.named_buffers()}
    engine = TorchEngine(model)
    assert isinstance(engine, Engine)
    logits = run_single(engine, images(2).numpy())
    assert (logits.shape, logits.dtype) == ((2, 4, 32, 32), np.float32)
    assert all(torch.equal(before[name], buffer) for name, buffer in model.named_buffers())
