"""What runs a network: ONNX Runtime, or OpenVINO where it is installed."""

import importlib
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import ModelFileError, UsageError
from cardiotrace.inference.model_file import Model
from cardiotrace.parallel import usable_processors

Batch = Float[np.ndarray, "batch channels height width"]
Logits = Float[np.ndarray, "batch classes height width"]
EngineName = Literal["onnxruntime", "openvino"]


class Engine(Protocol):
    """Runs a network on a batch of prepared planes."""

    def run(self, batch: Batch) -> Logits:
        """Logits of a batch, float32 in and out.

        Raises:
            ModelFileError: the network does not accept a batch of this shape, or fails on it.
        """
        ...


class OnnxRuntimeEngine:
    """ONNX Runtime on the CPU.

    Its memory arena stays on: without it each call asks the system for its pages anew, a third of the time for a
    U-Net. The arena keeps the largest working set ever needed, which is small as long as batches are.

    Args:
        model: a verified model; the network is built from its bytes, the file is not read again.
        threads: how many, or None for one per processor this process may use.

    Raises:
        ModelFileError: the runtime cannot build the network.
    """

    def __init__(self, model: Model, *, threads: int | None = None) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads or usable_processors()
        options.inter_op_num_threads = 1
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = 4  # what it would log of an error, the error says
        # The runtime's own format may hide in the same bytes, and nobody has looked at that.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        self._model = model
        try:
            self._session: Any = onnxruntime.InferenceSession(
                model.content, options, providers=["CPUExecutionProvider"]
            )
            self._input = self._session.get_inputs()[0].name
        except Exception as error:  # the runtime's own exceptions share no base class
            raise _failed(model, "cannot be loaded by ONNX Runtime", error) from None

    def run(self, batch: Batch) -> Logits:
        """Logits of a batch."""
        try:
            logits = self._session.run(None, {self._input: batch})[0]
        except Exception as error:  # the runtime's own exceptions share no base class
            raise _failed(self._model, f"failed on an input of shape {batch.shape}", error) from None
        return _checked(logits, batch, self._model)


class OpenVinoEngine:
    """OpenVINO on the CPU, for machines on which it is the faster one.

    On two cores it took as long for cines as ONNX Runtime with U-Net 1, and a fifth longer with the network for real
    time: only the default engine works on several planes side by side.

    Args:
        model: a verified model.
        threads: how many, or None for one per processor this process may use.

    Raises:
        UsageError: OpenVINO is not installed.
        ModelFileError: it cannot build the network.
    """

    def __init__(self, model: Model, *, threads: int | None = None) -> None:
        try:
            openvino: Any = importlib.import_module("openvino")
        except ImportError:
            raise UsageError(
                "the OpenVINO engine is not installed", remedy="pip install openvino, or take onnxruntime."
            ) from None
        self._model = model
        settings = {"INFERENCE_NUM_THREADS": threads or usable_processors(), "PERFORMANCE_HINT": "LATENCY"}
        try:
            core = openvino.Core()
            self._network: Any = core.compile_model(core.read_model(model.content), "CPU", settings)
        except Exception as error:  # as above
            raise _failed(model, "cannot be loaded by OpenVINO", error) from None

    def run(self, batch: Batch) -> Logits:
        """Logits of a batch."""
        try:
            logits = np.array(self._network([batch])[0])
        except Exception as error:  # as above
            raise _failed(self._model, f"failed on an input of shape {batch.shape}", error) from None
        return _checked(logits, batch, self._model)


def make_engine(model: Model, *, name: EngineName = "onnxruntime", threads: int | None = None) -> Engine:
    """The engine of that name, holding the model's network.

    Raises:
        UsageError: the engine is not installed.
        ModelFileError: it cannot build the network.
    """
    return (OpenVinoEngine if name == "openvino" else OnnxRuntimeEngine)(model, threads=threads)


def _checked(logits: Any, batch: Batch, model: Model) -> Logits:
    expected = (len(batch), model.spec.classes, *batch.shape[2:])
    if logits.shape != expected:
        raise ModelFileError(
            f"the network returned shape {logits.shape} where {expected} was expected (batch, classes, height, width)",
            where=model.path,
        )
    checked: Logits = logits.astype(np.float32, copy=False)
    return checked


def _failed(model: Model, what: str, error: Exception) -> ModelFileError:
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelFileError(f"the network {what}: {first_line[:200]}", where=model.path)
