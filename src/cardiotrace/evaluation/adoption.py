"""Which post-processing steps are worth having: those that labels of held-out patients speak for."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from cardiotrace.core.catalog import Choice
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Structure
from cardiotrace.metrics import Region, measure_frames
from cardiotrace.postprocessing import Postprocessing

DICE_GAIN = 0.0005
"""Mean Dice by which a step must better a structure."""
HAUSDORFF_GAIN_MM = 0.2
"""Or mean Hausdorff distance, where Dice does not fall."""
_NO_WORSE = 1e-5


@dataclass(frozen=True)
class HeldOut:
    """A frame's labels from a model that has not seen its patient, and the reference."""

    case: str
    predicted: LabelMap
    """As the network gave them: nothing post-processed."""
    reference: LabelMap


@dataclass(frozen=True)
class Trial:
    """What a step did to one structure of all held-out labels."""

    step: Choice
    structure: Structure
    """Whose scores these are."""
    dice: tuple[float, float]
    """Mean over cases before and after the step."""
    hausdorff_mm: tuple[float, float]
    """Mean over the cases in which both hold the structure before and after."""
    cases: int
    changed: int
    """Cases of which any pixel changed."""
    harmed: tuple[Structure, ...] = ()
    """Other structures whose Dice falls, as a step may hand pixels to a neighbour; looked at where the step helps."""

    @property
    def dice_gain(self) -> float:
        """Above 0 where the step helps."""
        return self.dice[1] - self.dice[0]

    @property
    def hausdorff_gain_mm(self) -> float:
        """Above 0 where the step helps."""
        return self.hausdorff_mm[0] - self.hausdorff_mm[1]

    @property
    def is_adopted(self) -> bool:
        """Whether the step helps: no Dice falls, and one of the structure's two scores is clearly better."""
        if not self.changed or self.harmed or self.dice_gain < -_NO_WORSE:
            return False
        return self.dice_gain >= DICE_GAIN or self.hausdorff_gain_mm >= HAUSDORFF_GAIN_MM


@dataclass(frozen=True)
class Adoption:
    """The steps that help, in order, and every trial that said so or did not."""

    postprocessing: Postprocessing
    trials: tuple[Trial, ...]


def candidate_steps(scheme: LabelScheme) -> Iterator[tuple[Choice, Structure]]:
    """Steps to try in this order, each with the structure that it changes.

    Components first, since what lies far off spoils everything after it; then the ends of stacks, holes, outlines.
    """
    for structure in scheme.structures:
        only = {"structures": [str(structure)]}
        yield Choice("largest-component", {**only, "space": "volume"}), structure
        yield Choice("largest-component", {**only, "space": "plane"}), structure
    if Structure.RV in scheme.structures and Structure.LV in scheme.structures:
        beside = [str(name) for name in (Structure.LV, Structure.MYO) if name in scheme.structures]
        yield Choice("remove-alone", {"structures": [str(Structure.RV)], "beside": beside}), Structure.RV
    for structure in scheme.structures:
        yield Choice("trim-ends", {"structures": [str(structure)], "share": 0.1}), structure
    for structure in scheme.structures:
        yield Choice("fill-holes", {"structures": [str(structure)]}), structure
        yield Choice("smooth", {"structures": [str(structure)], "radius": 1}), structure


def adopt(held_out: Iterable[HeldOut], scheme: LabelScheme) -> Adoption:
    """Try each candidate on what the ones adopted before have left, structure by structure, and keep what helps.

    A trial is judged by the structure that its step names, and must not cost another one. All cases count alike; where
    the reference and the prediction both lack the structure a case does not count, where one of them has it Dice is 0.

    Args:
        held_out: of every patient the labels of a model that has not learned from them.
        scheme: of the predictions.
    """
    current = list(held_out)
    scores = {name: _scores(current, name) for name in scheme.structures}
    adopted: list[Choice] = []
    trials: list[Trial] = []
    for step, structure in candidate_steps(scheme):
        after = [_stepped(item, step) for item in current]
        changed = sum(a.predicted is not b.predicted for a, b in zip(after, current, strict=True))
        trial = _trial(step, structure, scores[structure], _scores(after, structure), changed)
        if trial.is_adopted:
            found = {name: _scores(after, name) for name in scheme.structures}
            trial = replace(trial, harmed=_harmed(scores, found))
        trials.append(trial)
        if trial.is_adopted:
            adopted.append(step)
            current, scores = after, found
    return Adoption(Postprocessing(adopted), tuple(trials))


def _stepped(item: HeldOut, step: Choice) -> HeldOut:
    after = Postprocessing([step]).apply(item.predicted).labels
    same = np.array_equal(after.array, item.predicted.array)
    return item if same else HeldOut(item.case, after, item.reference)


_Scores = Sequence[tuple[float, float]]
"""Dice and Hausdorff distance, mm, of each frame; NaN where there is none."""


def _scores(items: Sequence[HeldOut], structure: Structure) -> _Scores:
    return [scores for item in items for scores in _frame_scores(item, Region(str(structure), (structure,)))]


def _frame_scores(item: HeldOut, region: Region) -> Iterator[tuple[float, float]]:
    """Of each frame; a reference that does not tell of the structure says nothing about it."""
    if not item.reference.scheme.values.keys() >= set(region.structures):
        yield from [(math.nan, math.nan)] * len(item.reference.array)
        return
    for frame in measure_frames(item.predicted, item.reference, (region,)):
        yield frame[region.name].dice, frame[region.name].hausdorff_mm


def _trial(step: Choice, structure: Structure, before: _Scores, after: _Scores, changed: int) -> Trial:
    dice = _dice_pairs(before, after)
    distances = [
        (a[1], b[1]) for a, b in zip(before, after, strict=True) if math.isfinite(a[1]) and math.isfinite(b[1])
    ]
    return Trial(step, structure, _means(dice), _means(distances), len(dice), changed)


def _dice_pairs(before: _Scores, after: _Scores) -> list[tuple[float, float]]:
    """Dice before and after of the cases that have both."""
    pairs = [(a[0], b[0]) for a, b in zip(before, after, strict=True)]
    return [pair for pair in pairs if not any(map(math.isnan, pair))]


def _harmed(before: Mapping[Structure, _Scores], after: Mapping[Structure, _Scores]) -> tuple[Structure, ...]:
    """Structures whose mean Dice falls."""
    means = {name: _means(_dice_pairs(found, after[name])) for name, found in before.items()}
    return tuple(name for name, (first, last) in means.items() if last - first < -_NO_WORSE)


def _means(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    if not pairs:
        return math.nan, math.nan
    before, after = np.asarray(pairs).mean(axis=0).tolist()
    return before, after
