"""What is told of the models that may be used."""

from collections.abc import Mapping
from typing import Any

from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.inference.zoo import list_models


def told_of_models(_: Mapping[str, Any], __: ProgressReporter) -> list[dict[str, Any]]:
    """Name, views, licence and citation of each model that can be used."""
    return [
        {
            "name": found.spec.name,
            "views": [str(view) for view in found.spec.views],
            "licence": found.spec.licence,
            "citation": found.spec.citation,
        }
        for found in list_models()
        if found.spec is not None
    ]
