"""Run as a script by three processes: trains two epochs and writes what each process holds in the end."""

import sys
from pathlib import Path

import numpy as np
import torch

from cardiotrace.learning.training import loop
from cardiotrace.learning.training.device import make_fabric
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingOrder
from tests.learning.training.tiny import packed, recipe
from tests.learning.training.tiny import state as fresh_state


def main(folder: Path) -> None:
    some = recipe(
        architecture={"norm": "batch", "width": 4},
        training={"epochs": 2, "batch_size": 2, "ema_decay": 0.9, "gradient_clip": 1.0},
    )
    fabric = make_fabric(some.training, accelerator="cpu", processes=3)
    fabric.launch()
    state = fresh_state(some, fabric)
    data = packed(5)
    training = DeviceDataset(data, np.arange(4), some.preprocessing, fabric.device)
    validation = DeviceDataset(data, np.array([4]), some.preprocessing, fabric.device)
    order = TrainingOrder(some.seed, 2, some.augmentation, (), fabric.global_rank, fabric.world_size)
    task = loop.TrainingTask(fabric, some.training, order, training, validation, ("LV", "MYO", "LA"))
    rows = []
    loop.run_epochs(task, state, on_step=lambda *_: None, on_epoch=lambda row, _: rows.append(row))
    held = {**state.objective.network.state_dict(), **{f"average.{key}": value for key, value in state.average.items()}}
    held["scores"] = torch.tensor([row["score"] for row in rows] + [row["loss"] for row in rows])
    torch.save(held, folder / f"{fabric.global_rank}.pt")
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
