"""Run as a script by three processes: trains two epochs and writes what each process holds in the end."""

import sys
from pathlib import Path

import numpy as np
import torch

from cardiotrace.learning.losses import LOSSES
from cardiotrace.learning.training import loop
from cardiotrace.learning.training.device import make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from cardiotrace.learning.training.optimiser import OPTIMISERS, SCHEDULES
from cardiotrace.learning.training.run import build_model
from cardiotrace.learning.training.state import State
from tests.learning.training.tiny import packed, recipe


def main(folder: Path) -> None:
    some = recipe(
        architecture={"norm": "batch", "width": 4},
        training={"epochs": 2, "batch_size": 2, "ema_decay": 0.9, "gradient_clip": 1.0},
    )
    fabric = make_fabric(some.training, accelerator="cpu", processes=3)
    fabric.launch()
    model = build_model(some, channels=1, classes=4)
    model, optimiser = fabric.setup(model, OPTIMISERS.make(some.optimiser, model.parameters()))
    state = State(model, optimiser, SCHEDULES.make(some.schedule))
    data = packed(5)
    training = DeviceDataset(data, np.arange(4), some.preprocessing, fabric.device)
    validation = DeviceDataset(data, np.array([4]), some.preprocessing, fabric.device)
    order = TrainingOrder(some.seed, 2, some.augmentation, (), fabric.global_rank, fabric.world_size)
    loss = LOSSES.make(some.loss)
    task = loop.TrainingTask(fabric, some.training, loss, order, training, validation, ("LV", "MYO", "LA"), 1e-2)
    rows = []
    loop.run_epochs(task, state, on_step=lambda *_: None, on_epoch=lambda row, _: rows.append(row))
    held = {**state.model.state_dict(), **{f"average.{key}": value for key, value in state.average.items()}}
    held["scores"] = torch.tensor([row["score"] for row in rows] + [row["loss"] for row in rows])
    torch.save(held, folder / f"{fabric.global_rank}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
