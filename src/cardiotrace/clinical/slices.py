"""Whether the slices of a short-axis stack make one ventricle."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.core.flag import Flag
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase, Structure


@dataclass(frozen=True)
class Slices:
    """Sizes of structures in each slice of one frame, in voxels."""

    ventricle: Int[np.ndarray, "depth"]
    myocardium: Int[np.ndarray, "depth"]
    blank: Bool[np.ndarray, "depth"]
    """Slices without an image."""

    @classmethod
    def of(cls, labels: LabelMap, blank: Bool[np.ndarray, "time depth"], frame: int) -> "Slices":
        """Count one frame of a stack."""

        def count(structure: Structure) -> Int[np.ndarray, "depth"]:
            if structure not in labels.scheme.values:
                return np.zeros(labels.array.shape[1], np.int64)
            return np.asarray(labels.mask(structure)[frame].sum(axis=(1, 2)), np.int64)

        return cls(count(Structure.LV), count(Structure.MYO), blank[frame])

    @property
    def shown(self) -> Int[np.ndarray, "slices"]:
        """Numbers of the slices that show the left ventricle."""
        return np.flatnonzero(self.ventricle)


def ventricle_flags(slices: Mapping[Phase, Slices], view: str) -> list[Flag]:
    """What is odd about the left ventricle's slices at each instant, and from one to the other.

    Args:
        slices: of each instant that the exam shows.
        view: what a cardiologist calls the view.

    Returns:
        Flags, headed by the view, those of one instant by its phase as well.
    """
    flags: list[Flag] = []
    for phase, found in slices.items():
        flags.extend(item.of(f"{view} {phase}") for item in _instant_flags(found))
    if len(slices) == 2:
        flags.extend(item.of(view) for item in _change_flags(slices[Phase.ED], slices[Phase.ES]))
    return flags


def _instant_flags(found: Slices) -> list[Flag]:
    flags: list[Flag] = []
    shown, depth = found.shown, len(found.ventricle)
    if depth == 1:
        return flags
    if RULES["few-slices"].breaks(len(shown)):
        few = f"only {len(shown)} slice{'s' if len(shown) > 1 else ''}" if len(shown) else "no slice"
        flags.append(flag("few-slices", f"{few} show{'' if len(shown) > 1 else 's'} the left ventricle"))
    if not len(shown):
        return flags
    if len(shown) != shown[-1] - shown[0] + 1:
        text = "the left ventricle is missing in a slice between base and apex"
        flags.append(flag("slice-missing", text))
    beside = [index for index in (int(shown[0]) - 1, int(shown[-1]) + 1) if 0 <= index < depth]
    dark = [index for index in (*beside, *shown.tolist()) if found.blank[index]]
    if dark:
        text = f"slice {dark[0]} beside the left ventricle shows no image: a part may be missing"
        flags.append(flag("blank-beside", text))
    if len(shown) >= RULES["few-slices"].low:
        basal = _from_base(found.ventricle, shown)
        share = float(basal[0] / basal[1])
        if RULES["base-area"].breaks(share):
            text = f"the most basal slice of the left ventricle is {share:.1f} times as large as the next"
            flags.append(flag("base-area", text))
    return flags


def _from_base(sizes: Int[np.ndarray, "depth"], shown: Int[np.ndarray, "slices"]) -> Int[np.ndarray, "slices"]:
    """Sizes of the slices that show something, from base to apex: the larger end is the base."""
    return np.asarray(sizes[shown] if _base_is_first(sizes) else sizes[shown][::-1])


def _base_is_first(sizes: Int[np.ndarray, "depth"]) -> bool:
    shown = np.flatnonzero(sizes)
    # Two slices at each end: the basal one alone may be cut small, as an apical one is.
    return bool(sizes[shown[:2]].sum() >= sizes[shown[-2:]].sum())


def _change_flags(diastole: Slices, systole: Slices) -> list[Flag]:
    """Whether base and wall do from end-diastole to end-systole what they do in a beating heart."""
    flags: list[Flag] = []
    both = np.intersect1d(diastole.shown, systole.shown)
    if len(both) < 2 or len(diastole.ventricle) != len(systole.ventricle):
        return flags
    is_first = _base_is_first(diastole.ventricle)
    ends = [found.shown[0] if is_first else -found.shown[-1] for found in (diastole, systole)]
    moved = int(ends[1] - ends[0])
    if RULES["base-jump"].breaks(moved):
        where = "towards the apex" if moved > 0 else "away from the apex"
        text = f"the base of the left ventricle moves {abs(moved)} slices {where} in systole"
        flags.append(flag("base-jump", text))
    more = len(systole.shown) - len(diastole.shown)
    if more > 0:
        text = f"{more} more slices show the left ventricle at end-systole than at end-diastole"
        flags.append(flag("slices-grow", text))
    basal = both[0] if is_first else both[-1]
    growth = float(systole.ventricle[basal] / diastole.ventricle[basal])
    if RULES["base-grows"].breaks(growth):
        text = f"the left ventricle is {growth:.1f} times as large at end-systole in its most basal slice"
        flags.append(flag("base-grows", text))
    walls = (int(diastole.myocardium.sum()), int(systole.myocardium.sum()))
    if all(walls) and RULES["mass-change"].breaks(walls[1] / walls[0]):
        text = f"the myocardium at end-systole is {100 * walls[1] / walls[0]:.0f} % of that at end-diastole"
        flags.append(flag("mass-change", text))
    return flags
