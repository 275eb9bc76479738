"""Keep one piece of each structure."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Bool, UInt8

from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.component import Connectivity, largest_component


@dataclass(frozen=True)
class LargestComponent:
    """Which structures keep only their largest connected piece."""

    structures: tuple[Structure, ...] = ()
    """Empty: every structure of the scheme."""
    together: bool = False
    """Take the pieces of the union of the structures (one heart) instead of each structure by itself."""
    space: Literal["plane", "volume"] = "plane"
    """Look for pieces in each plane, or through the depth of a stack."""
    diagonal: bool = True
    """Whether pixels that touch only at a corner belong to one piece."""


def keep_largest(
    config: LargestComponent, labels: UInt8[np.ndarray, "depth height width"], scheme: LabelScheme
) -> UInt8[np.ndarray, "depth height width"]:
    """Remove from one frame all but the largest piece of each structure.

    A structure that is there stays there: pieces are only removed beside a larger one.

    Example:
        >>> from cardiotrace.core.label import LV_ONLY
        >>> labels = np.array([[[1, 1, 0, 1]]], np.uint8)
        >>> keep_largest(LargestComponent(), labels, LV_ONLY).tolist()
        [[[1, 1, 0, 0]]]
    """
    cleaned = labels.copy()
    for group in groups_of(config.structures, scheme, together=config.together):
        mask = np.isin(labels, group)
        cleaned[mask & ~_largest(mask, config)] = 0
    return cleaned


def groups_of(structures: tuple[Structure, ...], scheme: LabelScheme, *, together: bool) -> list[list[int]]:
    """Label values that a step treats as one object: one list for each structure, or one for all of them.

    Raises:
        InputError: the scheme lacks a structure.
    """
    values = [scheme.value(structure) for structure in structures or scheme.structures]
    return [values] if together else [[value] for value in values]


def _largest(
    mask: Bool[np.ndarray, "depth height width"], config: LargestComponent
) -> Bool[np.ndarray, "depth height width"]:
    connectivity: Connectivity = "full" if config.diagonal else 1
    if config.space == "volume":
        return largest_component(mask, connectivity=connectivity)
    return np.stack([largest_component(plane, connectivity=connectivity) for plane in mask])
