"""Trainings small enough for a test: four bright discs, a U-Net of two levels, 32x32 images."""

from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.core.label import CAMUS
from cardiotrace.datasets.packed import PackedDataset, PackedSample
from cardiotrace.datasets.split import Split
from cardiotrace.learning.training.build import ObjectiveContext, build_model, make_objective
from cardiotrace.learning.training.device import make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingNeeds, TrainingOrder
from cardiotrace.learning.training.distillation import StudentRequirements
from cardiotrace.learning.training.fabric import Fabric
from cardiotrace.learning.training.loop import TrainingTask
from cardiotrace.learning.training.recipe import Recipe, recipe_from_plain
from cardiotrace.learning.training.run import TrainingData
from cardiotrace.learning.training.state import State

SIDE = 32
VENDORS = ("north", "south")
RECIPE: dict[str, Any] = {
    "name": "tiny",
    "seed": 3,
    "architecture": {"name": "unet", "levels": 2, "width": 8},
    "optimiser": {"name": "adam", "learning_rate": 1e-2},
    "schedule": "constant",
    "preprocessing": [{"name": "resize", "height": SIDE, "width": SIDE}, {"name": "z-score"}],
    "data": {"dataset": {"name": "camus", "views": ["4CH"]}},
    "training": {"epochs": 3, "batch_size": 2, "precision": "float32", "compile": "off"},
}


def recipe(**changes: Any) -> Recipe:
    """The tiny recipe; a changed table is merged into the old one."""
    values = dict(RECIPE)
    for key, change in changes.items():
        old = values.get(key)
        values[key] = {**old, **change} if isinstance(old, dict) and isinstance(change, dict) else change
    return recipe_from_plain(values)


def packed(planes: int = 4, seed: int = 0) -> PackedDataset:
    """Nested discs of three brightnesses, one plane per patient."""
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    labels = np.zeros((planes, SIDE, SIDE), np.uint8)
    for plane in labels:
        radius = np.hypot(rows - rng.uniform(13, 19), columns - rng.uniform(13, 19))
        for value, edge in ((1, 13), (2, 9), (3, 5)):
            plane[radius < edge] = value
    grey = np.array([20, 90, 170, 240])[labels] + rng.normal(0, 6, labels.shape)
    images = np.clip(grey, 0, 255).astype(np.uint8)[:, None]
    about = tuple(
        PackedSample(
            f"case{index}",
            {"patient": f"patient{index}", "vendor": VENDORS[index % 2]},
            *("ED", "A4C", 0, 0, 0.0, 255.0),
        )
        for index in range(planes)
    )
    return PackedDataset(Path("packed"), images, labels, about)


def training_data(planes: int = 4, validation: int = 4) -> TrainingData:
    """As many planes to train on; the last ones are also validated on, which only a test may do."""
    data = packed(planes + validation)
    names = [sample.patient for sample in data.samples]
    return TrainingData(data, Split(tuple(names[:planes]), tuple(names[planes:])), CAMUS, ())


def state(recipe: Recipe, fabric: Fabric | None = None) -> State:
    """A state before the first step."""
    fabric = fabric or make_fabric(recipe.training, accelerator="cpu")
    context = ObjectiveContext(fabric, recipe, build_model(recipe, channels=1, classes=4))
    return State(make_objective(context))


def task_and_state(recipe: Recipe, planes: int = 4, *, augment: bool = True) -> tuple[TrainingTask, State]:
    """A task that trains and validates on the same planes, and its first state."""
    fabric = make_fabric(recipe.training, accelerator="cpu")
    needs = TrainingNeeds(recipe.training.group)
    dataset = DeviceDataset(packed(planes), np.arange(planes), recipe.preprocessing, fabric.device, needs)
    order = TrainingOrder(recipe.seed, recipe.training.batch_size, recipe.augmentation, ())
    task = TrainingTask(fabric, recipe.training, order, dataset, dataset, ("LV", "MYO", "LA"))
    return task, state(recipe, fabric)


def student(recipe: Recipe) -> StudentRequirements:
    """What teachers of the tiny data must answer."""
    return StudentRequirements(CAMUS, recipe.preprocessing, 1)
