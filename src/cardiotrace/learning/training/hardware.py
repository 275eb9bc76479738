"""Where a training computes; apart from what computes, so that reading options loads no torch."""

from dataclasses import dataclass
from typing import Literal

Accelerator = Literal["auto", "cpu", "cuda"]


@dataclass(frozen=True)
class Hardware:
    """Devices of a run."""

    accelerator: Accelerator = "auto"
    """"auto" takes CUDA where there is any."""
    processes: int = 1
    """Devices, or processes on the CPU; more than one trains with distributed data parallelism."""
