"""The network that tells views apart: a few residual stages, and what they find anywhere in the image."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

WIDTHS = (16, 32, 64, 128)


class Stage(nn.Module):
    """Half the size, then a residual convolution.

    Args:
        inputs: channels before.
        outputs: channels after.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.down = _convolution(inputs, outputs, stride=2)
        self.same = _convolution(outputs, outputs, stride=1)

    def forward(self, features: Float[Tensor, "batch inputs rows columns"]) -> Float[Tensor, "batch outputs r c"]:
        """Features of half the size."""
        halved = torch.relu(self.down(features))
        return torch.relu(halved + self.same(halved))


class ViewNetwork(nn.Module):
    """Grey planes (batch, 1, height, width) to logits (batch, classes): class 0 is none of the views.

    Mean and maximum over the whole plane are what the classes are told from, so that a heart may lie anywhere in it.

    Args:
        classes: of the output.
        widths: channels of the first convolution and of each stage.

    Example:
        >>> sum(weight.numel() for weight in ViewNetwork(10).parameters())
        294202
    """

    def __init__(self, classes: int, widths: Sequence[int] = WIDTHS) -> None:
        super().__init__()
        self.first = _convolution(1, widths[0], stride=2, side=5)
        self.stages = nn.Sequential(*(Stage(*pair) for pair in pairwise(widths)))
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(2 * widths[-1], classes)

    def forward(self, images: Float[Tensor, "batch 1 height width"]) -> Float[Tensor, "batch classes"]:
        """Logits of whole planes."""
        features = self.stages(torch.relu(self.first(images)))
        pooled = torch.cat([features.mean(dim=(2, 3)), features.amax(dim=(2, 3))], dim=1)
        logits: Tensor = self.head(self.dropout(pooled))
        return logits


def _convolution(inputs: int, outputs: int, *, stride: int, side: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inputs, outputs, side, stride, side // 2, bias=False), nn.BatchNorm2d(outputs))
