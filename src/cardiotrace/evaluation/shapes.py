"""What a corrector is given to know, and how well it draws shapes again that it has not learned from."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.core.terms import Modality
from cardiotrace.inference.corrector import Corrector, Labels, PixelSize
from cardiotrace.inference.shape_bank import ShapeBank
from cardiotrace.inference.unlikeness import packed
from cardiotrace.metrics import dice

Item = TypeVar("Item")


def valid_shapes(
    corrector: Corrector, cases: Sequence[Case], on_progress: OnProgress | None = None, *, most: int = 400
) -> ShapeBank:
    """The bank of a corrector with the codes of reference planes that pass its criteria.

    Args:
        corrector: whose bank may be empty.
        cases: of the training part; those without a reference or a pixel size tell nothing.
        on_progress: told how many cases are done, of all.
        most: of cases that are looked at, evenly over all, and of planes that are kept.

    Raises:
        InputError: not a single plane is valid.
    """
    codes = []
    for case in counted(_evenly(cases, most), on_progress):
        for plane, pixel_mm in reference_planes(corrector, case):
            if not corrector.failures(plane, pixel_mm, is_upright=is_upright(case)):
                codes.append(corrector.code_of(plane, pixel_mm))
    if not codes:
        raise InputError("no reference of the training part passes the anatomical criteria")
    kept = _evenly(codes, most)
    return replace(corrector.bank, known=packed(np.stack(kept)), count=len(kept))


def _evenly(items: Sequence[Item], most: int) -> list[Item]:
    """At most so many of them, evenly over all."""
    return [items[round(place)] for place in np.linspace(0, len(items) - 1, min(most, len(items)))]


def shape_scores(corrector: Corrector, cases: Sequence[Case], on_progress: OnProgress | None = None) -> dict[str, Any]:
    """Dice of references and what the corrector draws of them, as a model file holds scores.

    Args:
        corrector: what draws.
        cases: that it has not learned from.
        on_progress: told how many cases are done, of all.
    """
    found: dict[str, list[float]] = {str(structure): [] for structure in corrector.scheme.structures}
    for case in counted(cases, on_progress):
        for plane, pixel_mm in reference_planes(corrector, case):
            (drawn,) = corrector.redrawn([plane], pixel_mm)
            for structure, values in found.items():
                value = corrector.spec.scheme.values[structure]
                if (plane == value).any():
                    values.append(dice(drawn == value, plane == value))
    return {"regions": {name: {"all": _told(values)} for name, values in found.items() if values}}


def reference_planes(corrector: Corrector, case: Case) -> Iterator[tuple[Labels, PixelSize]]:
    """The labelled planes of a case's reference in a corrector's scheme, with the size of a pixel."""
    labels = None if case.read_labels is None else case.read_labels().to(corrector.scheme)
    if labels is None or labels.spacing_mm is None:
        return
    for place in np.ndindex(*labels.array.shape[:2]):
        if labels.array[place].any():
            yield labels.array[place], labels.spacing_mm[1:]


def is_upright(case: Case) -> bool:
    """Whether the apex is at the top of a long axis, as in ultrasound."""
    return case.modality is Modality.US


def _told(values: Sequence[float]) -> dict[str, Any]:
    mean = {"mean": round(float(np.mean(values)), 6), "sd": round(float(np.std(values)), 6)}
    return {"dice": mean, "n": len(values), "absent": 0, "false_negative": 0, "false_positive": 0}
