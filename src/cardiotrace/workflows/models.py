"""Models: which can be named, what each says of itself, whether files are undamaged."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import InputError
from cardiotrace.inference.model_file import read_spec, verify
from cardiotrace.inference.spec import ModelSpec, view_names
from cardiotrace.inference.zoo import ListedModel, find_model, list_models


@dataclass(frozen=True, kw_only=True)
class ListConfig:
    """What to list."""

    architectures: bool = False
    """List architectures instead: name, parameters, source (needs the `train` extra)."""


def list_known(config: ListConfig) -> list[dict[str, Any]]:
    """A row for each model that can be named, or for each architecture that can be trained."""
    if config.architectures:
        from cardiotrace.learning.models.describe import describe_architectures  # needs torch

        return describe_architectures()
    return [_row(listed) for listed in list_models()]


def _row(listed: ListedModel) -> dict[str, Any]:
    spec = listed.spec
    if spec is None:
        return {
            "model": listed.name,
            "views": "",
            "structures": "",
            "MB": None,
            "licence": "",
            "summary": listed.problem,
        }
    return {
        "model": listed.name,
        "views": view_names(spec),
        "structures": ", ".join(spec.scheme.values) or "none",
        "MB": round(listed.path.stat().st_size / 1e6, 1),
        "licence": spec.licence,
        "summary": spec.summary,
    }


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """One model."""

    model: str
    """Name or path of a model."""


def show_model(config: ModelConfig) -> tuple[Path, ModelSpec]:
    """A model's file, and all that it says of itself.

    Raises:
        InputError: there is no such model.
        ModelFileError: the file is damaged.
    """
    path = find_model(config.model)
    return path, read_spec(path)


@dataclass(frozen=True, kw_only=True)
class VerifyConfig:
    """Which models."""

    models: tuple[str, ...] = ()
    """Names or paths; none verifies all that can be named."""


@dataclass(frozen=True)
class Verified:
    """Whether a model file is as it was sealed."""

    name: str
    """Of the model as it says itself; as it was asked for where it is damaged."""
    path: Path | None = None
    problem: InputError | None = None


def verify_models(config: VerifyConfig) -> Iterator[Verified]:
    """Check that model files are as they were sealed, one after another."""
    for name in config.models or [listed.name for listed in list_models()]:
        try:
            path = find_model(name)
            yield Verified(verify(path).name, path)
        except InputError as error:
            yield Verified(name, problem=error)
