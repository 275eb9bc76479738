"""Why trainings of small U-Nets on retinal vessels collapse: what is inside them, epoch by epoch.

    python benchmarks/retina_collapse.py --data PATH --out FOLDER [--epochs 40] [--levels 3] [--width 16]

Fold 1 of recipes/retina-levels.toml is trained with each way to scale the image, to draw the first weights, to choose
the loss and the learning rate. Written are collapse.json, collapse.md and collapse.png.
"""

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from cardiotrace.core.catalog import Choice
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.evaluation.sweep import best_constant_dice
from cardiotrace.evaluation.table import to_text
from cardiotrace.io import write_json, write_text
from cardiotrace.learning.augmentation import Augmentation
from cardiotrace.learning.losses import LOSSES, Loss
from cardiotrace.learning.training.build import build_model
from cardiotrace.learning.training.device import flushed_denormals
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.recipe import Recipe, read_recipe
from cardiotrace.preprocessing import Preprocessing
from cardiotrace.report.sweep import draw_traces
from cardiotrace.workflows.services.dataset import open_dataset, pack
from cardiotrace.workflows.train import split_of

RECIPE = Path(__file__).resolve().parents[1] / "recipes" / "retina-levels.toml"
DEAD, SHARE, GRADIENT, BIAS, DICE, ANY, BEST = (
    "dead ReLU channels, share",
    "predicted foreground, share",
    "gradient norm",
    "log-odds of the mean prediction",
    "Dice at threshold 0.5",
    "Dice, any probability above 1/510",
    "Dice at the best threshold",
)


@dataclass(frozen=True)
class Setup:
    """What differs between the trainings."""

    scaling: str = "min-max"
    """"raw" leaves the values 0 to 255."""
    weights: str = "he"
    """"he" as this package draws them, "pytorch" as its layers do by default, "glorot" as Keras does."""
    loss: str = "dice+cross-entropy"
    rate: float = 1e-3

    @property
    def name(self) -> str:
        """For the legend."""
        return f"{self.scaling}, {self.weights}, {self.loss}, {self.rate:g}"


SETUPS = (
    Setup(),
    Setup(loss="cross-entropy"),
    Setup(weights="pytorch", loss="cross-entropy"),
    Setup(weights="glorot", loss="cross-entropy"),
    Setup(loss="cross-entropy", rate=1e-4),
    Setup(loss="cross-entropy", rate=1e-2),
    Setup(rate=1e-2),
    Setup("raw"),
    Setup("raw", loss="cross-entropy"),
    Setup("raw", weights="pytorch", loss="cross-entropy"),
    Setup("raw", weights="glorot", loss="cross-entropy"),
    Setup("raw", loss="cross-entropy", rate=1e-4),
    Setup("raw", loss="cross-entropy", rate=1e-2),
    Setup("raw", rate=1e-2),
)


@dataclass(frozen=True)
class Parts:
    """What a training learns from and is looked at on."""

    training: DeviceDataset
    validation: DeviceDataset
    order: TrainingOrder


def main() -> None:
    """Train every setup, look inside, write table and figure."""
    options = _options()
    torch.set_num_threads(options.threads)
    overrides: dict[str, Any] = {"architecture.levels": options.levels, "architecture.width": options.width}
    overrides |= {"preprocessing.0.height": options.side, "preprocessing.0.width": options.side}
    recipe = read_recipe(RECIPE, overrides)
    options.out.mkdir(parents=True, exist_ok=True)
    traces: dict[str, dict[str, list[float]]] = {}
    for setup in SETUPS:
        parts = _parts(recipe, setup, options)
        with flushed_denormals():
            rows = list(train(recipe, setup, parts, epochs=options.epochs))
        traces[setup.name] = {measure: [row[measure] for row in rows] for measure in rows[0]}
        print(setup.name, {measure: round(values[-1], 4) for measure, values in traces[setup.name].items()}, flush=True)
    constant = best_constant_dice(parts.validation.labels.numpy(), 2, ignore=IGNORED)
    write(traces, options.out, constant=constant)


def write(traces: dict[str, dict[str, list[float]]], out: Path, *, constant: float) -> None:
    """Table of the last epochs, all epochs as JSON, and the figure."""
    finite = {
        name: {key: list(map(_or_none, values)) for key, values in trace.items()} for name, trace in traces.items()
    }
    write_json(out / "collapse.json", {"best_constant_dice": constant, "epochs": finite})
    rows = [{"setup": name, **{key: values[-1] for key, values in trace.items()}} for name, trace in traces.items()]
    note = f"The last epoch of each. Dice of the best constant answer, vessel everywhere: {constant:.3f}.\n\n"
    write_text(out / "collapse.md", note + to_text(rows, "markdown"))
    draw_traces(traces, out / "collapse.png", logarithmic=(GRADIENT,))


def _or_none(value: float) -> float | None:
    return value if math.isfinite(value) else None


def train(recipe: Recipe, setup: Setup, parts: Parts, *, epochs: int) -> Iterator[dict[str, float]]:
    """What is inside the network after each epoch; ends early if the loss is no longer a number."""
    network = build_model(recipe, channels=parts.training.images.shape[1], classes=2)
    draw_weights(network, setup.weights, seed=recipe.seed)
    optimiser = torch.optim.Adam(network.parameters(), setup.rate)
    loss = LOSSES.make(Choice(setup.loss), path="loss")
    for epoch in range(epochs):
        norm = _epoch(network, optimiser, loss, parts, epoch)
        yield {**look(network, parts.validation), GRADIENT: norm}
        if not math.isfinite(norm):
            return


def _epoch(network: nn.Module, optimiser: torch.optim.Optimizer, loss: Loss, parts: Parts, epoch: int) -> float:
    """One pass; returns the norm of the last step's gradient."""
    network.train()
    norm = math.nan
    for batch in parts.order.batches(parts.training, epoch):
        optimiser.zero_grad()
        loss(network(batch.images), batch.labels).backward()  # type: ignore[no-untyped-call]
        norm = float(nn.utils.get_total_norm([item.grad for item in network.parameters() if item.grad is not None]))
        optimiser.step()
    return norm


def draw_weights(network: nn.Module, kind: str, *, seed: int) -> None:
    """First weights of another kind, in place; "he" leaves those of the package."""
    torch.manual_seed(seed)
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and kind == "pytorch":
            module.reset_parameters()
        elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and kind == "glorot":
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)


def look(network: nn.Module, feed: DeviceDataset) -> dict[str, float]:
    """Dead channels, predicted share, log-odds of the mean prediction, and Dice at three thresholds."""
    network.eval()
    alive: list[Tensor] = []

    def count(module: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> None:
        alive.append((result > 0).any(dim=0).flatten(1).any(dim=1))

    hooks = [module.register_forward_hook(count) for module in network.modules() if isinstance(module, nn.ReLU)]
    images, labels = feed.unit(torch.arange(len(feed)))
    with torch.inference_mode():
        probability = network(feed.normalise(images)).softmax(1)[:, 1].double()
    for hook in hooks:
        hook.remove()
    counts = labels != IGNORED
    chances, vessel = probability[counts], (labels == 1)[counts]
    mean = float(chances.mean().clamp(1e-9, 1 - 1e-9))
    thresholds = np.unique(np.quantile(chances.nan_to_num().numpy(), np.linspace(0.005, 0.995, 100)))
    return {
        DEAD: 1 - float(torch.cat(alive).float().mean()),
        SHARE: float((chances > 0.5).float().mean()),
        BIAS: math.log(mean / (1 - mean)),
        DICE: dice_above(chances, vessel, 0.5),
        ANY: dice_above(chances, vessel, 1 / 510),
        BEST: max(dice_above(chances, vessel, float(level)) for level in thresholds),
    }


def dice_above(chances: Tensor, vessel: Tensor, threshold: float) -> float:
    """Dice of all pixels together, foreground where the probability is above the threshold."""
    found = chances > threshold
    total = int(found.sum()) + int(vessel.sum())
    return 2 * int((found & vessel).sum()) / total if total else math.nan


def _parts(recipe: Recipe, setup: Setup, options: argparse.Namespace) -> Parts:
    raw = [recipe.preprocessing.choices[0], Choice("multiply", {"factor": 255.0})]
    preprocessing = Preprocessing(raw) if setup.scaling == "raw" else recipe.preprocessing
    dataset = open_dataset(recipe.data.dataset, options.data)
    packed, split = (
        pack(dataset, preprocessing, cache=options.cache),
        split_of(recipe.data, dataset, 1, seed=recipe.fold_seed),
    )
    training, validation = (
        DeviceDataset(packed, packed.indices_of(part), preprocessing, torch.device("cpu"))
        for part in (split.training, split.validation)
    )
    order = TrainingOrder(recipe.seed, recipe.training.batch_size, Augmentation(), ())
    return Parts(training, validation, order)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--cache", type=Path)
    for name, default in (("epochs", 40), ("levels", 3), ("width", 16), ("side", 128), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


if __name__ == "__main__":
    main()
