"""Windows of samples: a part of each is learned from, augmented with its true surroundings."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int64
from torch import Tensor

from cardiotrace.core.errors import InputError
from cardiotrace.learning.augmentation import Parameters

Shape = tuple[int, ...]
"""Height and width, after the depth where samples are volumes."""


@dataclass(frozen=True)
class Windows:
    """One rectangle, or box, per sample, all of one size.

    Args:
        first: (row, column) of each rectangle's first pixel, after the slice where it is a box.
        shape: sides in the same order.
    """

    first: Int64[Tensor, "batch axes"]
    shape: Shape


def draw_windows(count: int, samples: Shape, shape: Shape, generator: torch.Generator) -> Windows:
    """Windows anywhere in samples, each place as likely as any other.

    Args:
        count: number of windows.
        samples: sides of the samples.
        shape: sides of the windows.
        generator: on the CPU.

    Raises:
        InputError: a window is larger than a sample, or has other axes.

    Example:
        >>> windows = draw_windows(100, (4, 6), (4, 5), torch.Generator().manual_seed(0))
        >>> windows.first.amax(0).tolist()
        [0, 1]
    """
    if len(shape) != len(samples) or any(side > whole for side, whole in zip(shape, samples, strict=True)):
        window, sample = ("x".join(map(str, sides)) for sides in (shape, samples))
        raise InputError(
            f"a crop of {window} does not fit into prepared images of {sample}",
            remedy="set training.crop to a smaller size, or leave it out.",
        )
    sides = zip(samples, shape, strict=True)
    firsts = [torch.randint(whole - side + 1, (count,), generator=generator) for whole, side in sides]
    return Windows(torch.stack(firsts, dim=1), shape)


def draw_boxes(slices: Sequence[int], samples: Shape, shape: Shape, generator: torch.Generator) -> Windows:
    """Windows anywhere in volumes, with as many slices of a volume's own stack as it has.

    Args:
        slices: how many each volume has of its own: those that fill it up come after them.
        samples: sides of the volumes, that fill included.
        shape: sides of the windows.
        generator: on the CPU.

    Raises:
        InputError: a window is larger than a volume, or has other axes.

    Example:
        >>> windows = draw_boxes([3, 6] * 50, (8, 4, 6), (4, 4, 5), torch.Generator().manual_seed(0))
        >>> windows.first[::2].amax(0).tolist(), windows.first[1::2].amax(0).tolist()
        ([0, 0, 1], [2, 0, 1])
    """
    windows = draw_windows(len(slices), samples, shape, generator)
    room = (torch.tensor(slices) - shape[0]).clamp(min=0)
    first = torch.floor(torch.rand(len(slices), generator=generator) * (room + 1)).long().minimum(room)
    return Windows(torch.cat([first.unsqueeze(1), windows.first[:, 1:]], dim=1), shape)


def around(pixel: Int64[Tensor, " axes"], sample: Shape, shape: Shape) -> Int64[Tensor, " axes"]:
    """First pixel of the window whose middle is a given pixel, or lies as near to it as the sample's edges allow.

    Example:
        >>> around(torch.tensor([5, 9]), (10, 10), (4, 4)).tolist()
        [3, 6]
    """
    last = torch.tensor([whole - side for whole, side in zip(sample, shape, strict=True)])
    return (pixel - torch.tensor(shape) // 2).clamp(min=0).minimum(last)


def surroundings(windows: Windows, plane: Shape, parameters: Parameters) -> tuple[Windows, Parameters]:
    """The part of each plane that its augmented window looks at, and the same change seen from that part.

    Args:
        windows: what the network is to see, before augmentation.
        plane: height and width of the planes.
        parameters: changes of the windows.

    Returns:
        Larger windows inside the planes, and parameters that make the augmented windows, at their own size, of them.
        Only what lies beyond the plane itself is missing.
    """
    low, high = _looked_at(windows, parameters)
    limits = torch.tensor(plane)
    size = torch.minimum((high - low).amax(dim=0), limits)
    first = torch.minimum(low.clamp(min=0), limits - size)
    # Coordinates are (x, y) from -1 to 1 between edges, windows (row, column) in pixels.
    side, own = size.flip(0).double(), torch.tensor(windows.shape[::-1], dtype=torch.float64)
    before = (windows.first - first).flip(1).double()
    factor = (own / side)[:, None]
    seen = parameters.to_source.double() * factor
    seen[:, :, 2] += (2 * before + own) / side - 1
    larger = Windows(first, (int(size[0]), int(size[1])))
    return larger, dataclasses.replace(parameters, to_source=seen.float())


def _looked_at(windows: Windows, parameters: Parameters) -> tuple[Tensor, Tensor]:
    """First pixel and one past the last, (batch, 2) of (row, column), that the augmented windows may need."""
    linear, offset = parameters.to_source[:, :, :2].double(), parameters.to_source[:, :, 2].double()
    furthest = torch.ones(len(parameters), 2, dtype=torch.float64)
    if parameters.displacement.numel():
        furthest += parameters.displacement.double().abs().flatten(2).amax(dim=2)
    extent = (linear.abs() * furthest.unsqueeze(1)).sum(dim=2)
    half = torch.tensor(windows.shape) / 2
    # One pixel more on each side: linear interpolation reads the neighbours.
    low = windows.first + torch.floor((offset - extent + 1).flip(1) * half - 1).long()
    high = windows.first + torch.ceil((offset + extent + 1).flip(1) * half + 1).long()
    return low, high
