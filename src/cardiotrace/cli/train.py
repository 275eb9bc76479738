"""cardiotrace train RECIPE."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

import tyro

from cardiotrace.cli.terminal import Terminal
from cardiotrace.core.errors import UsageError
from cardiotrace.learning.training.run import Hardware
from cardiotrace.workflows.train import TrainConfig, run_training


@dataclass(frozen=True)
class Options:
    """Train a network as a recipe says; the run folder ends with a sealed, scored model."""

    recipe: tyro.conf.Positional[Path]
    """A .toml file, such as recipes/camus-unet1.toml."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """Run folder; default: runs/<name of the recipe>."""
    fold: int | None = None
    """Fold to hold out, from 1."""
    resume: bool = False
    """Continue the run in the folder."""
    set: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE")] = ()
    """Changes to the recipe, such as training.epochs=2."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""
    accelerator: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to compute."""
    processes: int = 1
    """Devices, or processes on the CPU, to train with in parallel."""


def run(options: Options) -> None:
    """Train, then export and score the model."""
    config = TrainConfig(
        recipe=options.recipe,
        data=options.data,
        out=options.out,
        fold=options.fold,
        resume=options.resume,
        overrides=dict(map(override, options.set)),
        cache=options.cache,
        hardware=Hardware(options.accelerator, options.processes),
    )
    with Terminal() as terminal:
        run_training(config, terminal)


def override(text: str) -> tuple[str, Any]:
    """Read one KEY=VALUE, the value as TOML or as bare text.

    Raises:
        UsageError: there is no "=".

    Example:
        >>> override("training.epochs=2"), override("architecture=unet2")
        (('training.epochs', 2), ('architecture', 'unet2'))
    """
    key, equals, value = text.partition("=")
    if not equals:
        raise UsageError(f"--set {text}: expected KEY=VALUE")
    try:
        return key, tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key, value
