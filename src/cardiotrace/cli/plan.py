"""cardiotrace plan."""

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal
from cardiotrace.workflows.plan import PlanConfig, plan_recipe_for

if TYPE_CHECKING:
    from cardiotrace.learning.planning import Plan


@dataclass(frozen=True, kw_only=True)
class PlanOptions(PlanConfig):
    """Plan patch, network and batch from a data set's sizes and spacings by nnU-Net's rules, as a recipe."""

    json: bool = False
    """Print the plan as JSON."""


def run(options: PlanOptions) -> None:
    """Look at every image, print the plan, write the recipe."""
    with Terminal() as terminal:
        planned = plan_recipe_for(options, terminal)
    facts = _facts(planned.plan)
    if options.json:
        say(json.dumps({**facts, "recipe": str(planned.recipe)}, indent=2))
        return
    for key, value in facts.items():
        say(f"{key.replace('_', ' '):24s} {value}")
    say(f"recipe written: {planned.recipe}")


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
