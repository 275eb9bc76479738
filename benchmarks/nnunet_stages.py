"""What nnU-Net's own package is asked to do, one stage a call; the Python that runs this has nnunetv2, not CardioTrace.

    python nnunet_stages.py plan|preprocess|train|predict|versions

`benchmarks/nnunet_package.py` copies this file into the folder of a run, puts `settings.json` beside it, and tells
nnU-Net by environment variables where its data lie.
"""

import importlib.metadata
import json
import os
import random
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer  # type: ignore[import-not-found]

HERE = Path(__file__).resolve().parent
PACKAGES = ("nnunetv2", "dynamic-network-architectures", "batchgenerators", "batchgeneratorsv2", "torch", "numpy")
PREFIX = "nnUNet_"
PLANS, CONFIGURATION = "nnUNetPlans", "2d"
FINAL, LATEST = "checkpoint_final.pth", "checkpoint_latest.pth"


def settings() -> dict[str, Any]:
    values: dict[str, Any] = json.loads((HERE / "settings.json").read_text())
    return values


class BudgetTrainer(nnUNetTrainer):  # type: ignore[misc]
    """nnU-Net's trainer with so many optimiser steps in place of 1000 epochs of 250; all else is its own."""

    # nnU-Net reads the names of these parameters and stores their values.
    def __init__(
        self,
        plans: dict[str, Any],
        configuration: str,
        fold: int,
        dataset_json: dict[str, Any],
        device: torch.device = torch.device("cpu"),  # noqa: B008
    ) -> None:
        super().__init__(plans, configuration, fold, dataset_json, device)
        self.budget = settings()
        self.num_epochs = self.budget["epochs"]
        self.num_val_iterations_per_epoch = self.budget["validation_steps"]
        self.save_every = 1

    def configure_rotation_dummyDA_mirroring_and_inital_patch_size(self) -> tuple[Any, ...]:  # noqa: N802
        rotation, dummy, patch, axes = super().configure_rotation_dummyDA_mirroring_and_inital_patch_size()
        if not self.budget["mirroring"]:
            axes = self.inference_allowed_mirroring_axes = None
        return rotation, dummy, patch, axes

    def on_train_start(self) -> None:
        super().on_train_start()
        count = sum(weights.numel() for weights in self.network.parameters())
        (HERE / "network.json").write_text(json.dumps({"parameters": count}))

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        steps, epochs = self.budget["steps"], self.num_epochs
        done = self.current_epoch * steps // epochs
        self.num_iterations_per_epoch = (self.current_epoch + 1) * steps // epochs - done

    def on_epoch_start(self) -> None:
        self.started = time.perf_counter(), time.process_time()
        super().on_epoch_start()

    def on_epoch_end(self) -> None:
        super().on_epoch_end()
        wall_s, cpu_s = time.perf_counter() - self.started[0], time.process_time() - self.started[1]
        line = {"epoch": self.current_epoch, "steps": self.num_iterations_per_epoch, "wall_s": wall_s, "cpu_s": cpu_s}
        with (HERE / "epochs.jsonl").open("a") as journal:
            print(json.dumps(line), file=journal)


def plan() -> None:
    """Fingerprint and plan by nnU-Net's rules; then the batch and patch of the budget in place of the planned ones."""
    from nnunetv2.experiment_planning.plan_and_preprocess_api import extract_fingerprints, plan_experiments  # type: ignore[import-not-found]

    chosen = settings()
    extract_fingerprints([chosen["dataset_id"]], num_processes=1, show_progress_bar=False)
    plan_experiments([chosen["dataset_id"]])
    path = _preprocessed() / f"{PLANS}.json"
    plans = json.loads(path.read_text())
    planned = plans["configurations"][CONFIGURATION]
    (HERE / "planned.json").write_text(json.dumps(planned, indent=1))
    strides = np.prod(planned["architecture"]["arch_kwargs"]["strides"], axis=0)
    if any(chosen["size"] % strides):
        sys.exit(f"images of {chosen['size']} pixels cannot be halved as planned: they must be multiples of {strides}")
    planned["patch_size"] = [chosen["size"], chosen["size"]]
    planned["batch_size"] = chosen["batch_size"]
    path.write_text(json.dumps(plans, indent=1))


def preprocess() -> None:
    from nnunetv2.experiment_planning.plan_and_preprocess_api import preprocess

    preprocess([settings()["dataset_id"]], PLANS, [CONFIGURATION], num_processes=[1], show_progress_bar=False)


def train() -> None:
    """From the start, or from the last epoch of a training that was broken off (then with other random numbers)."""
    trainer = _trainer()
    latest = Path(trainer.output_folder) / LATEST
    if latest.exists():
        trainer.load_checkpoint(str(latest))
    trainer.run_training()


def predict() -> None:
    """Class probabilities of the testing images, with nnU-Net's Gaussian windows and, where allowed, mirroring."""
    from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor  # type: ignore[import-not-found]

    trainer = _trainer()
    trainer.load_checkpoint(str(Path(trainer.output_folder) / FINAL))
    trainer.set_deep_supervision_enabled(False)
    is_cuda = trainer.device.type == "cuda"
    predictor = nnUNetPredictor(device=trainer.device, perform_everything_on_device=is_cuda, allow_tqdm=False)
    predictor.manual_initialization(
        trainer.network,
        trainer.plans_manager,
        trainer.configuration_manager,
        [trainer.network.state_dict()],
        trainer.dataset_json,
        type(trainer).__name__,
        trainer.inference_allowed_mirroring_axes,
    )
    images = Path(os.environ[f"{PREFIX}raw"]) / _preprocessed().name / "imagesTs"
    predicted = HERE / "predicted"
    predicted.mkdir(exist_ok=True)
    predictor.predict_from_files_sequential(str(images), str(predicted), save_probabilities=True)


def versions() -> None:
    found = {name: importlib.metadata.version(name) for name in PACKAGES}
    (HERE / "versions.json").write_text(json.dumps(found))


def _trainer() -> BudgetTrainer:
    """Made here: nnU-Net's own search imports every trainer it has, and with them libraries that need not be there."""
    plans = json.loads((_preprocessed() / f"{PLANS}.json").read_text()) | {"continue_training": False}
    described = json.loads((_preprocessed() / "dataset.json").read_text())
    return BudgetTrainer(plans, CONFIGURATION, 0, described, torch.device(settings()["device"]))


def _preprocessed() -> Path:
    (folder,) = Path(os.environ[f"{PREFIX}preprocessed"]).glob(f"Dataset{settings()['dataset_id']:03d}_*")
    return folder


if __name__ == "__main__":
    torch.set_num_threads(settings()["threads"])
    seed = settings()["seed"]
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 - the generator that nnU-Net draws from
    torch.manual_seed(seed)
    {"plan": plan, "preprocess": preprocess, "train": train, "predict": predict, "versions": versions}[sys.argv[1]]()
