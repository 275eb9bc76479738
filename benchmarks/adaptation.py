"""What an epoch of each way to adapt costs, as a multiple of an epoch on the labels alone; processor time.

python -m benchmarks adaptation
"""

import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from cardiotrace.datasets.packed import PackedDataset, PackedSample
from cardiotrace.learning.training.adaptation.domains import without_target_labels
from cardiotrace.learning.training.build import ObjectiveContext, build_model, make_objective
from cardiotrace.learning.training.device import make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.objective import Objective, Progress
from cardiotrace.learning.training.recipe import Recipe, read_recipe

REPOSITORY = Path(__file__).resolve().parents[1]
RECIPE = REPOSITORY / "recipes" / "acdc-to-sunnybrook.toml"
SIDE, STEPS, REPEATS = 64, 4, 3
LARGER = {"name": "unet1", "norm": "batch"}
METHODS: dict[str, Any] = {
    "none": "none",
    "dann": "dann",
    "dann, two levels": {"name": "dann", "levels": "both"},
    "dann, kernels alone": {"name": "dann", "reverses_norms": False},
    "coral": "coral",
    "mean-teacher": "mean-teacher",
    "fda": "fda",
    "style": "style",
}


def data(recipe: Recipe) -> PackedDataset:
    """Noise, two thirds of it labelled, of the recipe's two domains."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (96, 1, SIDE, SIDE), dtype=np.uint8)
    labels = rng.integers(0, 4, (96, SIDE, SIDE), dtype=np.uint8)
    names = ("acdc", "acdc", "sunnybrook")
    samples = tuple(
        PackedSample(str(n), {"patient": str(n), "dataset": names[n % 3]}, "ED", "SAX", 0, 0, 0.0, 255.0)
        for n in range(96)
    )
    packed = PackedDataset(Path(), images, labels, samples)
    return packed if recipe.adaptation is None else without_target_labels(packed, recipe.adaptation)


def steps_of(method: Any, changes: dict[str, Any]) -> Any:
    """A function that takes some steps, batches and all, and returns their processor time in seconds."""
    recipe = read_recipe(RECIPE, {"adaptation.method": method, "training.compile": "off", **changes})
    packed, fabric = data(recipe), make_fabric(recipe.training, accelerator="cpu")
    sees = recipe.unlabelled_per_batch > 0
    indices = np.array([n for n, one in enumerate(packed.samples) if one.is_labelled or sees])
    dataset = DeviceDataset(packed, indices, recipe.preprocessing, fabric.device)
    order = TrainingOrder(
        0, recipe.training.batch_size, recipe.augmentation, (), steps=STEPS, unlabelled=recipe.unlabelled_per_batch
    )
    network = build_model(recipe, channels=1, classes=4)
    context = ObjectiveContext(fabric, recipe, network, dataset.samples, sample_shape=(1, SIDE, SIDE))
    objective: Objective = make_objective(context)

    def run() -> float:
        begun = time.process_time()
        for step, batch in enumerate(order.batches(dataset, 0)):
            objective.step(batch, Progress(50 + step, 100))
        return time.process_time() - begun

    return run


def run() -> list[dict[str, Any]]:
    """Ratios of the shortest of several turns; methods take turns, so that all meet the same machine."""
    rows = []
    for network, changes in (("the recipe's U-Net", {}), ("U-Net 1 with batch norm", {"architecture": LARGER})):
        turns = {name: steps_of(method, changes) for name, method in METHODS.items()}
        for turn in turns.values():
            turn()
        found = {name: min(turn() for _ in range(REPEATS)) for name, turn in turns.items()}
        for name, seconds in found.items():
            versus = "" if name == "none" else "labels alone"
            ratio = None if name == "none" else seconds / found["none"]
            rows.append(
                {
                    "name": f"{network}, {name}",
                    "value": 1000 * seconds / STEPS,
                    "unit": "ms a step",
                    "ratio": ratio,
                    "versus": versus,
                }
            )
    return rows


if __name__ == "__main__":
    torch.set_num_threads(1)
    for row in run():
        print(f"{row['name']:45} {row['value']:8.1f} {row['unit']}  {row['ratio'] or 1:.2f}")
