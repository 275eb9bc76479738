"""Numbers from the CPU to where they are wanted, without waiting for what a GPU has in hand."""

import torch
from torch import Tensor


def sent(values: Tensor, device: torch.device) -> Tensor:
    """The values on a device.

    A plain copy to a GPU ends only when all work before it has: with a dozen small tensors a step, the GPU would wait
    for the CPU as often. From pinned memory the copy takes its place in the queue.

    Args:
        values: as a rule on the CPU.
        device: where they are wanted.
    """
    if device.type != "cuda" or values.device.type != "cpu":
        return values.to(device)
    return values.pin_memory().to(device, non_blocking=True)
