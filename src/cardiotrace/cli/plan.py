"""cardiotrace plan."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tomli_w
import tyro

from cardiotrace.cli.output import say
from cardiotrace.cli.settings import settings
from cardiotrace.cli.terminal import Terminal
from cardiotrace.core.catalog import Choice
from cardiotrace.core.contract import RECIPE
from cardiotrace.io import write_new_text
from cardiotrace.workflows.data import open_dataset

if TYPE_CHECKING:
    from cardiotrace.learning.planning import Plan


@dataclass(frozen=True)
class PlanOptions:
    """Plan patch, network and batch from a data set's sizes and spacings by nnU-Net's rules, as a recipe."""

    dataset: str
    """Name of the data set, see `cardiotrace data list`."""
    data: Path | None = None
    """Its folder; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """Write the recipe here; default: nnunet2d-NAME.toml."""
    memory_gb: float = 8.0
    """Memory of the device to train on, GB: decides on patch and batch."""
    option: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE")] = ()
    """PlanOptions of the data set, such as views=["4CH"]."""
    json: bool = False
    """Print the plan as JSON."""


def run(options: PlanOptions) -> None:
    """Look at every image, print the plan, write the recipe."""
    from cardiotrace.learning.planning import plan_recipe
    from cardiotrace.learning.training.recipe import recipe_from_plain
    from cardiotrace.workflows.plan import plan_dataset

    name = f"nnunet2d-{options.dataset}"
    path = options.out or Path(f"{name}.toml")
    choice = Choice(options.dataset, settings(options.option))
    dataset = open_dataset(choice, options.data)
    with Terminal() as terminal:
        made = plan_dataset(dataset, memory_gb=options.memory_gb, watch=terminal)
    recipe = plan_recipe(made, {"name": choice.name, **choice.options}, name=name, mirrored=bool(dataset.mirror_axes))
    recipe_from_plain(recipe)  # refuses what training would refuse
    write_new_text(path, tomli_w.dumps(RECIPE.stamp(recipe)))
    facts = _facts(made)
    if options.json:
        say(json.dumps({**facts, "recipe": str(path)}, indent=2))
        return
    for key, value in facts.items():
        say(f"{key.replace('_', ' '):24s} {value}")
    say(f"recipe written: {path}")


def _facts(made: "Plan") -> dict[str, Any]:
    seen, network = made.fingerprint, made.network
    return {
        "images": seen.images,
        "median_spacing_mm": list(seen.spacing_mm) if seen.has_spacing else None,
        "median_shape": list(seen.shape),
        "patch": list(made.patch),
        "batch": made.batch,
        "poolings": list(made.poolings),
        "kernels": [list(kernel) for kernel in network.kernels],
        "strides": [list(stride) for stride in network.strides],
        "widths": list(network.widths),
    }
