"""From which probability on a pixel counts as the structure."""

from collections.abc import Iterable

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.inference import Predictor
from cardiotrace.metrics import dice_at

THRESHOLDS = np.arange(1, 100) / 100
"""The ones that are tried."""


def best_threshold(predictor: Predictor, cases: Iterable[Case], *, on_progress: OnProgress | None = None) -> float:
    """The threshold of the highest mean Dice over cases, of the pixels that count and before post-processing.

    Args:
        predictor: of a model of a single structure.
        cases: never those that the model is tested on; unlabelled ones are left out.
        on_progress: told after each case.

    Returns:
        One of `THRESHOLDS`; of several that are equally good the middle one.

    Raises:
        InputError: the model has several structures, or no case holds the structure.
        ModelFileError: the network fails.
    """
    if predictor.spec.classes != 2:
        raise InputError(f"model {predictor.spec.name} has several structures: the most probable one wins")
    labelled = [case for case in cases if case.read_labels is not None]
    curves = [_dice_curve(predictor, case) for case in counted(labelled, on_progress)]
    known = [curve for curve in curves if not np.isnan(curve).any()]
    if not known:
        raise InputError("no case to choose a threshold on", remedy="give labelled cases that hold the structure.")
    mean = np.mean(known, axis=0)
    # The middle of a plateau is farthest from where Dice falls, which on other images lies elsewhere.
    best = np.flatnonzero(np.isclose(mean, mean.max(), rtol=0, atol=1e-12))
    return float(THRESHOLDS[best[len(best) // 2]])


def _dice_curve(predictor: Predictor, case: Case) -> np.ndarray:
    """Dice of one case at each threshold."""
    found = predictor.segment(case.read_image(), keep_probabilities=True)
    if case.read_labels is None or found.probabilities is None:
        raise InputError(f"case {case.name} has no reference labels")
    labels = case.read_labels()
    (structure,) = predictor.spec.label_scheme.structures
    reference = labels.mask(structure)
    inside = np.ones(reference.shape[1:], bool) if case.read_field_of_view is None else case.read_field_of_view()
    return dice_at(THRESHOLDS, found.probabilities[structure][:, inside], reference[:, inside])
