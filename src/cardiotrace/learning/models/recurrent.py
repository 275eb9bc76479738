"""A U-Net of planes whose coarsest features are read slice after slice: a stack is seen as a whole."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from cardiotrace.core.errors import ConfigError
from cardiotrace.learning.models.blocks import Axes, Norm, initialise
from cardiotrace.learning.models.network import Network, NetworkSpec
from cardiotrace.learning.models.sides import Divisor, check_size
from cardiotrace.learning.models.unet import UNet, UNetShape


@dataclass(frozen=True)
class RecurrentUNetConfig:
    """How slices are segmented, and how what was seen of some is told to the next."""

    dimensions: ClassVar[Axes] = 3
    width: int = 24
    """Channels of the finest level, doubled on each level up to `widest`."""
    widest: int = 192
    levels: int = 4
    """Number of halvings of rows and columns, of which both must be multiples of 2^levels."""
    norm: Norm = "instance"
    direction: Literal["both", "forward"] = "both"
    """"forward" reads from the first slice to the last, as published; "both" also back again, and joins what either
    way has seen, so that no slice is judged without those after it."""

    def __post_init__(self) -> None:
        if not 1 <= self.levels <= 8:
            raise ConfigError(f"levels must be 1 to 8, got {self.levels}")
        if not 1 <= self.width <= self.widest:
            raise ConfigError(f"width must lie in 1 to widest, got {self.width} and {self.widest}")


class ConvolutionalGRU(nn.Module):
    """A gated recurrent unit whose states are maps: all of its products are convolutions of 3x3.

    z = sigmoid(W_z * [x, h]), r = sigmoid(W_r * [x, h]), c = tanh(W_c * [x, r h]), new h = (1 - z) h + z c.

    Args:
        width: channels of what it reads, and of its state.

    Source:
        Ballas et al. 2016, ICLR, arXiv:1511.06432.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gates = nn.Conv2d(2 * width, 2 * width, 3, padding=1)
        self.candidate = nn.Conv2d(2 * width, width, 3, padding=1)

    def forward(self, maps: Float[Tensor, "batch depth width rows columns"]) -> Tensor:
        """Its state after each slice; before the first it is 0."""
        state = torch.zeros_like(maps[:, 0])
        states = []
        for seen in maps.unbind(dim=1):
            update, reset = self.gates(torch.cat((seen, state), dim=1)).sigmoid().chunk(2, dim=1)
            candidate = self.candidate(torch.cat((seen, reset * state), dim=1)).tanh()
            state = (1 - update) * state + update * candidate
            states.append(state)
        return torch.stack(states, dim=1)


class RecurrentUNet(Network):
    """Each slice passes through one U-Net; between its encoder and its decoder slices learn of their neighbours.

    Args:
        config: widths and direction.
        channels: of the images.
        classes: of the output, background included.
    """

    def __init__(self, config: RecurrentUNetConfig, channels: int, classes: int) -> None:
        super().__init__()
        *encoder, bottleneck = (min(config.width * 2**level, config.widest) for level in range(config.levels + 1))
        shape = UNetShape(
            tuple(encoder), bottleneck, tuple(reversed(encoder)), config.norm, "leaky-relu", up="transposed"
        )
        self.divisor: Divisor = (1, 2**config.levels, 2**config.levels)
        self.planes = UNet(shape, channels, classes)
        self.forwards = ConvolutionalGRU(bottleneck)
        self.backwards = ConvolutionalGRU(bottleneck) if config.direction == "both" else None
        ways = 1 if self.backwards is None else 2
        self.joined = nn.Conv2d((1 + ways) * bottleneck, bottleneck, 1)
        initialise(self)

    def forward(
        self, images: Float[Tensor, "batch channels depth height width"]
    ) -> Float[Tensor, "batch classes depth height width"]:
        """Logits of every class at every voxel.

        Raises:
            InputError: a side is not a multiple of `divisor`.
        """
        check_size(images.shape[2:], self.divisor)
        depth = images.shape[2]
        skips, coarsest = self.planes.encoded(images.transpose(1, 2).flatten(0, 1))
        logits = self.planes.head(self.planes.raised(self._along_the_stack(coarsest, depth), skips)[-1])
        stacked: Tensor = logits.reshape(-1, depth, *logits.shape[1:]).transpose(1, 2)
        return stacked

    def _along_the_stack(self, maps: Tensor, depth: int) -> Tensor:
        """Features of each slice with what the others tell, (batch * depth, width, rows, columns)."""
        stacks = maps.reshape(-1, depth, *maps.shape[1:])
        seen: list[Any] = [stacks, self.forwards(stacks)]
        if self.backwards is not None:
            seen.append(self.backwards(stacks.flip(1)).flip(1))
        joined: Tensor = self.joined(torch.cat(seen, dim=2).flatten(0, 1))
        return joined


def recurrent_unet(config: RecurrentUNetConfig, spec: NetworkSpec) -> RecurrentUNet:
    """A U-Net with a convolutional GRU over the slices at its bottleneck.

    Example:
        >>> network = recurrent_unet(RecurrentUNetConfig(), NetworkSpec(1, 4))
        >>> sum(weights.numel() for weights in network.parameters()), network.divisor
        (6987460, (1, 16, 16))

    Source:
        Poudel et al. 2016, arXiv:1608.03974: a GRU over the slices from base to apex, between the encoder and the
        decoder of a U-Net. Here it may read either way, its states are maps, and what it read is added to the
        features of the slice instead of taking their place.
    """
    return RecurrentUNet(config, spec.channels, spec.classes)
