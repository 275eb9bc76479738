"""Banks of known planes and the limits of what is unlike them, fitted on patients that a network had not learned from."""

from collections.abc import Sequence

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.quality import FOLDS, HeldOutFrame, folds_of, require_patients
from cardiotrace.inference.evidence import Rows
from cardiotrace.inference.unlikeness import LOOKS, Bank, Unlikeness, packed, placed, split_rows

AXES = 16
MOST_PLANES = 400
"""In a bank: 17 numbers of two bytes each, so that both banks of a file are below 100 kB as text."""
FALSE_ALARMS = 0.02
"""Share of held-out frames that may be called unlike."""
_LEAST_SCALE = 1e-3


def fit_unlikeness(frames: Sequence[HeldOutFrame]) -> Unlikeness:
    """The banks, and limits that hold for patients outside them.

    Each look may call half of the false alarms; what is chosen is the distance that so many frames exceed when compared
    with the planes of other patients alone.

    Args:
        frames: of one network with features, see `held_out_frames`.

    Raises:
        InputError: too few patients, or the network hands out no features.
    """
    require_patients(frame.patient for frame in frames)
    if any(not frame.evidence.rows.size for frame in frames):
        raise InputError(
            "the network hands out no features",
            remedy="export it again, or add them with `learning.features.with_features`.",
        )
    by_look = {look: [split_rows(frame.evidence.rows)[look] for frame in frames] for look in LOOKS}
    patients = [frame.patient for frame in frames]
    banks = {look: _limited(rows, patients) for look, rows in by_look.items()}
    return Unlikeness(banks, FALSE_ALARMS, len(frames), len(set(patients)))


def held_out_distances(rows: Sequence[Rows], patients: Sequence[str]) -> np.ndarray:
    """Distance of each frame to the planes of patients of other folds."""
    folds, distances = folds_of(patients), np.zeros(len(rows))
    for fold in range(FOLDS):
        bank = bank_of([rows[index] for index in np.flatnonzero(folds != fold)])
        outside = np.flatnonzero(folds == fold)
        distances[outside] = [bank.distance(rows[index]) for index in outside]
    return distances


def _limited(rows: Sequence[Rows], patients: Sequence[str]) -> Bank:
    distances = held_out_distances(rows, patients)
    limit = float(np.quantile(distances, 1 - FALSE_ALARMS / len(LOOKS)))
    return bank_of(rows, limit=round(limit, 5))


def bank_of(frames: Sequence[Rows], *, limit: float = 1.0) -> Bank:
    """A bank of frames' planes; of more than `MOST_PLANES` some of each frame."""
    rows = np.concatenate(frames).astype(np.float64)
    if len(rows) > MOST_PLANES:
        rows = rows[np.linspace(0, len(rows) - 1, MOST_PLANES).round().astype(int)]
    centre, scale = rows.mean(axis=0), np.maximum(rows.std(axis=0), _LEAST_SCALE)
    standard = (rows - centre) / scale
    _, lengths, axes = np.linalg.svd(standard, full_matrices=False)
    count = min(AXES, len(rows) - 1, rows.shape[1] - 1)
    turn, lengths = axes[:count].T, np.maximum(lengths[:count] / np.sqrt(len(rows)), _LEAST_SCALE)
    off = max(float(np.sqrt(np.mean((standard - standard @ turn @ turn.T) ** 2))), _LEAST_SCALE)
    planes = placed(standard, turn, lengths[None], off)
    return Bank(
        columns=rows.shape[1],
        axes=count,
        centre=packed(centre),
        scale=packed(scale),
        turn=packed(np.vstack([turn, lengths[None]])),
        planes=packed(planes),
        off=round(off, 6),
        limit=limit,
    )
