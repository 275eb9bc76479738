"""Engines compute what the network says, and their failures are told in words."""

import importlib.util
import sys

import numpy as np
import pytest

from cardiotrace.core.errors import ModelFileError, UsageError
from cardiotrace.inference.engine import (
    NarrowEngine,
    OnnxRuntimeEngine,
    chosen_provider,
    make_engine,
    run_single,
)
from tests.fake.models import pointwise_network, prompted_network

WEIGHT = np.array([[1.0], [-2.0], [0.5], [0.0]], np.float32)
BIAS = np.array([0.0, 1.0, 2.0, 3.0], np.float32)
GRAPH = pointwise_network(WEIGHT, BIAS)


@pytest.mark.parametrize("threads", [None, 1, 2])
def test_logits_of_a_linear_network(threads: int | None) -> None:
    batch = np.random.default_rng(0).normal(size=(3, 1, 5, 7)).astype(np.float32)
    logits = run_single(make_engine(GRAPH, threads=threads), batch)
    np.testing.assert_allclose(logits, batch * WEIGHT[None, :, :, None] + BIAS[None, :, None, None], rtol=1e-5)
    assert logits.dtype == np.float32


def test_a_wrong_number_of_channels_names_the_shape() -> None:
    with pytest.raises(ModelFileError, match=r"failed on an input 'image' of shape \(1, 2, 4, 4\)"):
        OnnxRuntimeEngine(GRAPH).run({"image": np.zeros((1, 2, 4, 4), np.float32)})


def test_a_graph_that_the_runtime_rejects_is_a_bad_model_file() -> None:
    broken = pointwise_network(WEIGHT, BIAS).replace(b"Conv", b"Kern")
    with pytest.raises(ModelFileError, match="cannot be loaded by ONNX Runtime"):
        OnnxRuntimeEngine(broken)


def test_bytes_that_are_no_network_are_a_bad_model_file() -> None:
    with pytest.raises(ModelFileError, match="cannot be loaded by ONNX Runtime"):
        OnnxRuntimeEngine(b"no network")


@pytest.mark.skipif(importlib.util.find_spec("openvino") is not None, reason="OpenVINO is installed")
def test_a_missing_runtime_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="OpenVINO is not installed"):
        make_engine(GRAPH, provider="openvino")


def test_openvino_agrees_with_onnx_runtime() -> None:
    pytest.importorskip("openvino", reason="the optional OpenVINO is not installed")
    batch = np.random.default_rng(1).normal(size=(2, 1, 8, 9)).astype(np.float32)
    found = run_single(make_engine(GRAPH, provider="openvino"), batch)
    np.testing.assert_allclose(found, run_single(make_engine(GRAPH), batch), atol=1e-4)


def test_the_runtime_is_imported_only_when_an_engine_is_made() -> None:
    import subprocess

    code = "import sys, cardiotrace.inference; print('onnxruntime' in sys.modules, 'scipy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_inputs_and_outputs_have_names() -> None:
    engine = make_engine(prompted_network())
    assert (engine.inputs, engine.outputs) == (("features", "prompt"), ("mask", "quality"))
    features = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    found = engine.run({"prompt": np.full_like(features, 2), "features": features})
    assert found["mask"].ravel().tolist() == [0, 2, 4, 6]
    assert float(found["quality"]) == 3.0
    with pytest.raises(ModelFileError, match="failed on an input 'features' of shape"):
        engine.run({"features": features})
    with pytest.raises(ModelFileError, match="takes features, prompt, where one batch of images was expected"):
        run_single(engine, features)


def test_the_environment_chooses_what_runs_networks(monkeypatch) -> None:
    monkeypatch.delenv("CARDIOTRACE_PROVIDER", raising=False)
    assert chosen_provider() == "cpu"
    monkeypatch.setenv("CARDIOTRACE_PROVIDER", "cuda")
    assert chosen_provider() == "cuda"
    monkeypatch.setenv("CARDIOTRACE_PROVIDER", "abacus")
    with pytest.raises(UsageError, match=r"CARDIOTRACE_PROVIDER is 'abacus', .*\n.*cpu, cuda, openvino"):
        make_engine(GRAPH)
    # Whoever names a provider is not asked twice.
    assert make_engine(GRAPH, provider="cpu").outputs == ("logits",)


def test_cuda_is_refused_where_the_runtime_has_none(monkeypatch) -> None:
    import onnxruntime

    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CPUExecutionProvider"])
    with pytest.raises(UsageError, match=r"finds no CUDA on this machine\n.*onnxruntime-gpu"):
        make_engine(GRAPH, provider="cuda")


def test_a_runtime_that_falls_back_in_silence_is_refused(monkeypatch) -> None:
    """It lists CUDA because it was built for it, and then runs on the CPU."""
    import onnxruntime

    both = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: both)
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda graph, options, providers: session(graph, options, providers=["CPUExecutionProvider"]),
    )
    with pytest.raises(UsageError, match="finds no CUDA"):
        make_engine(GRAPH, provider="cuda")


def test_a_narrow_engine_is_built_once_and_lets_its_graph_go() -> None:
    narrow = NarrowEngine(GRAPH, jobs=3)
    assert narrow.get() is narrow.get()
    assert narrow._graph == b""
    batch = np.ones((1, 1, 2, 2), np.float32)
    np.testing.assert_allclose(run_single(narrow.get(), batch), run_single(make_engine(GRAPH), batch), rtol=1e-6)
