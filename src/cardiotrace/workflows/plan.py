"""Look at a data set and plan a network for it."""

import dataclasses
import logging
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import tomli_w

from cardiotrace.core.catalog import Choice
from cardiotrace.core.contract import RECIPE
from cardiotrace.core.errors import CardioTraceError, InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.image import Image
from cardiotrace.core.progress import counted
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.io import write_new_text
from cardiotrace.workflows.services.dataset import open_dataset

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
    """Write the recipe here; default: nnunet2d-NAME.toml, or nnunet3d-NAME.toml."""
    dimensions: Literal[2, 3] = 2
    """What the network is to see at once: 2 for planes, 3 for volumes at full resolution."""
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

    name = f"nnunet{config.dimensions}d-{config.dataset}"
    choice = Choice(config.dataset, config.options)
    dataset = open_dataset(choice, config.data)
    made = plan_dataset(dataset, memory_gb=config.memory_gb, dimensions=config.dimensions, reporter=reporter)
    recipe = plan_recipe(made, {"name": choice.name, **choice.options}, name=name, mirrored=bool(dataset.mirror_axes))
    recipe_from_plain(recipe)  # refuses what training would refuse
    path = config.out or Path(f"{name}.toml")
    write_new_text(path, tomli_w.dumps(RECIPE.stamp(recipe)))
    return Planned(made, path)


def look_at(dataset: Dataset, *, dimensions: Literal[2, 3] = 2, reporter: ProgressReporter = SILENT) -> "Fingerprint":
    """Median spacing and shape of the labelled images; every plane, or volume, of a cine counts as one of the total.

    Raises:
        InputError: no labelled image can be read.
    """
    from cardiotrace.learning.planning import fingerprint

    cases = [case for case in dataset.cases() if case.read_labels is not None]
    shapes, spacings, samples = [], [], 0
    last = slice(-dimensions, None)
    with reporter.stage(f"looking at {dataset.name}") as on_progress:
        for case in counted(cases, on_progress):
            cine = _image_of(case)
            if cine is None:
                continue
            shape, spacing = tuple(cine.grid_shape), cine.spacing_mm
            shapes.append(shape[last])
            spacings.append(None if spacing is None else tuple(spacing)[last])
            samples += math.prod(shape[:-dimensions])
    if not shapes:
        raise InputError("there is no labelled image to plan for", where=dataset.root)
    return dataclasses.replace(fingerprint(shapes, spacings), images=samples)


def _image_of(case: Case) -> Image | None:
    """The image of a case; None where it cannot be read, of which `data lint` says why."""
    try:
        return case.read_image()
    except CardioTraceError as error:
        LOG.debug("%s is passed over: %s", case.name, error)
        return None


def plan_dataset(
    dataset: Dataset,
    *,
    memory_gb: float = 8.0,
    dimensions: Literal[2, 3] = 2,
    reporter: ProgressReporter = SILENT,
) -> "Plan":
    """nnU-Net's plan for a data set; see `cardiotrace.learning.planning`."""
    from cardiotrace.learning.planning import plan

    seen = look_at(dataset, dimensions=dimensions, reporter=reporter)
    return plan(seen, classes=dataset.scheme.class_count, memory_gb=memory_gb)
