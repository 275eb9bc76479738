"""Where to compute, at which precision, and how to get there."""

from typing import Literal

import torch
from lightning_fabric import Fabric

from cardiotrace.learning.training.settings import TrainingSettings

Precision = Literal["32-true", "bf16-mixed"]


def cpu_computes_bfloat16() -> bool:
    """Whether this processor has bfloat16 arithmetic; emulated it is several times slower than float32."""
    try:
        with open("/proc/cpuinfo") as file:  # noqa: PTH123 a device file
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags


def choose_precision(settings: TrainingSettings, *, cuda: bool) -> Precision:
    """Fabric's name of the precision to train at."""
    if settings.precision == "float32":
        return "32-true"
    if settings.precision == "bfloat16":
        return "bf16-mixed"
    hardware = torch.cuda.is_bf16_supported() if cuda else cpu_computes_bfloat16()
    return "bf16-mixed" if hardware else "32-true"


def make_fabric(settings: TrainingSettings, *, accelerator: str = "auto", processes: int = 1) -> Fabric:
    """Fabric over one or more devices; `launch()` is the caller's.

    Args:
        settings: precision and determinism.
        accelerator: "auto", "cpu" or "cuda".
        processes: devices or CPU processes; more than one trains with distributed data parallelism.
    """
    cuda = accelerator != "cpu" and torch.cuda.is_available()
    strategy = "ddp" if processes > 1 else "auto"
    precision = choose_precision(settings, cuda=cuda)
    if settings.deterministic:
        torch.use_deterministic_algorithms(True, warn_only=cuda)
        # Nothing here reads memory it has not written; filling it first would cost a pass over every tensor.
        torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
        torch.backends.cudnn.benchmark = False
    elif cuda:
        torch.backends.cudnn.benchmark = True
    return Fabric(accelerator="cuda" if cuda else "cpu", devices=processes, strategy=strategy, precision=precision)
