"""What the options of every adaptation have in common."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar


@dataclass(frozen=True)
class MethodConfig:
    """Options of an adaptation; what differs from the defaults below is overridden."""

    sees_targets: ClassVar[bool] = True
    """Whether images of the targets stand in its batches."""
    needs_start: ClassVar[bool] = False
    """Whether it only changes a trained network: it then wants `--start-from`."""
    training: ClassVar[Mapping[str, Any]] = {}
    """What it asks of the table `[training]`, unless the command line says otherwise."""
