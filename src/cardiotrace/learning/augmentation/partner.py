"""Which image of a batch stands where: its partner, and its place in its volume."""

import torch
from jaxtyping import Int
from torch import Tensor

from cardiotrace.learning.augmentation.parameters import Parameters


def partners_of(parameters: Parameters) -> Int[Tensor, " batch"]:
    """Index of each image's partner among the images that the record is for.

    A record that was drawn for volumes and repeated for their planes means the same plane of the other volume. Of a
    part of a batch some partners may be elsewhere: then another image of the part stands in.

    Example:
        >>> from dataclasses import replace
        >>> from cardiotrace.learning.augmentation import identity
        >>> two_volumes = torch.tensor([[1, 2], [0, 2]]).repeat_interleave(3, dim=0)
        >>> partners_of(replace(identity(6), partner=two_volumes)).tolist()
        [3, 4, 5, 0, 1, 2]
    """
    count = len(parameters)
    members = _members(parameters)
    return (parameters.partner[:, 0] * members + torch.arange(count) % members) % count


def places_of(parameters: Parameters) -> Int[Tensor, " batch"]:
    """Which slice of its volume each image is, from 0; 0 where images are planes by themselves."""
    return torch.arange(len(parameters)) % _members(parameters)


def _members(parameters: Parameters) -> Tensor:
    """Planes of each volume: by how much the record is longer than when it was drawn."""
    return (len(parameters) // parameters.partner[:, 1].clamp(min=1)).clamp(min=1)
