"""Scores of whole films: how a structure's size runs over the beat, and where its instants lie.

A score of single frames does not tell whether a beat is traced as one: labels that tremble from frame to frame may lie
as close to the reference as steady ones, but their curve has other turning points.
"""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.beats.gating import is_one_beat
from cardiotrace.clinical.beats.search import Found, SizeCurve, find_turns
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Structure
from cardiotrace.evaluation.case_table import BeatRow, CaseRow
from cardiotrace.evaluation.score import CasePrediction, common_regions
from cardiotrace.metrics import Region, agreement
from cardiotrace.metrics.overlap import Presence

Sizes = Float[np.ndarray, " frames"]
Instants = tuple[int, int]
"""Frames of an end-diastole and the end-systole that belongs to it, counted from zero."""


def score_beat(prediction: CasePrediction, rows: Iterable[CaseRow]) -> list[BeatRow]:
    """One row for each region of a film; none where the reference is a single frame.

    Args:
        prediction: predicted and reference labels on one grid.
        rows: what `score_case` says of its frames.

    Raises:
        InputError: no structure is in both.
    """
    if len(prediction.reference.array) == 1:
        return []
    found = list(rows)
    regions = common_regions(prediction)
    return [_row(prediction, region, [row for row in found if row.region == region.name]) for region in regions]


def sizes_of(labels: LabelMap, region: Region) -> Sizes:
    """Pixels of a region in each frame, voxels of a stack: what its area or volume is proportional to."""
    return np.array([region.mask(frame, labels.scheme).sum() for frame in labels.array], np.float64)


def curve_error_percent(predicted: Sizes, reference: Sizes) -> float:
    """Root mean square of the differences of two curves, in percent of the reference's largest value.

    NaN where the reference is empty.

    Example:
        >>> curve_error_percent(np.array([90.0, 60.0]), np.array([100.0, 60.0]))
        7.07...
    """
    largest = float(reference.max(initial=0.0))
    return 100 * float(np.sqrt(np.mean((predicted - reference) ** 2))) / largest if largest > 0 else math.nan


def instant_errors(predicted: Sizes, reference: Sizes, *, is_round: bool = False) -> tuple[float, float]:
    """By how many frames the end-diastole and the end-systole of one curve come after those of another.

    Both are found as in an exam that names neither, see `find_turns`. Of several beats the reference's first one
    counts, and the predicted one whose end-systole is nearest to it.

    Args:
        predicted: sizes of the left ventricle in each frame.
        reference: the same of the reference.
        is_round: whether the first frame follows the last one: an error is then at most half of the film.

    Returns:
        Frames, negative where the predicted instant comes first; NaN where a curve is empty.

    Example:
        >>> beat = 100 + 40 * np.cos(np.arange(20) * 2 * np.pi / 20)
        >>> instant_errors(np.roll(beat, 1), beat, is_round=True)
        (1.0, 1.0)
    """
    if not predicted.any() or not reference.any():
        return math.nan, math.nan
    (mine, *_), theirs = _instants(reference, is_round), _instants(predicted, is_round)
    found = min(theirs, key=lambda pair: abs(pair[1] - mine[1]))
    diastole, systole = (_apart(found[at] - mine[at], len(reference) if is_round else None) for at in (0, 1))
    return diastole, systole


def _apart(frames: int, around: int | None) -> float:
    return float(frames if around is None else (frames + around // 2) % around - around // 2)


def _instants(sizes: Sizes, is_round: bool) -> Sequence[Instants]:
    found: Found = find_turns(SizeCurve(sizes, np.zeros(len(sizes), bool), is_round=is_round))
    turns = [(turn.end_diastole, turn.end_systole) for turn in found.turns]
    return turns or [found.pair or (int(sizes.argmax()), int(sizes.argmin()))]


def _row(prediction: CasePrediction, region: Region, rows: Sequence[CaseRow]) -> BeatRow:
    case = prediction.case
    predicted, reference = (sizes_of(labels, region) for labels in (prediction.predicted, prediction.reference))
    is_ventricle = region.structures == (Structure.LV,)
    errors = (math.nan, math.nan)
    if is_ventricle:
        errors = instant_errors(predicted, reference, is_round=_is_round(prediction.reference, case.modality))
    dice = {row.frame: row.score("dice") for row in rows if row.presence is not Presence.ABSENT}
    worst = min(dice, key=dice.__getitem__, default=None)
    return BeatRow(
        case=case.name,
        patient=case.patient,
        view=case.view,
        region=region.name,
        frames=len(reference),
        dice=float(np.mean(list(dice.values()))) if dice else math.nan,
        worst_dice=math.nan if worst is None else dice[worst],
        worst_frame=worst,
        curve_error_percent=curve_error_percent(predicted, reference),
        curve_correlation=agreement(predicted, reference).correlation,
        end_diastole_off_frames=errors[0],
        end_systole_off_frames=errors[1],
    )


def _is_round(labels: LabelMap, modality: Modality) -> bool:
    nothing = np.broadcast_to(np.uint8(0), labels.array.shape)
    return is_one_beat(Image(nothing, labels.geometry, modality=modality))


@dataclass(frozen=True)
class BeatSummary:
    """Scores of one region over many films."""

    region: str
    films: int
    spreads: Mapping[str, tuple[float, float]]
    """Of each of `BEAT_SCORES` mean and standard deviation, NaN where they cannot be had; of instants the distance."""


def summarise_beats(rows: Sequence[BeatRow]) -> Iterator[BeatSummary]:
    """Mean and spread of the scores of films, region by region."""
    for region in dict.fromkeys(row.region for row in rows):
        own = [row for row in rows if row.region == region]
        values = {name: [getattr(row, name) for row in own] for name in BEAT_SCORES}
        for name in ("end_diastole_off_frames", "end_systole_off_frames"):
            values[name] = [abs(value) for value in values[name]]
        yield BeatSummary(region, len(own), {name: _spread(found) for name, found in values.items()})


BEAT_SCORES = (
    *("dice", "worst_dice", "curve_error_percent", "curve_correlation"),
    *("end_diastole_off_frames", "end_systole_off_frames"),
)
"""What a film's row holds of numbers."""


def _spread(values: Sequence[float]) -> tuple[float, float]:
    known = [value for value in values if math.isfinite(value)]
    mean = float(np.mean(known)) if known else math.nan
    return mean, float(np.std(known, ddof=1)) if len(known) > 1 else math.nan
