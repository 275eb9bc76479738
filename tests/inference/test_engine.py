"""Engines compute what the network says, and their failures are told in words."""

import importlib.util
import sys

import numpy as np
import pytest

from cardiotrace.core.errors import ModelFileError, UsageError
from cardiotrace.core.label import CAMUS, LV_ONLY
from cardiotrace.inference.engine import OnnxRuntimeEngine, make_engine
from cardiotrace.inference.model_file import Model
from tests.fake.models import make_model, make_spec, pointwise_network

WEIGHT = np.array([[1.0], [-2.0], [0.5], [0.0]], np.float32)
BIAS = np.array([0.0, 1.0, 2.0, 3.0], np.float32)
MODEL = make_model(pointwise_network(WEIGHT, BIAS), make_spec(CAMUS))


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_logits_of_a_linear_network(threads: int | None) -> None:
    batch = np.random.default_rng(0).normal(size=(3, 1, 5, 7)).astype(np.float32)
    logits = make_engine(MODEL, threads=threads).run(batch)
    np.testing.assert_allclose(logits, batch * WEIGHT[None, :, :, None] + BIAS[None, :, None, None], rtol=1e-5)
    assert logits.dtype == np.float32


def test_a_wrong_number_of_channels_names_the_shape() -> None:
    with pytest.raises(ModelFileError, match=r"failed on an input of shape \(1, 2, 4, 4\)"):
        OnnxRuntimeEngine(MODEL).run(np.zeros((1, 2, 4, 4), np.float32))


def test_a_graph_that_the_runtime_rejects_is_a_bad_model_file() -> None:
    broken = pointwise_network(WEIGHT, BIAS).replace(b"Conv", b"Kern")
    with pytest.raises(ModelFileError, match="cannot be loaded by ONNX Runtime"):
        OnnxRuntimeEngine(make_model(broken, make_spec(CAMUS)))


def test_bytes_that_are_no_network_are_a_bad_model_file() -> None:
    with pytest.raises(ModelFileError, match="cannot be loaded by ONNX Runtime"):
        OnnxRuntimeEngine(Model(make_spec(LV_ONLY), b"no network"))


@pytest.mark.skipif(importlib.util.find_spec("openvino") is not None, reason="OpenVINO is installed")
def test_a_missing_engine_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="OpenVINO engine is not installed"):
        make_engine(MODEL, name="openvino")


def test_openvino_agrees_with_onnx_runtime() -> None:
    pytest.importorskip("openvino", reason="the optional OpenVINO engine is not installed")
    batch = np.random.default_rng(1).normal(size=(2, 1, 8, 9)).astype(np.float32)
    np.testing.assert_allclose(make_engine(MODEL, name="openvino").run(batch), make_engine(MODEL).run(batch), atol=1e-4)


def test_the_runtime_is_imported_only_when_an_engine_is_made() -> None:
    import subprocess

    code = "import sys, cardiotrace.inference; print('onnxruntime' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
