"""nnU-Net's own package on the images, the patients and the budget of our recipes: a row beside our own methods.

    python3.11 -m venv nnunet-venv
    nnunet-venv/bin/pip install -c constraints.txt torch nnunetv2
    nnunet-venv/bin/pip uninstall torchvision           # where it is built for another torch; nnU-Net does without
    python -m benchmarks.nnunet_package --python nnunet-venv/bin/python --data PATH --fold 1 --out runs/nnunet/fold1

Planner, preprocessing, network, augmentation, loss, optimiser, learning rates and prediction are nnU-Net v2's own.
Given are the squares that our recipes learn from (`--size`; nnU-Net is told pixels of 1 mm, so that it keeps them),
batch, whole-image patches and the number of optimiser steps. Its probabilities go back onto the images' own grids as
those of our models do, and are scored by the same code: testing.json, and testing_postprocessed.json after the
post-processing of our echo recipes. result.json holds the time of each stage, on the wall and on the processors.
A stage that is done is not done again, and a training goes on after its last epoch; another budget needs another --out.
"""

import argparse
import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from jaxtyping import Float

from benchmarks.__main__ import processor
from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.exam import Case
from cardiotrace.core.geometry import Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split, write_split
from cardiotrace.evaluation.evaluate import evaluate_labels
from cardiotrace.evaluation.table import headline_rows, table_to_json, to_text
from cardiotrace.io import labels_path, write_json, write_labels, write_text
from cardiotrace.learning.training.environment import commit
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.preprocessing import Preprocessing, ResamplingTransform
from cardiotrace.workflows.nnunet import dense, export_nnunet, image_names
from cardiotrace.workflows.services.dataset import MadeFolds, cases_of, choose_split, open_dataset

STAGES = ("plan", "preprocess", "train", "predict")
DRIVER = Path(__file__).with_name("nnunet_stages.py")
DATASET_ID = 1
PIXEL_MM = (10.0, 1.0, 1.0)
"""What nnU-Net is told: all alike, so that it resamples nothing, and depth the coarsest, so that it slices there."""
TIDY = Postprocessing([Choice("largest-component"), Choice("fill-holes")])
"""Of our echo recipes."""


@dataclass(frozen=True)
class Budget:
    """What nnU-Net is given in place of its own 250 000 steps."""

    size: int = 128
    steps: int = 430
    epochs: int = 6
    """Learning rates fall from epoch to epoch, as nnU-Net's do."""
    batch_size: int = 10
    validation_steps: int = 10
    """Batches looked at after each epoch; nothing but a curve comes of it."""
    mirroring: bool = True
    seed: int = 1
    threads: int = 1
    device: str = "cpu"
    dataset_id: int = DATASET_ID


@dataclass(frozen=True)
class Resized:
    """A data set whose images and labels are the squares that our recipes learn from, with pixels of 1 mm."""

    whole: Dataset
    preprocessing: Preprocessing

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)

    def cases(self) -> list[Case]:
        """Those of the whole data set, resized when they are read."""
        return [
            replace(
                case,
                read_image=partial(resized_image, case.read_image, self.preprocessing),
                read_labels=case.read_labels
                and partial(resized_labels, case.read_labels, self.preprocessing, self.whole.scheme),
            )
            for case in self.whole.cases()
        ]


@dataclass(frozen=True)
class Package:
    """nnU-Net in a Python of its own, and its folders."""

    python: Path
    folder: Path
    threads: int

    def place(self, name: str) -> Path:
        """One of nnU-Net's three folders: raw, preprocessed, results."""
        return self.folder / name

    @property
    def stages(self) -> Path:
        """What the stages are run with, and what they write."""
        return self.folder / "stages"

    def run(self, stage: str) -> dict[str, float]:
        """Do one stage. Its words go to <stage>.log.

        Returns:
            Seconds on the wall, and on all processors together.

        Raises:
            WorkError: it failed.
        """
        log = self.stages / f"{stage}.log"
        start = time.perf_counter()
        with log.open("w") as words:
            command = [str(self.python), str(self.stages / DRIVER.name), stage]
            process = subprocess.Popen(command, env=self._environment(stage), stdout=words, stderr=subprocess.STDOUT)
            _, status, used = os.wait4(process.pid, 0)  # unlike Popen's own, it tells what was used
            process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise WorkError(f"nnU-Net's stage {stage!r} failed", where=log, remedy="read the end of that file.")
        return {"wall_s": round(time.perf_counter() - start, 1), "cpu_s": round(used.ru_utime + used.ru_stime, 1)}

    def read(self, name: str) -> Any:
        """What a stage wrote."""
        return json.loads((self.stages / name).read_text())

    def _environment(self, stage: str) -> dict[str, str]:
        # Python's own variables would show the package our modules.
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "nnUNet", "VIRTUAL"))}
        places = {f"nnUNet_{name}": str(self.place(name)) for name in ("raw", "preprocessed", "results")}
        return {
            **kept,
            **places,
            "nnUNet_compile": "f",
            "nnUNet_def_n_proc": "1",
            # 0 augments between the steps: one process, and the same numbers again. The planner takes it for threads.
            "nnUNet_n_proc_DA": str(self.threads) if stage == "plan" else "0",
            "PYTHONUNBUFFERED": "1",
            "OMP_NUM_THREADS": str(self.threads),
        }


def resized_image(read: Callable[[], Image], preprocessing: Preprocessing) -> Image:
    """An image as it is packed for training, off its file's grid."""
    cine = read()
    transform = transform_for(cine, preprocessing)
    moved = [[preprocessing.resample(plane, transform) for plane in frame] for frame in cine.frames]
    stacked = np.array(moved)  # (time, depth, channels, height, width)
    frames = np.moveaxis(stacked, 2, -1) if cine.is_colour else stacked[:, :, 0]
    return Image(np.ascontiguousarray(frames), Geometry.of_spacing(PIXEL_MM), view=cine.view)


def resized_labels(read: Callable[[], LabelMap], preprocessing: Preprocessing, scheme: LabelScheme) -> LabelMap:
    """Labels as they are packed for training."""
    labels = read().to(dense(scheme))
    transform = preprocessing.transform_for(labels.array.shape[2:], labels.spacing_mm and labels.spacing_mm[1:])
    count = scheme.class_count
    moved = [
        [preprocessing.resample_labels(plane, transform, class_count=count) for plane in frame]
        for frame in labels.array
    ]
    return LabelMap(np.array(moved, np.uint8), dense(scheme), Geometry.of_spacing(PIXEL_MM)).to(scheme)


def transform_for(cine: Image, preprocessing: Preprocessing) -> ResamplingTransform:
    """Where the squares lie on an image."""
    return preprocessing.transform_for(cine.grid_shape[2:], cine.spacing_mm and cine.spacing_mm[1:])


def brought_back(
    cine: Image,
    probabilities: Sequence[Float[np.ndarray, "classes depth height width"]],
    preprocessing: Preprocessing,
    scheme: LabelScheme,
) -> LabelMap:
    """Labels on the image's own grid from the class probabilities of its frames, as a predictor makes them.

    Raises:
        InputError: the probabilities are of another number of classes, frames or slices.
    """
    shapes = {values.shape[:2] for values in probabilities}
    if shapes != {(scheme.class_count, cine.grid_shape[1])} or len(probabilities) != cine.grid_shape[0]:
        raise InputError(
            f"probabilities {shapes} of {len(probabilities)} frames for images {cine.grid_shape}"
            f" and {scheme.class_count} classes"
        )
    transform = transform_for(cine, preprocessing)
    classes = [
        [transform.invert_labels(values[:, depth].astype(np.float32)) for depth in range(values.shape[1])]
        for values in probabilities
    ]
    labels = LabelMap(np.array(classes, np.uint8), dense(scheme), cine.geometry, cine.source)
    return labels.to(scheme)


def main(arguments: Sequence[str] | None = None) -> None:
    """Export, plan, preprocess, train, predict, score."""
    options = _parser().parse_args(arguments)
    chosen = {"views": ["4CH"]} if options.options is None and options.dataset == "camus" else options.options or {}
    dataset = open_dataset(Choice(options.dataset, chosen), options.data)
    fold = options.fold
    split = choose_split(dataset, options.split, fold=fold, made=MadeFolds(options.folds, options.fold_seed))
    split = split.on_disk({case.patient for case in dataset.cases()})
    budget = Budget(**{key: getattr(options, key) for key in asdict(Budget()) if hasattr(options, key)})
    package = Package(options.python, options.out / "nnunet", budget.threads)
    given = {"dataset": options.dataset, "options": chosen, "split": options.split, "fold": fold, **asdict(budget)}
    write_settings(package, given)
    write_split(split, options.out / "split.json")
    result = given | worked(package, dataset, split)
    write_json(options.out / "result.json", result)
    score(package, dataset, split, options.out)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.nnunet_package",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--python", type=Path, required=True, help="a Python that has nnunetv2 (and torch for CPUs)")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--dataset", default="camus", help="name of a data set")
    parser.add_argument("--options", type=json.loads, help='of the data set, JSON; by default {"views": ["4CH"]}')
    parser.add_argument("--data", type=Path, help="where it lies; by default below CARDIOTRACE_DATA")
    parser.add_argument("--split", default="official", help='one of the data set\'s own, or "k-fold"')
    parser.add_argument("--fold", type=int, help="number of a fold, from 1")
    parser.add_argument("--folds", type=int, default=5, help='for "k-fold"')
    parser.add_argument("--fold-seed", type=int, default=0, help='for "k-fold"')
    words = {
        "size": "pixels along each side of the squares",
        "steps": "optimiser steps in all",
        "epochs": "after each of which the learning rate falls",
        "batch_size": "images of a step",
        "validation_steps": "batches of validation after each epoch",
        "seed": "of weights, order and augmentation",
        "threads": "of torch",
    }
    for name, meaning in words.items():
        default = getattr(Budget(), name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=int, default=default, help=f"{meaning} ({default})")
    parser.add_argument("--device", default=Budget().device, choices=("cpu", "cuda"))
    parser.add_argument(
        "--mirroring",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="in training and in prediction, as nnU-Net does; apical views have a left and a right",
    )
    return parser


def write_settings(package: Package, given: dict[str, Any]) -> None:
    """Put the settings and what is run with them into the folder.

    Raises:
        WorkError: the folder holds a run of other settings.
    """
    package.stages.mkdir(parents=True, exist_ok=True)
    path = package.stages / "settings.json"
    if path.exists() and (known := json.loads(path.read_text())) != given:
        differing = [key for key in given if known.get(key) != given[key]]
        raise WorkError(f"holds a run with another {', '.join(differing)}", where=path, remedy="choose another --out.")
    write_json(path, given)
    shutil.copyfile(DRIVER, package.stages / DRIVER.name)


def worked(package: Package, dataset: Dataset, split: Split) -> dict[str, Any]:
    """Do the stages that are not done yet; what is to be said of all of them."""
    size = package.read("settings.json")["size"]
    raw = package.place("raw") / f"Dataset{DATASET_ID:03d}_{dataset.name}"
    exported = export_nnunet(cast(Dataset, Resized(dataset, squares(size))), raw, [split])
    times = package.stages / "times.json"
    done: dict[str, Any] = package.read(times.name) if times.exists() else {}
    for stage in STAGES:
        if stage not in done:
            print(f"{stage} ...", flush=True)
            done[stage] = package.run(stage)
            write_json(times, done)
            print(f"{stage}: {done[stage]}", flush=True)
    package.run("versions")
    planned = package.read("planned.json")
    return {
        "images": {"training and validation": exported.training, "testing": exported.testing},
        "stages": done,
        "epochs": [json.loads(line) for line in (package.stages / "epochs.jsonl").read_text().splitlines()],
        "planned": {key: planned[key] for key in ("batch_size", "patch_size", "normalization_schemes", "architecture")},
        **package.read("network.json"),
        "versions": package.read("versions.json"),
        "processor": processor(),
        "processors": os.cpu_count(),
        "commit": commit(),
    }


def squares(size: int) -> Preprocessing:
    """How our recipes resize; what they do to the values, nnU-Net does in its own way."""
    return Preprocessing([Choice("resize", {"height": size, "width": size})])


def score(package: Package, dataset: Dataset, split: Split, out: Path) -> None:
    """Bring the predictions back to the images' grids, as they are and post-processed, and score both."""
    cases = [case for case in cases_of(dataset, split.testing) if case.read_labels is not None]
    preprocessing = squares(package.read("settings.json")["size"])
    folders = {"testing": out / "labels", "testing_postprocessed": out / "labels-postprocessed"}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    for case in cases:
        cine = case.read_image()
        found = [_probabilities(package, name) for name in image_names(case.name, len(cine.frames))]
        labels = brought_back(cine, found, preprocessing, dataset.scheme)
        for folder, kept in zip(folders.values(), (labels, TIDY.apply(labels).labels), strict=True):
            file = folder / f"{case.name}_labels.nii.gz"
            write_labels(kept, file if cine.source is None else labels_path(cine.source, folder))
    versions = package.read("versions.json")
    for name, folder in folders.items():
        table = evaluate_labels(folder, cases, dataset.scheme)
        facts = {"predicted": f"nnU-Net's own package, nnunetv2 {versions['nnunetv2']}", "reference": dataset.name}
        write_text(out / f"{name}.json", table_to_json(replace(table, facts=facts)))
        print(f"{name}\n{to_text(headline_rows(table), 'markdown')}", flush=True)


def _probabilities(package: Package, name: str) -> Float[np.ndarray, "classes depth height width"]:
    path = package.stages / "predicted" / f"{name}.npz"
    if not path.exists():
        raise InputError("nnU-Net predicted nothing for this image", where=path)
    with np.load(path) as stored:
        values: Float[np.ndarray, "classes depth height width"] = stored["probabilities"]
    return values


if __name__ == "__main__":
    main()
