"""What training asks of Lightning Fabric, and one device without it: for machines that hold no more than PyTorch."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Literal, Protocol

import torch
from torch import Tensor, nn

Precision = Literal["32-true", "bf16-mixed"]
"""Fabric's name of a precision."""


class Fabric(Protocol):
    """Devices and processes of a training, and the precision it computes at; Lightning's `Fabric` is one."""

    @property
    def device(self) -> torch.device:
        """Of this process."""
        ...

    @property
    def world_size(self) -> int:
        """Number of processes."""
        ...

    @property
    def global_rank(self) -> int:
        """Number of this process, from 0."""
        ...

    @property
    def is_global_zero(self) -> bool:
        """Whether this process is the first."""
        ...

    def launch(self) -> Any:
        """Start the further processes."""
        ...

    def setup(self, module: nn.Module, *optimizers: torch.optim.Optimizer) -> Any:
        """The network on the device, as it is to be called, and its optimisers."""
        ...

    def backward(self, tensor: Tensor) -> None:
        """Gradients of a loss."""
        ...

    def clip_gradients(self, module: Any, optimizer: Any, *, max_norm: float) -> Any:
        """Shorten the gradient of an optimiser's parameters to a norm."""
        ...

    def autocast(self) -> AbstractContextManager[Any]:
        """Where networks compute at the precision of the training."""
        ...

    def all_reduce(self, data: Any, *, reduce_op: str) -> Any:
        """Sum or mean over processes."""
        ...

    def barrier(self) -> None:
        """Wait for the other processes."""
        ...


class SingleDevice:
    """One process on one device, which gives the numbers that Lightning Fabric gives there, to the bit.

    Args:
        device: where to compute.
        precision: see `Precision`.

    Example:
        >>> fabric = SingleDevice(torch.device("cpu"), "32-true")
        >>> fabric.world_size, fabric.is_global_zero, float(fabric.all_reduce(torch.tensor(3.0), reduce_op="mean"))
        (1, True, 3.0)
    """

    world_size = 1
    global_rank = 0
    is_global_zero = True

    def __init__(self, device: torch.device, precision: Precision) -> None:
        self.device, self.precision = device, precision

    def launch(self) -> None:
        """There is nothing to launch."""

    def setup(self, module: nn.Module, *optimizers: torch.optim.Optimizer) -> Any:
        """See `Fabric`; moves the network, whose parameters the optimisers already know, in place."""
        network = module.to(self.device)
        called = network if self.precision == "32-true" else _MixedPrecision(network, self)
        return (called, *optimizers) if optimizers else called

    def backward(self, tensor: Tensor) -> None:
        """See `Fabric`."""
        # torch leaves this function without types.
        tensor.backward()  # type: ignore[no-untyped-call]

    def clip_gradients(self, module: Any, optimizer: torch.optim.Optimizer, *, max_norm: float) -> Tensor:
        """See `Fabric`; a gradient that is no number shows in the next loss, and a GPU need not be waited for."""
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        return nn.utils.clip_grad_norm_(parameters, max_norm)

    def autocast(self) -> AbstractContextManager[Any]:
        """See `Fabric`."""
        if self.precision == "32-true":
            return nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def all_reduce(self, data: Tensor, *, reduce_op: str) -> Tensor:
        """See `Fabric`: of one process, sum and mean are its own."""
        return data

    def barrier(self) -> None:
        """There is nobody to wait for."""


class _MixedPrecision(nn.Module):
    """A network called in bfloat16 that answers in float32."""

    def __init__(self, network: nn.Module, fabric: SingleDevice) -> None:
        super().__init__()
        self.network, self.fabric = network, fabric

    def forward(self, *inputs: Any) -> Any:
        """What the network makes of the inputs."""
        with self.fabric.autocast():
            outputs = self.network(*_converted(inputs, torch.bfloat16))
        return _converted(outputs, torch.float32)


def _converted(value: Any, dtype: torch.dtype) -> Any:
    """The value with every floating-point tensor in it at a precision."""
    if isinstance(value, Tensor):
        return value.to(dtype) if value.is_floating_point() else value
    if isinstance(value, Mapping):
        return {key: _converted(item, dtype) for key, item in value.items()}
    if isinstance(value, tuple | list):
        items = [_converted(item, dtype) for item in value]
        make: Callable[..., Any] = getattr(type(value), "_make", type(value))  # named tuples take their items apart
        return make(items)
    return value
