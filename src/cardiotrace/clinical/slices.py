"""Whether the slices of a short-axis stack make one ventricle."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int

from cardiotrace.clinical.rule import RULES, flag
from cardiotrace.clinical.traced_stack import TracedStack
from cardiotrace.core.flag import Flag
from cardiotrace.core.terms import Phase, Structure


@dataclass(frozen=True)
class Slices:
    """Sizes of structures in each slice of one frame, in voxels."""

    ventricle: Int[np.ndarray, "depth"]
    myocardium: Int[np.ndarray, "depth"]
    blank: Bool[np.ndarray, "depth"]
    """Slices without an image."""
    base_bordered: float | None = None
    """Share of the ventricle's outline in its most basal slice that has myocardium beside it; None where unknown."""
    is_base_first: bool = True
    """See `TracedStack.is_base_first`."""

    @classmethod
    def of(cls, stack: TracedStack, frame: int) -> "Slices":
        """The sizes in the slices of one frame."""
        ventricle = stack.counts[Structure.LV][frame]
        myocardium = stack.counts[Structure.MYO][frame] if Structure.MYO in stack.counts else np.zeros_like(ventricle)
        shown = np.flatnonzero(ventricle)
        bordered = None
        if len(shown):
            bordered = stack.bordered_share(frame, int(shown[0] if stack.is_base_first else shown[-1]))
        return cls(ventricle, myocardium, stack.blank[frame], bordered, stack.is_base_first)

    @property
    def shown(self) -> Int[np.ndarray, "slices"]:
        """Numbers of the slices that show the left ventricle."""
        return np.flatnonzero(self.ventricle)

    @property
    def open_share(self) -> float:
        """Share of the ventricle in a most basal slice that may be atrium or outflow tract; 0 where none is open.

        Too little of such a slice's outline has myocardium beside it.
        """
        is_told = len(self.shown) >= RULES["few-slices"].low and self.base_bordered is not None
        if not is_told or not RULES["base-open"].breaks(self.base_bordered or 0.0):
            return 0.0
        basal = self.shown[0] if self.is_base_first else self.shown[-1]
        return float(self.ventricle[basal] / self.ventricle.sum())


def ventricle_flags(slices: Mapping[Phase, Slices], view: str) -> list[Flag]:
    """What is odd about the left ventricle's slices at each key frame, and from one to the other.

    Args:
        slices: of each phase that the exam shows.
        view: what a cardiologist calls the view.

    Returns:
        Flags, headed by the view, those of one key frame by its phase as well.
    """
    flags: list[Flag] = []
    for phase, found in slices.items():
        flags.extend(item.of(f"{view} {phase}") for item in _frame_flags(found))
    if len(slices) == 2:
        flags.extend(item.of(view) for item in _change_flags(slices[Phase.ED], slices[Phase.ES]))
    return flags


def _frame_flags(found: Slices) -> list[Flag]:
    """What is odd in one frame; of a single slice nothing can be said."""
    if len(found.ventricle) == 1:
        return []
    few = _few_flags(len(found.shown))
    return [*few, *_gap_flags(found), *_base_flags(found)] if len(found.shown) else few


def _few_flags(count: int) -> list[Flag]:
    if not RULES["few-slices"].breaks(count):
        return []
    words = {0: "no slice shows", 1: "only 1 slice shows"}.get(count, f"only {count} slices show")
    return [flag("few-slices", f"{words} the left ventricle")]


def _gap_flags(found: Slices) -> list[Flag]:
    """Slices that lack the ventricle between others, and slices without an image where it might go on."""
    flags = []
    first, last = int(found.shown[0]), int(found.shown[-1])
    if len(found.shown) != last - first + 1:
        flags.append(flag("slice-missing", "the left ventricle is missing in a slice between base and apex"))
    beside = [index for index in (first - 1, last + 1) if 0 <= index < len(found.ventricle)]
    dark = [index for index in (*beside, *found.shown.tolist()) if found.blank[index]]
    if dark:
        text = f"slice {dark[0]} beside the left ventricle shows no image: a part may be missing"
        flags.append(flag("blank-beside", text))
    return flags


def _base_flags(found: Slices) -> list[Flag]:
    """Whether the most basal slice goes on from the next; of few slices the next may be the apex."""
    if len(found.shown) < RULES["few-slices"].low:
        return []
    sizes = found.ventricle[found.shown]
    basal = sizes if found.is_base_first else sizes[::-1]
    # Against the next slice of the same heart: no area in mm2 would fit small and large ones.
    share = float(basal[0] / basal[1])
    flags = []
    if RULES["base-area"].breaks(share):
        text = f"the most basal slice of the left ventricle is {share:.2g} times as large as the next"
        flags.append(flag("base-area", text))
    if found.base_bordered is not None and RULES["base-open"].breaks(found.base_bordered):
        text = f"only {100 * found.base_bordered:.0f} % of the left ventricle's outline in its most basal slice"
        flags.append(flag("base-open", f"{text} is bordered by myocardium: is it still the ventricle?"))
    return flags


def thirds(count: int) -> Int[np.ndarray, "slices"]:
    """The third of a ventricle that each of so many slices shows, counted from the base: 0, 1 or 2.

    A slice belongs to the third that its middle lies in: ten slices are 3 basal, 4 mid and 3 apical ones, two are a
    basal and an apical one, and one alone is mid.

    Example:
        >>> thirds(4).tolist()
        [0, 1, 1, 2]
    """
    return np.asarray(3 * (2 * np.arange(count) + 1) // (2 * max(count, 1)))


def _change_flags(diastole: Slices, systole: Slices) -> list[Flag]:
    """Whether base and wall do from end-diastole to end-systole what they do in a beating heart."""
    # In slices that both show: as the base descends, the outermost one at end-systole is another cut of the heart.
    both = np.intersect1d(diastole.shown, systole.shown)
    if len(both) < 2 or len(diastole.ventricle) != len(systole.ventricle):
        return []
    is_first = diastole.is_base_first
    flags = _motion_flags(diastole, systole, is_first=is_first)
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


def _motion_flags(diastole: Slices, systole: Slices, *, is_first: bool) -> list[Flag]:
    """Whether the base moves towards the apex, by no more than it does; `is_first`: the base is the first slice."""
    flags = []
    # Counted from the base on, so that towards the apex is positive at either end.
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
    return flags
