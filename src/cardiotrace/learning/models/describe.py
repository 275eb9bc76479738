"""Architectures as rows of a table."""

from typing import Any

from torch import nn

from cardiotrace.core.catalog import Choice
from cardiotrace.learning.models.catalog import ARCHITECTURES


def parameter_count(model: nn.Module) -> int:
    """Number of trainable values."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def describe_architectures(*, channels: int = 1, classes: int = 4) -> list[dict[str, Any]]:
    """Name, parameters, summary and source of each architecture with its default options."""
    return [
        {
            "architecture": entry.name,
            "parameters": parameter_count(ARCHITECTURES.make(Choice(entry.name), channels, classes)),
            "summary": entry.summary,
            "source": entry.source,
        }
        for entry in ARCHITECTURES
    ]
