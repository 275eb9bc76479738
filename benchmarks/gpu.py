"""Training on a GPU: images a second of U-Net 1 at 256x256, with all that a training does on the way.

    python -m benchmarks gpu

Images are resident on the card as bytes, cut, augmented and normalised there as recipes/camus-unet1.toml says, and
learned from in bfloat16. The first epoch, in which the network is compiled, is not counted. Without a card there are no
rows. It needs no data, and no more libraries than `make gpu`.
"""

import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "camus-unet1.toml"
SIDE, SAMPLES, EPOCHS = 256, 1920, 4
BATCHES = (10, 32, 64)
TARGET = 2500.0
"""Images a second that one data-centre card should reach."""


def run() -> list[dict[str, Any]]:
    """A row for each batch size, compiled and as written; none without a card."""
    import torch

    if not torch.cuda.is_available():
        print("no CUDA device: nothing is measured")
        return []
    card = torch.cuda.get_device_name()
    return [
        _row(f"U-Net 1, batch {batch}, {'compiled' if compiled == 'on' else 'as written'}, {card}", speed)
        for compiled in ("on", "off")
        for batch in BATCHES
        for speed in [images_per_second(batch, compiled=compiled)]
    ]


def _row(name: str, value: float) -> dict[str, Any]:
    versus = f"{TARGET:.0f} images/s"
    return {"name": name, "value": value, "unit": "images/s", "ratio": value / TARGET, "versus": versus}


def images_per_second(
    batch: int, *, compiled: str = "off", side: int = SIDE, samples: int = SAMPLES, accelerator: str = "cuda"
) -> float:
    """The median over epochs, as the training log tells it.

    Args:
        batch: images of a step.
        compiled: "on" or "off".
        side: of the images.
        samples: of an epoch.
        accelerator: "cuda", or "cpu" to try this without a card.
    """
    from cardiotrace.core.label import CAMUS
    from cardiotrace.datasets.split import Split
    from cardiotrace.learning.training.device import forget_compiled
    from cardiotrace.learning.training.folder import RunFolder
    from cardiotrace.learning.training.hardware import Hardware
    from cardiotrace.learning.training.recipe import read_recipe
    from cardiotrace.learning.training.run import CheckedRun, Pace, RunCallbacks, TrainingData, train

    packed = _packed(samples + 1, side)
    names = tuple(sample.patient for sample in packed.samples)
    sizes = {"preprocessing.0.height": side, "preprocessing.0.width": side}
    settings = {"training.epochs": EPOCHS, "training.batch_size": batch, "training.compile": compiled}
    recipe = read_recipe(RECIPE, {**sizes, **settings, "training.deterministic": False})
    speeds: list[float] = []
    told = RunCallbacks(on_epoch=lambda rows, is_best: speeds.append(rows[-1]["images_per_second"]))
    data = TrainingData(packed, Split(names[:-1], names[-1:]), CAMUS, ())
    with tempfile.TemporaryDirectory() as folder:
        hardware = Hardware(accelerator)
        train(CheckedRun(recipe, RunFolder(Path(folder))), data, callbacks=told, hardware=hardware, pace=Pace())
    forget_compiled()
    return median(speeds[1:])


def _packed(count: int, side: int) -> Any:
    """Noise with a bright disc that is labelled: what is on the images does not change the time."""
    from cardiotrace.datasets.packed import PackedDataset, PackedSample

    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[:side, :side] - side / 2
    labels = np.repeat((np.hypot(rows, columns) < side / 4).astype(np.uint8)[None], count, axis=0)
    images = rng.integers(0, 160, (count, 1, side, side), dtype=np.uint8) + 80 * labels[:, None]
    samples = (
        PackedSample(f"{index}", {"patient": f"{index}"}, "ED", "A4C", 0, 0, 0.0, 255.0) for index in range(count)
    )
    return PackedDataset(Path("packed"), images, labels, tuple(samples))
