"""Rules for the slices at the ends of a stack, where a network is least sure what is still ventricle."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int, UInt8

from cardiotrace.core.label import LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.postprocessing.component import groups_of


@dataclass(frozen=True)
class RemoveAlone:
    """Which structures are no more in slices where none of others is."""

    structures: tuple[Structure, ...]
    """What is removed."""
    beside: tuple[Structure, ...]
    """One of these must be in the same slice."""


def remove_alone(
    config: RemoveAlone, labels: UInt8[np.ndarray, "depth height width"], scheme: LabelScheme
) -> UInt8[np.ndarray, "depth height width"]:
    """Remove structures from slices that hold none of the others: right ventricle beyond the base, say.

    Example:
        >>> from cardiotrace.core.label import ACDC
        >>> config = RemoveAlone((Structure.RV,), (Structure.LV, Structure.MYO))
        >>> remove_alone(config, np.array([[[1, 3]], [[1, 0]]], np.uint8), ACDC).tolist()
        [[[1, 3]], [[0, 0]]]
    """
    values = [scheme.value(structure) for structure in config.structures]
    companions = [scheme.value(structure) for structure in config.beside]
    alone = ~np.isin(labels, companions).any(axis=(1, 2))
    return np.where(alone[:, None, None] & np.isin(labels, values), 0, labels).astype(np.uint8)


@dataclass(frozen=True)
class TrimEnds:
    """Which structures are removed from an end slice where little of them is left."""

    structures: tuple[Structure, ...] = ()
    """Empty: every structure of the scheme."""
    share: float = 0.1
    """Smallest area of an end slice as a fraction of that of the slice beside it."""

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share must lie between 0 and 1, got {self.share}")


def trim_ends(
    config: TrimEnds, labels: UInt8[np.ndarray, "depth height width"], scheme: LabelScheme
) -> UInt8[np.ndarray, "depth height width"]:
    """Empty the first and the last slice of each structure for as long as it is a speck beside the next slice.

    Example:
        >>> from cardiotrace.core.label import LV_ONLY
        >>> labels = np.zeros((3, 1, 20), np.uint8)
        >>> labels[0, 0, 0] = labels[1, 0, :] = labels[2, 0, :12] = 1
        >>> trim_ends(TrimEnds(), labels, LV_ONLY).any(axis=(1, 2)).tolist()
        [False, True, True]
    """
    trimmed = labels.copy()
    for (value,) in groups_of(config.structures, scheme, together=False):
        areas = np.count_nonzero(labels == value, axis=(1, 2))
        for index in (*_specks(areas, config.share), *(len(areas) - 1 - i for i in _specks(areas[::-1], config.share))):
            trimmed[index][trimmed[index] == value] = 0
    return trimmed


def _specks(areas: Int[np.ndarray, " depth"], share: float) -> list[int]:
    """Slices to empty from the first one on that holds anything."""
    held = np.flatnonzero(areas)
    specks: list[int] = []
    for here, after in zip(held[:-1].tolist(), held[1:].tolist(), strict=True):
        if areas[here] >= share * areas[after]:
            break
        specks.append(here)
    return specks
