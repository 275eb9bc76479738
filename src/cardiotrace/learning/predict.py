"""A network that has just been trained, asked without a model file in between."""

from collections.abc import Mapping

import numpy as np
import torch
from jaxtyping import UInt8
from numpy.typing import NDArray

from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.inference.engine import Array
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingNeeds
from cardiotrace.preprocessing import NeighboursOf, Preprocessing

_BATCH = 8


class TorchEngine:
    """Runs a torch network where a predictor expects an engine; on the CPU.

    Args:
        network: put into evaluation mode.
    """

    inputs = ("images",)
    outputs = ("logits",)

    def __init__(self, network: torch.nn.Module) -> None:
        self._network = network.cpu().eval()

    def run(self, inputs: Mapping[str, Array]) -> dict[str, Array]:
        """See `inference.engine.Engine`."""
        with torch.inference_mode():
            return {"logits": self._network(torch.from_numpy(inputs["images"])).float().numpy()}


def predict_planes(
    network: torch.nn.Module,
    packed: PackedDataset,
    indices: NDArray[np.int64],
    preprocessing: Preprocessing,
    *,
    neighbours: int = 0,
    neighbours_of: NeighboursOf = "slices",
) -> UInt8[np.ndarray, "planes height width"]:
    """The most probable class of every pixel of packed planes, on the network's own grid.

    Args:
        network: put into evaluation mode; on the CPU.
        packed: the cache.
        indices: which planes.
        preprocessing: for its intensity steps.
        neighbours: planes on each side that the network sees with a plane; they need not be among the indices.
        neighbours_of: what those are.
    """
    needs = TrainingNeeds(neighbours=neighbours, neighbours_of=neighbours_of)
    dataset = DeviceDataset(packed, indices, preprocessing, torch.device("cpu"), needs)
    network = network.cpu().eval()
    with torch.inference_mode():
        everything = torch.arange(len(dataset))
        batches = (everything[start : start + _BATCH] for start in range(0, len(dataset), _BATCH))
        classes = [network(dataset.normalise(dataset.unit(picked)[0])).argmax(1) for picked in batches]
    predicted: UInt8[np.ndarray, "planes height width"] = torch.cat(classes).to(torch.uint8).numpy()
    return predicted
