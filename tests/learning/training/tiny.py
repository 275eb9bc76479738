"""Trainings small enough for a test: four bright discs, a U-Net of two levels, 32x32 images."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from cardiotrace.core.label import CAMUS
from cardiotrace.datasets.packed import PackedDataset, PackedPlane
from cardiotrace.datasets.split import Split
from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.training.device import make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.loop import TrainingTask
from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
from cardiotrace.learning.training.recipe import Recipe, recipe_from_plain
from cardiotrace.learning.training.run import TrainingData, build_model
from cardiotrace.learning.training.state import State

SIDE = 32
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
        PackedPlane(f"case{index}", f"patient{index}", "ED", "A4C", 0, 0, 0.0, 255.0) for index in range(planes)
    )
    return PackedDataset(Path("packed"), images, labels, about)


def material(planes: int = 4, validation: int = 4) -> TrainingData:
    """As many planes to train on; the last ones are also validated on, which only a test may do."""
    data = packed(planes + validation)
    names = [plane.patient for plane in data.planes]
    return TrainingData(data, Split(tuple(names[:planes]), tuple(names[planes:])), CAMUS, ())


def state(recipe: Recipe) -> State:
    """A state before the first step, outside Fabric."""
    model = build_model(recipe, channels=1, classes=4)
    if recipe.training.channels_last:
        model = model.to(memory_format=torch.channels_last)
    return State(model, OPTIMISERS.make(recipe.optimiser, model.parameters()), SCHEDULES.make(recipe.schedule))


def task_and_state(recipe: Recipe, planes: int = 4, *, augment: bool = True) -> tuple[TrainingTask, State]:
    """A task that trains and validates on the same planes, and its first state."""
    fabric = make_fabric(recipe.training, accelerator="cpu")
    fresh = state(recipe)
    rate = fresh.optimiser.param_groups[0]["lr"]
    fresh.model, fresh.optimiser = fabric.setup(fresh.model, fresh.optimiser)
    data = packed(planes)
    feed = DeviceDataset(data, np.arange(planes), recipe.preprocessing, fabric.device, group=recipe.training.group)
    order = TrainingOrder(recipe.seed, recipe.training.batch_size, recipe.augmentation, ())
    loss = LOSSES.make(recipe.loss)
    return TrainingTask(fabric, recipe.training, loss, order, feed, feed, ("LV", "MYO", "LA"), rate), fresh
