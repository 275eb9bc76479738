"""Which image of a batch stands where: its partner, and its place in its volume."""

import torch
from jaxtyping import Int
from torch import Tensor

from cardiotrace.learning.augmentation.parameters import Parameters


def partners_of(parameters: Parameters) -> Int[Tensor, " batch"]:
    """Index of each image's partner among the images that the record is for.

    Where the rows of a record are repeated for the planes of volumes, it is the same plane of the other volume. Of a
    part of a batch some partners may be elsewhere: then another image of the part stands in.

    Example:
        >>> from dataclasses import replace
        >>> from cardiotrace.learning.augmentation import identity
        >>> two_volumes = torch.tensor([[0, 1], [1, 0]]).repeat_interleave(3, dim=0)
        >>> partners_of(replace(identity(6), partner=two_volumes)).tolist()
        [3, 4, 5, 0, 1, 2]
    """
    own, other = parameters.partner.unbind(dim=1)
    is_partner = other[:, None] == own
    first = torch.where(is_partner.any(dim=1), is_partner.int().argmax(dim=1), other * _members(parameters) % len(own))
    return first + places_of(parameters)


def places_of(parameters: Parameters) -> Int[Tensor, " batch"]:
    """Which slice of its volume each image is, from 0; 0 where images are planes by themselves."""
    return torch.arange(len(parameters)) % _members(parameters)


def _members(parameters: Parameters) -> int:
    """Planes of each volume: how often each row was repeated since it was drawn."""
    return len(parameters) // max(1, len(set(parameters.partner[:, 0].tolist())))
