"""cardiotrace postprocess RUN."""

import json
import math
from dataclasses import dataclass
from typing import Any

from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal, table
from cardiotrace.core.config import to_plain
from cardiotrace.evaluation.adoption import Adoption, Trial
from cardiotrace.workflows.postprocess import PostprocessConfig


@dataclass(frozen=True, kw_only=True)
class PostprocessOptions(PostprocessConfig):
    """Try post-processing steps on the held-out patients of all folds, structure by structure; keep what helps."""

    json: bool = False
    """Print as JSON."""


def run(options: PostprocessOptions) -> None:
    """Choose, and print every trial with its gain."""
    from cardiotrace.workflows.postprocess import choose_postprocessing

    with Terminal() as terminal:
        adoption = choose_postprocessing(options, terminal)
    if options.json:
        say(json.dumps(_plain(adoption), indent=2, allow_nan=False))
    else:
        table([_row(trial) for trial in adoption.trials], title="post-processing, mean over held-out cases", keys=2)
        say(f"post-processing: {options.place}")


def _row(trial: Trial) -> dict[str, Any]:
    space = trial.step.options.get("space")
    return {
        "structure": str(trial.structure),
        "step": trial.step.name + (f" ({space})" if space else ""),
        "Dice before": f"{trial.dice[0]:.4f}",
        "after": f"{trial.dice[1]:.4f}",
        "HD mm before": f"{trial.hausdorff_mm[0]:.2f}",
        "after ": f"{trial.hausdorff_mm[1]:.2f}",
        "changed": f"{trial.changed} of {trial.cases}",
        "adopted": "yes" if trial.is_adopted else f"no: costs {', '.join(trial.harmed)}" if trial.harmed else "no",
    }


def _plain(adoption: Adoption) -> dict[str, Any]:
    trials = [
        {
            "structure": str(trial.structure),
            "step": to_plain(trial.step),
            "dice": _known(trial.dice),
            "hausdorff_mm": _known(trial.hausdorff_mm),
            "cases": trial.cases,
            "changed": trial.changed,
            "harmed": [str(structure) for structure in trial.harmed],
            "adopted": trial.is_adopted,
        }
        for trial in adoption.trials
    ]
    return {"postprocessing": to_plain(adoption.postprocessing), "trials": trials}


def _known(means: tuple[float, float]) -> list[float | None]:
    """Before and after; JSON has no word for a mean of nothing."""
    return [None if math.isnan(mean) else mean for mean in means]
