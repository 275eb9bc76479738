"""A source and a target of twelve small hearts each, on which all turns take seconds: bright blood here, dark there."""

from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.core.label import CAMUS
from cardiotrace.datasets.packed import PackedDataset, PackedSample
from cardiotrace.datasets.split import Split
from cardiotrace.inference.corrector import Corrector
from cardiotrace.inference.zoo import load_model
from cardiotrace.learning.rl4seg.rewards import CaseKey, case_key
from cardiotrace.learning.rl4seg.shapes import ValidShapes
from cardiotrace.learning.rl4seg.turns import Turns
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.hardware import Hardware
from cardiotrace.learning.training.recipe import Recipe, recipe_from_plain
from cardiotrace.learning.training.run import CheckedRun, TrainingData, as_seen
from tests.learning.rl4seg.hearts import ANATOMY, whole
from tests.learning.training.tiny import RECIPE

SIDE = 64
SOURCE, TARGET = "north", "south"
METHOD: dict[str, Any] = {
    "name": "rl4seg",
    "iterations": 2,
    "reward_epochs": 1,
    "reward_batch_size": 16,
    "policy_epochs": 1,
    "policy_batch_size": 4,
    "steps": 2,
    "shrink": 0.9,
    "perturb": 0.0,
    "agreement": 0.5,
    "distortions": {"weight_noise": [0.05], "contrast": [0.7], "noise": [0.1]},
}


def toy_recipe(method: dict[str, Any] | None = None, **changes: Any) -> Recipe:
    """Of a U-Net of two levels, from one vendor to the other."""
    values: dict[str, Any] = {
        **RECIPE,
        "preprocessing": [{"name": "resize", "height": SIDE, "width": SIDE}, {"name": "z-score"}],
        "training": {**RECIPE["training"], "epochs": 12},
        "adaptation": {"domain": "vendor", "targets": [TARGET], "method": METHOD | (method or {})},
    }
    return recipe_from_plain(values | changes)


def toy_packed(patients: int = 12) -> PackedDataset:
    """Half of the patients of each vendor, hearts of several places; two frames of each."""
    rng = np.random.default_rng(5)
    small = whole()[::2, ::2][:SIDE]
    images, labels, samples = [], [], []
    for number in range(patients):
        vendor = SOURCE if number % 2 == 0 else TARGET
        for time in range(2):
            down, across = rng.integers(0, SIDE - small.shape[0] + 1), rng.integers(0, SIDE - small.shape[1] + 1)
            plane = np.zeros((SIDE, SIDE), np.uint8)
            plane[down : down + small.shape[0], across : across + small.shape[1]] = small
            grey = np.array([90, 20, 200, 40] if vendor == SOURCE else [80, 45, 150, 60])[plane]
            images.append(np.clip(grey + rng.normal(0, 12, plane.shape), 0, 255).astype(np.uint8)[None])
            labels.append(plane)
            groups = {"patient": f"p{number}", "vendor": vendor}
            samples.append(PackedSample(f"c{number}", groups, "other", "4CH", time, 0, 0.0, 255.0))
    return PackedDataset(Path("packed"), np.stack(images), np.stack(labels), tuple(samples))


def toy_turns(folder: Path, recipe: Recipe | None = None, **changes: Any) -> Turns:
    """All that the turns need; the last patient of the source validates."""
    recipe = recipe or toy_recipe()
    packed = toy_packed()
    names = list(dict.fromkeys(sample.patient for sample in packed.samples))
    split = Split(tuple(name for name in names if name != "p10"), ("p10",))
    assert recipe.adaptation is not None
    data = as_seen(TrainingData(packed, split, CAMUS, ()), recipe.adaptation)
    sizes: dict[CaseKey, tuple[float, float] | None] = {case_key(sample): None for sample in packed.samples}
    shapes = ValidShapes.of(Corrector.of(load_model("corrector-4ch")), ANATOMY)
    values: dict[str, Any] = {
        "run": CheckedRun(recipe, RunFolder(folder)),
        "data": data,
        "adaptation": recipe.adaptation,
        "settings": recipe.adaptation_config,
        "shapes": shapes,
        "pixel_sizes": sizes,
        "hardware": Hardware("cpu"),
    }
    return Turns(**values | changes)
