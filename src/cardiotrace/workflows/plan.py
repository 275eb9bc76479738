"""Look at a data set and plan a network for it."""

import dataclasses
import logging
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli_w

from cardiotrace.core.catalog import Choice
from cardiotrace.core.contract import RECIPE
from cardiotrace.core.errors import CardioTraceError, InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.image import Image
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.io import write_new_text
from cardiotrace.workflows.services.dataset import open_dataset
from cardiotrace.workflows.services.progress import SILENT, ProgressReporter

# `learning` needs torch, and the options of a verb are shown without it: each function imports what it uses of it.
if TYPE_CHECKING:
    from cardiotrace.learning.planning import Fingerprint, Plan

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class PlanConfig:
    """For which data set and device."""

    dataset: str
    """Name of the data set, see `cardiotrace data list`."""
    data: Path | None = None
    """Its folder; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """Write the recipe here; default: nnunet2d-NAME.toml."""
    memory_gb: float = 8.0
    """Memory of the device to train on, GB: decides on patch and batch."""
    options: dict[str, Any] = field(default_factory=dict)
    """Options of the data set, such as views=["4CH"]."""


@dataclass(frozen=True)
class Planned:
    """A plan, and the recipe that trains it."""

    plan: "Plan"
    recipe: Path


def plan_recipe_for(config: PlanConfig, reporter: ProgressReporter = SILENT) -> Planned:
    """Plan patch, network and batch from sizes and spacings by nnU-Net's rules, and write them as a recipe.

    Raises:
        ConfigError: no such data set or option, or a plan that training would refuse.
        InputError: the folder does not hold the data set, or no labelled image of it can be read.
        UsageError: another recipe is there.
        WorkError: the recipe cannot be written.
    """
    from cardiotrace.learning.planning import plan_recipe
    from cardiotrace.learning.training.recipe import recipe_from_plain

    name = f"nnunet2d-{config.dataset}"
    choice = Choice(config.dataset, config.options)
    dataset = open_dataset(choice, config.data)
    made = plan_dataset(dataset, memory_gb=config.memory_gb, reporter=reporter)
    recipe = plan_recipe(made, {"name": choice.name, **choice.options}, name=name, mirrored=bool(dataset.mirror_axes))
    recipe_from_plain(recipe)  # refuses what training would refuse
    path = config.out or Path(f"{name}.toml")
    write_new_text(path, tomli_w.dumps(RECIPE.stamp(recipe)))
    return Planned(made, path)


def look_at(dataset: Dataset, *, reporter: ProgressReporter = SILENT) -> "Fingerprint":
    """Median spacing and shape of the labelled images; every plane of a stack or cine counts as one image of the total.

    Raises:
        InputError: no labelled image can be read.
    """
    from cardiotrace.learning.planning import fingerprint

    cases = [case for case in dataset.cases() if case.read_labels is not None]
    shapes, spacings, planes = [], [], 0
    with reporter.stage(f"looking at {dataset.name}") as tick:
        for done, case in enumerate(cases, start=1):
            cine = _image_of(case)
            tick(done, len(cases))
            if cine is None:
                continue
            time, depth, height, width = cine.grid_shape
            shapes.append((height, width))
            spacings.append(None if cine.spacing_mm is None else (cine.spacing_mm[1], cine.spacing_mm[2]))
            planes += time * depth
    if not shapes:
        raise InputError("there is no labelled image to plan for", where=dataset.root)
    return dataclasses.replace(fingerprint(shapes, spacings), images=planes)


def _image_of(case: Case) -> Image | None:
    """The image of a case; None where it cannot be read, of which `data lint` says why."""
    try:
        return case.read_image()
    except CardioTraceError as error:
        LOG.debug("%s is passed over: %s", case.name, error)
        return None


def plan_dataset(dataset: Dataset, *, memory_gb: float = 8.0, reporter: ProgressReporter = SILENT) -> "Plan":
    """nnU-Net's 2D plan for a data set; see `cardiotrace.learning.planning`."""
    from cardiotrace.learning.planning import plan

    return plan(look_at(dataset, reporter=reporter), classes=dataset.scheme.class_count, memory_gb=memory_gb)
