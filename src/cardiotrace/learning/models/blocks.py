"""What the convolutional networks are built of: norms, activations, pairs of convolutions, the first weights."""

from typing import Any, Literal, TypeVar

import torch
from torch import nn

Module = TypeVar("Module", bound=nn.Module)
Norm = Literal["none", "batch", "instance"]
Activation = Literal["relu", "leaky-relu"]
Sides = int | tuple[int, ...]
"""A kernel or stride: one number for all axes, or (rows, columns), after the slices where there are any."""
Axes = Literal[2, 3]
"""Of what is convolved: 2 for planes, 3 for volumes."""

CONVOLUTIONS: dict[Axes, type[nn.Conv2d] | type[nn.Conv3d]] = {2: nn.Conv2d, 3: nn.Conv3d}
TRANSPOSED: dict[Axes, type[nn.ConvTranspose2d] | type[nn.ConvTranspose3d]] = {
    2: nn.ConvTranspose2d,
    3: nn.ConvTranspose3d,
}
_BATCH_NORMS = {2: nn.BatchNorm2d, 3: nn.BatchNorm3d}
_INSTANCE_NORMS = {2: nn.InstanceNorm2d, 3: nn.InstanceNorm3d}


class ConvolutionPair(nn.Sequential):
    """Twice: convolution, norm if any, activation; `stride` is that of the first convolution.

    Args:
        before: channels of the input.
        after: channels of the output, and between both convolutions.
        norm: after each convolution.
        activation: after each norm.
        stride: of the first convolution.
        kernel: odd sides of both kernels; padding keeps the size.
        axes: of what is convolved.
    """

    def __init__(
        self,
        before: int,
        after: int,
        *,
        norm: Norm = "none",
        activation: Activation = "relu",
        stride: Sides = 1,
        kernel: Sides = 3,
        axes: Axes = 2,
    ) -> None:
        padding: Any = kernel // 2 if isinstance(kernel, int) else tuple(side // 2 for side in kernel)
        convolution: Any = CONVOLUTIONS[axes]
        super().__init__(
            convolution(before, after, kernel, stride=stride, padding=padding),
            *norm_and_activation(after, norm, activation, axes),
            convolution(after, after, kernel, padding=padding),
            *norm_and_activation(after, norm, activation, axes),
        )


def norm_and_activation(width: int, norm: Norm, activation: Activation = "relu", axes: Axes = 2) -> list[nn.Module]:
    """The modules that follow a convolution of `width` channels."""
    norms: dict[str, list[nn.Module]] = {
        "none": [],
        "batch": [_BATCH_NORMS[axes](width)],
        "instance": [_INSTANCE_NORMS[axes](width, affine=True)],
    }
    # In place: the convolution and the norms need their inputs for the gradient, not their outputs.
    activating = nn.ReLU(inplace=True) if activation == "relu" else nn.LeakyReLU(0.01, inplace=True)
    return [*norms[norm], activating]


_LAYOUTS = {4: torch.channels_last, 5: torch.channels_last_3d}


def with_channels_last(network: Module) -> Module:
    """The network with its convolutions' weights in channels-last layout, in place; a network may have both kinds.

    Example:
        >>> with_channels_last(nn.Conv3d(8, 8, 3)).weight.is_contiguous(memory_format=torch.channels_last_3d)
        True
    """
    for weights in network.parameters():
        if weights.ndim in _LAYOUTS:
            weights.data = weights.data.contiguous(memory_format=_LAYOUTS[weights.ndim])
    return network


_WEIGHED = (nn.Conv2d, nn.ConvTranspose2d, nn.Conv3d, nn.ConvTranspose3d, nn.Linear)


def initialise(network: nn.Module) -> None:
    """Draw He-normal weights (fan in, ReLU) and set biases to zero, in place, from the global generator.

    Source:
        He et al. 2015, ICCV, arXiv:1502.01852.
    """
    for module in network.modules():
        if isinstance(module, _WEIGHED):
            # By fan in, activations keep their spread from layer to layer: networks without a norm have nothing else
            # that does.
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
