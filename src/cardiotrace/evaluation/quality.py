"""Expected Dice, fitted on frames of patients that a network had not learned from, and how well it does on others."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.geometry.alignment import aligned
from cardiotrace.inference import Predictor
from cardiotrace.inference.evidence import Evidence
from cardiotrace.inference.quality import OFFSET, SIGNS, QualityModel, quality_signs

FOLDS = 5
FEWEST_PATIENTS = 10
"""Of fewer, folds would say nothing of others."""
FLAGGED = 0.05
"""Share of held-out frames whose expected Dice lies below the limit of the flag."""
_RIDGE = 10.0
_ROUNDS, _LEAST = 30, 0.05
"""Of the reweighting that makes squares absolute values, and the residual below which none counts more."""


@dataclass(frozen=True)
class HeldOutFrame:
    """One frame of a patient that the network had not learned from."""

    name: str
    patient: str
    evidence: Evidence
    dice: Mapping[str, float]
    """With the reference, by structure; none of what neither holds."""


def held_out_frames(
    predictor: Predictor, cases: Iterable[Case], *, on_progress: OnProgress | None = None
) -> list[HeldOutFrame]:
    """What a network says of frames that it had not learned from, and how right it was.

    Args:
        predictor: the network, under the description that it is to be used with.
        cases: of patients that it had not learned from; unlabelled ones are left out.
        on_progress: told after each case.

    Raises:
        InputError: an image or its labels cannot be read.
        ModelFileError: the network fails.
    """
    labelled = [case for case in cases if case.read_labels is not None]
    return [frame for case in counted(labelled, on_progress) for frame in _frames(predictor, case)]


def _frames(predictor: Predictor, case: Case) -> Iterable[HeldOutFrame]:
    if case.read_labels is None:
        return
    found, reference = predictor.segment(case.read_image(), keep_evidence=True), case.read_labels()
    predicted = aligned(found.labels, reference.grid)
    shared = [name for name in predicted.scheme.structures if name in reference.scheme.values]
    masks = {name: (predicted.mask(name), reference.mask(name)) for name in shared}
    for frame, evidence in enumerate(found.evidence):
        if evidence is None or not reference.array[frame].any():
            continue
        pairs = {name: (one[frame], other[frame]) for name, (one, other) in masks.items()}
        dice = {
            str(name): 2 * float((one & other).sum()) / total
            for name, (one, other) in pairs.items()
            if (total := int(one.sum()) + int(other.sum()))
        }
        yield HeldOutFrame(f"{case.name} {frame}", case.patient, evidence, dice)


def fit_quality(frames: Sequence[HeldOutFrame], structures: Sequence[str]) -> dict[str, QualityModel]:
    """The models of expected Dice, each with its error and limit as found on patients that it was not fitted on.

    Least absolute deviations with a ridge, of the logarithm of what is missing to a Dice of 1.

    Args:
        frames: see `held_out_frames`; of several networks of one recipe, each on its own test patients, all together.
        structures: of the model's scheme, in order.

    Raises:
        InputError: fewer than `FEWEST_PATIENTS` patients.
    """
    require_patients(frame.patient for frame in frames)
    found = {}
    for index, name in enumerate(structures):
        table = _table(frames, index, name)
        if len({patient for patient, _, _ in table}) >= FEWEST_PATIENTS:
            found[str(name)] = _fitted_with_error(table)
    return found


def out_of_fold(frames: Sequence[HeldOutFrame], structures: Sequence[str]) -> dict[str, Float[np.ndarray, "frames 2"]]:
    """By structure, the expected and the true Dice of each frame, expected by a model of other patients."""
    tables = {name: _table(frames, index, name) for index, name in enumerate(structures)}
    return {str(name): np.column_stack(_both(table)) for name, table in tables.items() if table}


def require_patients(patients: Iterable[str]) -> None:
    """Refuse to calibrate on too few patients.

    Raises:
        InputError: there are fewer than `FEWEST_PATIENTS`.
    """
    count = len(set(patients))
    if count < FEWEST_PATIENTS:
        raise InputError(
            f"{count} patients are too few to calibrate on",
            remedy=f"give at least {FEWEST_PATIENTS} that the model has not learned from.",
        )


def folds_of(patients: Sequence[str]) -> Int[np.ndarray, "frames"]:
    """The fold of each frame's patient, the same at every call."""
    names = sorted(set(patients))
    order = np.random.default_rng(0).permutation(len(names))
    fold = {names[index]: at % FOLDS for at, index in enumerate(order)}
    return np.array([fold[name] for name in patients])


_Sample = tuple[str, Float[np.ndarray, "signs"], float]
"""Patient, signs, and true Dice."""


def _table(frames: Sequence[HeldOutFrame], index: int, name: str) -> list[_Sample]:
    """Frames in which the network saw the structure, and which tell how right it was."""
    rows = [(item.patient, quality_signs(item.evidence.sums)[index], item.dice) for item in frames]
    return [(patient, signs, dice[name]) for patient, signs, dice in rows if name in dice and np.isfinite(signs).all()]


def _fitted_with_error(table: Sequence[_Sample]) -> QualityModel:
    expected, true = _both(table)
    lowest = float(np.quantile(expected, FLAGGED))
    error = float(np.abs(expected - true).mean())
    return _fitted(table, lowest=round(lowest, 4), error=round(error, 4))


def _both(table: Sequence[_Sample]) -> tuple[Float[np.ndarray, "frames"], Float[np.ndarray, "frames"]]:
    """Expected out of fold, and true."""
    folds = folds_of([patient for patient, _, _ in table])
    expected = np.zeros(len(table))
    for fold in range(FOLDS):
        outside = np.flatnonzero(folds == fold).tolist()
        model = _fitted([row for row, own in zip(table, folds, strict=True) if own != fold])
        expected[outside] = [model.expected(table[index][1]) for index in outside]
    return expected, np.array([dice for _, _, dice in table])


def _fitted(table: Sequence[_Sample], *, lowest: float = 0.0, error: float = 0.0) -> QualityModel:
    signs, dice = np.array([row[1] for row in table]), np.array([row[2] for row in table])
    mean, deviation = signs.mean(axis=0), signs.std(axis=0) + 1e-6
    design = np.column_stack([np.ones(len(table)), (signs - mean) / deviation])
    missing = np.log(1 - dice + OFFSET)
    ridge = _RIDGE * np.diag([0.0] + [1.0] * len(SIGNS))
    weights, found = np.ones(len(table)), np.zeros(len(SIGNS) + 1)
    for _ in range(_ROUNDS):
        weighted = design * weights[:, None]
        found = np.linalg.solve(weighted.T @ design + ridge, weighted.T @ missing)
        weights = 1 / np.maximum(np.abs(missing - design @ found), _LEAST)
        weights /= weights.mean()
    rows = np.column_stack([mean, deviation, found[1:]]).round(6).tolist()
    by_sign = {name: (row[0], row[1], row[2]) for name, row in zip(SIGNS, rows, strict=True)}
    return QualityModel(round(float(found[0]), 6), by_sign, lowest, FLAGGED, error, len(table))
