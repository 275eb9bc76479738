"""How well people agree who traced the same exams: outlines by pairs of readers, and what follows from these."""

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float

from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.metrics.agreement import agreement
from cardiotrace.metrics.case import RegionScores, measure_frames, regions_of

_SCORES = ("dice", "hausdorff_mm", "mean_absolute_mm")


@dataclass(frozen=True)
class Reading:
    """One exam as one person traced it."""

    reader: str
    exam: str
    labels: Mapping[str, LabelMap]
    """By name of the image; what they did not trace is empty."""
    values: Mapping[str, float] = field(default_factory=dict)
    """Of quantities by their keys, as far as they follow from the tracing."""


def reader_agreement(readings: Sequence[Reading]) -> list[dict[str, Any]]:
    """Agreement of each pair of readers on the exams that both traced.

    Outlines are compared in frames in which both drew the region: by Dice, Hausdorff distance and mean absolute
    distance, each averaged over the frames of an image first, then over images, so that a long film counts no more
    than a short one. Quantities are compared exam by exam: bias (second reader minus first), limits of agreement,
    ICC(2,1).

    Args:
        readings: of any readers and exams, one each.

    Returns:
        One row for each pair and region (`what` is "outline"), and for each pair and quantity (`what` is "quantity"),
        with the values themselves in `pairs`: exam, first reader's, second reader's.

    Example:
        >>> readings = [Reading(who, exam, {}, {"ef_percent": value}) for who, exam, value in
        ...     [("A", "1", 50.0), ("A", "2", 60.0), ("B", "1", 52.0), ("B", "2", 62.0)]]
        >>> row, = reader_agreement(readings)
        >>> row["first"], row["second"], row["name"], row["bias"], row["exams"]
        ('A', 'B', 'ef_percent', 2.0, 2)

    Source:
        Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198 (readers of CAMUS); Bland and Altman 1986, Lancet 1:307.
    """
    readers = sorted({reading.reader for reading in readings})
    by_reader = {name: {item.exam: item for item in readings if item.reader == name} for name in readers}
    rows: list[dict[str, Any]] = []
    for first, second in itertools.combinations(readers, 2):
        exams = sorted(by_reader[first].keys() & by_reader[second].keys())
        pairs = [(by_reader[first][exam], by_reader[second][exam]) for exam in exams]
        head = {"first": first, "second": second}
        rows.extend({**head, **row} for row in (*_outline_rows(pairs), *_quantity_rows(pairs)))
    return rows


def _outline_rows(pairs: Iterable[tuple[Reading, Reading]]) -> Iterator[dict[str, Any]]:
    by_region: dict[str, list[dict[str, float]]] = {}
    for one, other in pairs:
        for name in sorted(one.labels.keys() & other.labels.keys()):
            for region, scores in _image_scores(other.labels[name], one.labels[name]).items():
                by_region.setdefault(region, []).append(scores)
    for region, images in by_region.items():
        means = {score: _mean(np.array([image[score] for image in images])) for score in _SCORES}
        frames = int(sum(image["frames"] for image in images))
        yield {"what": "outline", "name": region, "images": len(images), "frames": frames, **means}


def _image_scores(predicted: LabelMap, reference: LabelMap) -> dict[str, dict[str, float]]:
    """Mean scores of each region over the frames in which both drew it, and all that it is made of.

    What one left out is no disagreement about its outline; and where nobody drew the wall, the cavity is no ventricle
    with its wall.
    """
    shared = [
        frame for frame in range(len(reference.array)) if predicted.array[frame].any() and reference.array[frame].any()
    ]
    found: dict[str, list[RegionScores]] = {}
    regions = {region.name: region.structures for region in regions_of(reference.scheme)}
    measured = measure_frames(_frames(predicted, shared), _frames(reference, shared)) if shared else []
    for frame, scores in zip(shared, measured, strict=True):
        drawn = _drawn(predicted, frame) & _drawn(reference, frame)
        for region, each in scores.items():
            if drawn.issuperset(regions[region]):
                found.setdefault(region, []).append(each)
    return {
        region: {
            "frames": float(len(each)),
            **{score: _mean(np.array([getattr(item, score) for item in each])) for score in _SCORES},
        }
        for region, each in found.items()
    }


def _drawn(labels: LabelMap, frame: int) -> set[Structure]:
    values = set(np.unique(labels.array[frame]).tolist())
    return {structure for structure, value in labels.scheme.values.items() if value in values}


def _frames(labels: LabelMap, frames: Sequence[int]) -> LabelMap:
    return LabelMap(labels.array[list(frames)], labels.scheme, labels.geometry)


def _quantity_rows(pairs: Sequence[tuple[Reading, Reading]]) -> Iterator[dict[str, Any]]:
    for key in sorted({key for one, other in pairs for key in one.values.keys() & other.values.keys()}):
        both = [(one, other) for one, other in pairs if key in one.values and key in other.values]
        exams, values = [one.exam for one, _ in both], [(one.values[key], other.values[key]) for one, other in both]
        found = agreement([other for _, other in values], [one for one, _ in values])
        yield {
            "what": "quantity",
            "name": key,
            "exams": found.count,
            "bias": found.bias,
            "sd": found.sd,
            "lower_limit": found.lower_limit,
            "upper_limit": found.upper_limit,
            "mean_absolute_error": found.mean_absolute_error,
            "icc": found.intraclass_correlation,
            "pairs": [[exam, *pair] for exam, pair in zip(exams, values, strict=True)],
        }


def _mean(values: Float[np.ndarray, "n"]) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else math.nan
