"""What the convolutional networks are built of: norms, activations, pairs of convolutions, the first weights."""

from typing import Literal

from torch import nn

Norm = Literal["none", "batch", "instance"]
Activation = Literal["relu", "leaky-relu"]
Sides = int | tuple[int, int]
"""A kernel or stride: one number for both axes, or (rows, columns)."""


class ConvolutionPair(nn.Sequential):
    """Twice: convolution, norm if any, activation; `stride` is that of the first convolution.

    Args:
        before: channels of the input.
        after: channels of the output, and between both convolutions.
        norm: after each convolution.
        activation: after each norm.
        stride: of the first convolution.
        kernel: odd sides of both kernels; padding keeps the size.
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
    ) -> None:
        padding = kernel // 2 if isinstance(kernel, int) else (kernel[0] // 2, kernel[1] // 2)
        super().__init__(
            nn.Conv2d(before, after, kernel, stride=stride, padding=padding),
            *norm_and_activation(after, norm, activation),
            nn.Conv2d(after, after, kernel, padding=padding),
            *norm_and_activation(after, norm, activation),
        )


def norm_and_activation(width: int, norm: Norm, activation: Activation = "relu") -> list[nn.Module]:
    """The modules that follow a convolution of `width` channels."""
    norms: dict[str, list[nn.Module]] = {
        "none": [],
        "batch": [nn.BatchNorm2d(width)],
        "instance": [nn.InstanceNorm2d(width, affine=True)],
    }
    # In place: the convolution and the norms need their inputs for the gradient, not their outputs.
    activating = nn.ReLU(inplace=True) if activation == "relu" else nn.LeakyReLU(0.01, inplace=True)
    return [*norms[norm], activating]


def initialise(network: nn.Module) -> None:
    """Draw He-normal weights (fan in, ReLU) and set biases to zero, in place, from the global generator.

    Source:
        He et al. 2015, ICCV, arXiv:1502.01852.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            # By fan in, activations keep their spread from layer to layer: networks without a norm have nothing else
            # that does.
            nn.init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
