"""Training on the CPU: this package's loop against a plain eager PyTorch loop, and the packed cache against its files.

    python benchmarks/training.py [STEPS]

Both loops train recipes/camus-unet1.toml on the same batches of ten 256x256 images, augmented and normalised alike, in
processes of their own that take turns. Ours averages weights and writes its journal as well. The files are those of
CAMUS, found through CARDIOTRACE_DATA (default ../shared/data).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from cardiotrace.datasets.packed import PackedDataset

ROOT = Path(__file__).resolve().parents[1]
RECIPE = ROOT / "recipes" / "camus-unet1.toml"
SIDE, BATCH, CLASSES = 256, 10, 4
STEPS, ROUNDS = 12, 3
FILE_COUNT = 60


def run(steps: int = STEPS, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Images a second of both loops, the best of some rounds, and images a second from the cache and the files."""
    ours, plain = [], []
    for _ in range(rounds):
        ours.append(_elsewhere("ours", steps))
        plain.append(_elsewhere("plain", steps))
    rows = [_row("train U-Net 1 at 256x256", max(ours), max(plain), "plain eager PyTorch")]
    files = _files()
    if files:
        cached, read = _reading(files)
        rows.append(_row("read images and labels", cached, read, "reading the .nii.gz files"))
    return rows


def _row(name: str, value: float, other: float, versus: str) -> dict[str, Any]:
    return {"name": name, "value": value, "unit": "images/s", "ratio": value / other, "versus": versus}


def _elsewhere(loop: str, steps: int) -> float:
    """Images a second in a fresh process: memory settings outlive the loop that made them."""
    command = [sys.executable, str(Path(__file__).resolve()), loop, str(steps)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return float(json.loads(done.stdout.splitlines()[-1]))


def _ours(steps: int) -> float:
    """As `cardiotrace train` runs it; the first step, which starts threads and fills the heap, is not counted."""
    from cardiotrace.learning.allocator import keep_freed_memory

    keep_freed_memory()
    from cardiotrace.core.label import CAMUS
    from cardiotrace.datasets.split import Split
    from cardiotrace.learning.training.folder import RunFolder
    from cardiotrace.learning.training.recipe import read_recipe
    from cardiotrace.learning.training.run import CheckedRun, Hardware, RunCallbacks, TrainingData, train

    packed = _packed(BATCH * (steps + 1) + 1)
    names = tuple(plane.patient for plane in packed.samples)
    material = TrainingData(packed, Split(names[:-1], names[-1:]), CAMUS, ())
    times: list[float] = []
    told = RunCallbacks(lambda *_: times.append(time.perf_counter()))
    recipe = read_recipe(RECIPE, {"training.epochs": 1, "training.batch_size": BATCH})
    with tempfile.TemporaryDirectory() as folder:
        train(CheckedRun(recipe, RunFolder(Path(folder))), material, callbacks=told, hardware=Hardware("cpu"))
    return BATCH * (len(times) - 1) / (times[-1] - times[0])


def _plain(steps: int) -> float:
    """What one writes first: eager, float32, channels first, the C library as it is."""
    import torch

    from cardiotrace.core.catalog import Choice
    from cardiotrace.learning.losses import LOSSES
    from cardiotrace.learning.models.catalog import ARCHITECTURES
    from cardiotrace.learning.models.network import NetworkSpec
    from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
    from cardiotrace.learning.training.recipe import read_recipe

    torch.manual_seed(0)
    network = ARCHITECTURES.make(Choice("unet1"), NetworkSpec(1, CLASSES)).train()
    optimiser = torch.optim.Adam(network.parameters(), 1e-3)
    loss = LOSSES.make(Choice("dice+cross-entropy"))
    recipe = read_recipe(RECIPE)
    packed = _packed(BATCH * (steps + 1))
    feed = DeviceDataset(packed, np.arange(len(packed)), recipe.preprocessing, torch.device("cpu"))
    order = TrainingOrder(recipe.seed, BATCH, recipe.augmentation, ())
    times = []
    for batch in order.batches(feed, 0):
        optimiser.zero_grad()
        value = loss(network(batch.images), batch.labels)
        value.backward()
        optimiser.step()
        value.item()
        times.append(time.perf_counter())
    return BATCH * (len(times) - 1) / (times[-1] - times[0])


def _packed(count: int) -> "PackedDataset":
    from cardiotrace.datasets.packed import PackedDataset, PackedSample

    images, labels = _planes(count)
    about = tuple(
        PackedSample(f"case{i}", {"patient": f"patient{i}"}, "ED", "A4C", 0, 0, 0.0, 255.0) for i in range(count)
    )
    return PackedDataset(Path("packed"), images, labels, about)


def _planes(count: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Speckled nested discs, so that no activation dies out."""
    rng = np.random.default_rng(0)
    radius = np.hypot(*(np.mgrid[:SIDE, :SIDE] - SIDE / 2))
    labels = np.digitize(-radius, (-100, -70, -40)).astype(np.uint8)
    grey = np.array([30, 90, 150, 220])[labels]
    images = np.clip(grey + rng.normal(0, 25, (count, 1, SIDE, SIDE)), 0, 255).astype(np.uint8)
    return images, np.repeat(labels[None], count, axis=0)


def _files() -> list[tuple[Path, Path]]:
    data = Path(os.environ.get("CARDIOTRACE_DATA", ROOT / "../shared/data"))
    images = sorted(data.glob("camus/database_nifti/*/*_4CH_ED.nii.gz"))[:FILE_COUNT]
    return [(image, image.with_name(image.name.replace(".nii.gz", "_gt.nii.gz"))) for image in images]


def _reading(files: list[tuple[Path, Path]]) -> tuple[float, float]:
    """Images (with labels) a second of processor time: from a memory map in random order, and from the files."""
    from cardiotrace.core.label import CAMUS
    from cardiotrace.io import read_image, read_labels

    images, labels = _planes(len(files))
    with tempfile.TemporaryDirectory() as folder:
        np.save(Path(folder) / "images.npy", images)
        np.save(Path(folder) / "labels.npy", labels)
        stored = [np.load(Path(folder) / f"{name}.npy", mmap_mode="r") for name in ("images", "labels")]
        order = np.random.default_rng(0).permutation(len(files))
        cached, read = [], []
        for _ in range(ROUNDS):
            start = time.process_time()
            for index in order:
                for array in stored:
                    np.array(array[index])
            cached.append(time.process_time() - start)
            start = time.process_time()
            for image, reference in files:
                read_image(image)
                read_labels(reference, CAMUS)
            read.append(time.process_time() - start)
    return len(files) / min(cached), len(files) / min(read)


if __name__ == "__main__":
    words = sys.argv[1:]
    if words and words[0] in ("ours", "plain"):
        print(json.dumps({"ours": _ours, "plain": _plain}[words[0]](int(words[1]))))
    else:
        for row in run(*(int(word) for word in words)):
            print(f"{row['name']}: {row['value']:.1f} {row['unit']}, {row['ratio']:.2f} x {row['versus']}")
