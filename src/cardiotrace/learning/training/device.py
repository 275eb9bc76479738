"""Where to compute, at which precision, and how to get there."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from cardiotrace.core.errors import UsageError
from cardiotrace.learning.training.fabric import Fabric, Precision, SingleDevice
from cardiotrace.learning.training.settings import TrainingSettings

_LOG = logging.getLogger(__name__)


def cpu_computes_bfloat16(cpuinfo: Path = Path("/proc/cpuinfo")) -> bool:
    """Whether this processor has bfloat16 arithmetic; emulated it is several times slower than float32.

    Args:
        cpuinfo: where Linux lists what the processor can do; elsewhere the answer is no.
    """
    try:
        with cpuinfo.open() as file:
            flags = next((line.split() for line in file if line.startswith("flags")), [])
    except OSError:
        return False
    return not {"amx_bf16", "avx512_bf16"}.isdisjoint(flags)


def choose_precision(settings: TrainingSettings, *, cuda: bool) -> Precision:
    """Fabric's name of the precision to train at."""
    if settings.precision == "float32":
        return "32-true"
    if settings.precision == "bfloat16":
        return "bf16-mixed"
    hardware = torch.cuda.is_bf16_supported() if cuda else cpu_computes_bfloat16()
    return "bf16-mixed" if hardware else "32-true"


@contextmanager
def flushed_denormals() -> Iterator[None]:
    """Takes numbers too small for full precision as 0: vanishing activations would slow every step severalfold.

    Threads that start meanwhile inherit it; the caller's own arithmetic is as before in the end.
    """
    torch.set_flush_denormal(True)
    try:
        yield
    finally:
        torch.set_flush_denormal(False)


def make_fabric(settings: TrainingSettings, *, accelerator: str = "auto", processes: int = 1) -> Fabric:
    """Fabric over one or more devices; `launch()` is the caller's.

    Lightning's where it is installed; else one device without it.

    Args:
        settings: precision and determinism.
        accelerator: "auto", "cpu" or "cuda".
        processes: devices or CPU processes; more than one trains with distributed data parallelism.

    Raises:
        UsageError: CUDA is asked for and not there, or there are fewer devices than processes, or several processes are
            asked for without lightning-fabric.
    """
    cuda = accelerator != "cpu" and torch.cuda.is_available()
    if accelerator == "cuda" and not cuda:
        raise UsageError("there is no CUDA device that this PyTorch can use", remedy="try --accelerator cpu.")
    if processes < 1 or (cuda and processes > torch.cuda.device_count()):
        raise UsageError(f"cannot train with {processes} processes", remedy="give at most one per device.")
    _set_determinism(settings, cuda=cuda)
    strategy = "ddp" if processes > 1 else "auto"
    precision, device = choose_precision(settings, cuda=cuda), "cuda" if cuda else "cpu"
    _LOG.info("training on %s in %d processes at %s", device, processes, precision)
    lightning = _lightning()
    if lightning is not None:
        fabric: Fabric = lightning(accelerator=device, devices=processes, strategy=strategy, precision=precision)
        return fabric
    if processes > 1:
        raise UsageError("several processes need lightning-fabric", remedy="install it, or train with --processes 1.")
    return SingleDevice(torch.device(device, 0) if cuda else torch.device(device), precision)


def _lightning() -> type[Any] | None:
    """Lightning's Fabric; None where it is not installed, as on machines that are lent with PyTorch alone."""
    try:
        from lightning_fabric import Fabric as Lightning
    except ModuleNotFoundError:
        return None
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)  # it greets every process
    found: type[Any] = Lightning
    return found


def _set_determinism(settings: TrainingSettings, *, cuda: bool) -> None:
    """Tell torch, for the whole process, whether equal runs must give equal numbers."""
    torch.use_deterministic_algorithms(settings.deterministic, warn_only=cuda)
    torch.backends.cudnn.benchmark = cuda and not settings.deterministic
    if settings.deterministic:
        # cuBLAS reads it once, when the first matrices are multiplied.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
        # Nothing here reads memory it has not written; filling it first would cost a pass over every tensor.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def forget_compiled() -> None:
    """Let go of the code that was compiled for a network, before the next one of the same process is made.

    The compiler gives up on a function, without an error, that it has compiled for too many networks.
    """
    if torch.cuda.is_available():
        torch.compiler.reset()
