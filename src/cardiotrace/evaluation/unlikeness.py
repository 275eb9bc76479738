"""A bank of known planes, and the limit of what is unlike them, of patients that a network had not learned from."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError
from cardiotrace.evaluation.quality import FOLDS, HeldOutFrame, folds_of, require_patients
from cardiotrace.inference.evidence import Rows
from cardiotrace.inference.unlikeness import Unlikeness, packed, placed

AXES = 16
MOST_PLANES = 600
"""In a bank: 17 numbers of two bytes each, 27 kB as text."""
FALSE_ALARMS = 0.02
"""Share of held-out frames that may be called unlike."""
MARGIN = 1.2
"""On the distance that `FALSE_ALARMS` of them exceed: they are few and of one source; of 41 training images of CAMUS
5 lay up to that far beyond what its validation list exceeds. What must be told lies at 1.7 times and farther."""
_LEAST_SCALE = 1e-3


def fit_unlikeness(frames: Sequence[HeldOutFrame], known: Sequence[Rows] = ()) -> Unlikeness:
    """The bank, and a limit that holds for patients outside it.

    The limit lies beyond what `FALSE_ALARMS` of the frames exceed when each is compared with the planes of patients of
    other folds alone.

    Args:
        frames: of one network with features, see `held_out_frames`.
        known: of further frames for the bank, which the network may have learned from: a bank of few patients takes
            many a usual one for unlike. No limit rests on them.

    Raises:
        InputError: too few patients, or the network hands out no features.
    """
    patients, rows = [frame.patient for frame in frames], [frame.evidence.rows for frame in frames]
    require_patients(patients)
    if not all(each.size for each in rows):
        raise InputError(
            "the network hands out no features",
            remedy="export it again, or add them with `learning.features.with_features`.",
        )
    limit = limit_of(held_out_distances(rows, patients, known))
    return replace(bank_of([*rows, *known]), limit=round(limit, 5), frames=len(frames), patients=len(set(patients)))


def held_out_distances(
    rows: Sequence[Rows], patients: Sequence[str], known: Sequence[Rows] = ()
) -> Float[np.ndarray, "frames"]:
    """Distance of each frame to the known planes and to those of patients of other folds."""
    folds, distances = folds_of(patients), np.zeros(len(rows))
    for fold in range(FOLDS):
        bank = bank_of([*known, *(each for each, own in zip(rows, folds, strict=True) if own != fold)])
        outside = np.flatnonzero(folds == fold).tolist()
        distances[outside] = [bank.distance(rows[index]) for index in outside]
    return distances


def limit_of(distances: Float[np.ndarray, "frames"]) -> float:
    """The limit that follows from the distances of held-out frames."""
    return MARGIN * float(np.quantile(distances, 1 - FALSE_ALARMS))


def bank_of(frames: Sequence[Rows]) -> Unlikeness:
    """A bank of frames' planes, with a limit of 1; of more than `MOST_PLANES` some of each frame."""
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
    return Unlikeness(
        columns=rows.shape[1],
        axes=count,
        centre=packed(centre),
        scale=packed(scale),
        turn=packed(np.vstack([turn, lengths[None]])),
        planes=packed(planes),
        off=round(off, 6),
        limit=1.0,
        false_alarms=FALSE_ALARMS,
        frames=len(frames),
        patients=0,
    )
