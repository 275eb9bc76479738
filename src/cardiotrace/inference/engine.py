"""What runs a graph: ONNX Runtime on the CPU or a graphics card, or OpenVINO where it is installed."""

import functools
import importlib
import logging
import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float, Shaped

from cardiotrace.core.config import brief
from cardiotrace.core.errors import ModelFileError, UsageError
from cardiotrace.parallel import usable_processors

_LOG = logging.getLogger(__name__)

Array = Shaped[np.ndarray, "..."]
Batch = Float[np.ndarray, "batch channels *axes"]
Logits = Float[np.ndarray, "batch classes *places"]
"""At every pixel of a batch, or one each for whole images."""
Provider = Literal["cpu", "cuda", "openvino"]
FEATURES = "features"
"""Name of a network's further output, where it has one: what its deepest layer says of a whole sample."""
PROVIDER_VARIABLE = "CARDIOTRACE_PROVIDER"
"""Environment variable that names what runs networks where nobody chooses."""


@runtime_checkable
class Engine(Protocol):
    """Runs a graph: named arrays in, named arrays out."""

    @property
    def inputs(self) -> tuple[str, ...]:
        """Names of what it takes, in the graph's order."""
        ...

    @property
    def outputs(self) -> tuple[str, ...]:
        """Names of what it returns, in the graph's order."""
        ...

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """All outputs by name.

        Raises:
            ModelFileError: the graph does not accept inputs of these names or shapes, or fails on them.
        """
        ...


def run_named(engine: Engine, batch: Batch) -> dict[str, Logits]:
    """Run a network that has one input; gives its outputs by name as float32, the logits of a batch first.

    Raises:
        ModelFileError: see `Engine.run`, or the graph has several inputs.
    """
    if len(engine.inputs) != 1:
        raise ModelFileError(f"the network takes {', '.join(engine.inputs)}, where one batch of images was expected")
    found = engine.run({engine.inputs[0]: batch})
    return {name: array.astype(np.float32, copy=False) for name, array in found.items()}


def run_single(engine: Engine, batch: Batch) -> Logits:
    """The logits alone, see `run_named`."""
    return run_named(engine, batch)[engine.outputs[0]]


class OnnxRuntimeEngine:
    """ONNX Runtime on the CPU, or on a graphics card with CUDA.

    Its memory arena stays on: without it each call asks the system for its pages anew, a third of the time for a
    U-Net. The arena keeps the largest working set ever needed, which is small as long as batches are.

    Args:
        graph: bytes of an ONNX model, verified; they are not kept.
        threads: how many on the CPU, or None for one per processor this process may use.
        cuda: whether it runs on a graphics card.
        where: file of the graph, for messages.

    Raises:
        UsageError: the runtime has no CUDA.
        ModelFileError: the runtime cannot build the network.
    """

    def __init__(
        self, graph: bytes, *, threads: int | None = None, cuda: bool = False, where: Path | None = None
    ) -> None:
        import onnxruntime

        name = "CUDAExecutionProvider" if cuda else "CPUExecutionProvider"
        if name not in onnxruntime.get_available_providers():
            raise _no_cuda()
        self._where = where
        options = _options(threads or usable_processors())
        try:
            self._session: Any = onnxruntime.InferenceSession(graph, options, providers=[name])
        except Exception as error:  # the runtime's own exceptions share no base class
            raise _failed(where, "cannot be loaded by ONNX Runtime", error) from None
        # A runtime that is made for CUDA and finds none falls back to the CPU without a word.
        if self._session.get_providers()[0] != name:
            raise _no_cuda()
        self.inputs = tuple(each.name for each in self._session.get_inputs())
        self.outputs = tuple(each.name for each in self._session.get_outputs())

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """See `Engine`."""
        try:
            found = self._session.run(None, dict(inputs))
        except Exception as error:  # the runtime's own exceptions share no base class
            raise _failed(self._where, f"failed on {_shapes(inputs)}", error) from None
        return dict(zip(self.outputs, found, strict=True))


class OpenVinoEngine:
    """OpenVINO on the CPU, for machines on which it is the faster one.

    On two cores it took as long for cines as ONNX Runtime with U-Net 1, and a fifth longer with the network for real
    time: only the default provider works on several planes side by side.

    Args:
        graph: bytes of an ONNX model, verified; they are not kept.
        threads: how many, or None for one per processor this process may use.
        where: file of the graph, for messages.

    Raises:
        UsageError: OpenVINO is not installed.
        ModelFileError: it cannot build the network.
    """

    def __init__(self, graph: bytes, *, threads: int | None = None, where: Path | None = None) -> None:
        try:
            openvino: Any = importlib.import_module("openvino")
        except ImportError:
            raise UsageError("OpenVINO is not installed", remedy="pip install openvino, or take the CPU.") from None
        self._where = where
        settings = {"INFERENCE_NUM_THREADS": threads or usable_processors(), "PERFORMANCE_HINT": "LATENCY"}
        try:
            core = openvino.Core()
            self._network: Any = core.compile_model(core.read_model(graph), "CPU", settings)
            self.inputs = tuple(each.get_any_name() for each in self._network.inputs)
            self.outputs = tuple(each.get_any_name() for each in self._network.outputs)
        except Exception as error:  # as above
            raise _failed(where, "cannot be loaded by OpenVINO", error) from None

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """See `Engine`."""
        try:
            found = self._network(dict(inputs))
            return {name: np.array(found[index]) for index, name in enumerate(self.outputs)}
        except Exception as error:  # as above
            raise _failed(self._where, f"failed on {_shapes(inputs)}", error) from None


def make_engine(
    graph: bytes, *, provider: Provider | None = None, threads: int | None = None, where: Path | None = None
) -> Engine:
    """An engine for a graph.

    Args:
        graph: bytes of an ONNX model, such as `Model.graph` gives them.
        provider: what runs it; None for `chosen_provider`.
        threads: how many on the CPU, or None for one per processor this process may use.
        where: file of the graph, for messages.

    Raises:
        UsageError: the provider is not there.
        ModelFileError: it cannot build the network.
    """
    provider = provider or chosen_provider()
    _LOG.debug("%s runs %s", provider, where or "a graph in memory")
    return _PROVIDERS[provider](graph, threads=threads, where=where)


_PROVIDERS: dict[Provider, Callable[..., Engine]] = {
    "cpu": OnnxRuntimeEngine,
    "cuda": functools.partial(OnnxRuntimeEngine, cuda=True),
    "openvino": OpenVinoEngine,
}


def chosen_provider() -> Provider:
    """What runs networks: named by CARDIOTRACE_PROVIDER, else the CPU.

    Raises:
        UsageError: the variable names something else.
    """
    named = os.environ.get(PROVIDER_VARIABLE) or "cpu"
    for provider in _PROVIDERS:
        if named == provider:
            return provider
    raise UsageError(
        f"${PROVIDER_VARIABLE} is {brief(named)}, which runs no networks",
        remedy=f"choose from: {', '.join(_PROVIDERS)}.",
    )


class NarrowEngine:
    """An engine on one thread for several samples at a time: networks share processors less well than samples do.

    It is built when it is first asked for; until then its graph is kept, and no longer.

    Args:
        graph: bytes of an ONNX model.
        jobs: how many samples at a time.
        where: file of the graph, for messages.
    """

    def __init__(self, graph: bytes, *, jobs: int, where: Path | None = None) -> None:
        self.jobs = jobs
        self._graph, self._where = graph, where
        self._engine: Engine | None = None
        self._lock = threading.Lock()

    def get(self) -> Engine:
        """The engine, from any thread.

        Raises:
            ModelFileError: it cannot build the network.
        """
        with self._lock:
            if self._engine is None:
                self._engine = make_engine(self._graph, provider="cpu", threads=1, where=self._where)
                self._graph = b""
            return self._engine


def _options(threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.log_severity_level = 4  # what it would log of an error, the error says
    # The runtime's own format may hide in the same bytes, and nobody has looked at that.
    options.add_session_config_entry("session.load_model_format", "ONNX")
    return options


def _no_cuda() -> UsageError:
    return UsageError(
        "ONNX Runtime finds no CUDA on this machine", remedy="pip install onnxruntime-gpu, or take the CPU."
    )


def _shapes(inputs: Mapping[str, Array]) -> str:
    return ", ".join(f"an input {name!r} of shape {array.shape}" for name, array in inputs.items())


def _failed(where: Path | None, what: str, error: Exception) -> ModelFileError:
    first_line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return ModelFileError(f"the network {what}: {first_line[:200]}", where=where)
