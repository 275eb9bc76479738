"""What models said of an exam, kept on disk beside the labels, for whoever measures it again after an edit."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.geometry.resample import AxisMap
from cardiotrace.geometry.soft_mask import SoftMask
from cardiotrace.inference.segmentation import Segmentation
from cardiotrace.inference.spec import spec_from_plain, spec_to_plain
from cardiotrace.workflows.services.tracing import Tracing, TracingModel

TRACING, ARRAYS = "tracing.json", "tracing.npz"
_VERSION = 1
_PER_STRUCTURE = ("removed", "added", "expected_dice")


def write_tracing(tracing: Tracing, folder: Path) -> None:
    """Write all that measuring again needs of a tracing but for its images and labels.

    Args:
        tracing: of an exam.
        folder: where to; it holds no such files yet.
    """
    arrays: dict[str, NDArray[Any]] = {}
    images = {}
    for number, (name, found) in enumerate(tracing.segmentations.items()):
        arrays.update(_arrays(f"{number}.", found))
        images[name] = {
            "number": number,
            "model": found.model,
            "duration_s": found.duration_s,
            "warnings": [flag.to_plain() for flag in found.warnings],
            "soft": [_place_of(soft) for soft in found.soft],
        }
    models = [{"spec": spec_to_plain(model.spec), "sha256": model.sha256} for model in tracing.models]
    plain = {"version": _VERSION, "with_variants": tracing.with_variants, "models": models, "images": images}
    with (folder / ARRAYS).open("xb") as file:
        np.savez(file, allow_pickle=False, **arrays)
    (folder / TRACING).write_text(json.dumps(plain, allow_nan=False))


def read_tracing(folder: Path, exam: Exam, labels: Mapping[str, LabelMap]) -> Tracing:
    """What `write_tracing` wrote.

    Args:
        folder: where it lies.
        exam: that was traced.
        labels: by name of the image.

    Raises:
        InputError: it is not there, or was written by another version.
    """
    try:
        plain = json.loads((folder / TRACING).read_text())
        with np.load(folder / ARRAYS, allow_pickle=False) as stored:
            arrays = dict(stored)
        if plain["version"] != _VERSION:
            raise ValueError("another version")
        models = tuple(TracingModel(spec_from_plain(each["spec"]), each["sha256"]) for each in plain["models"])
        segmentations = {
            name: _segmentation(labels[name], facts, arrays)
            for name, facts in plain["images"].items()
            if name in labels
        }
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError("what the models said of the exam cannot be read", remedy="analyse it again.") from error
    return Tracing(exam, segmentations, models, plain["with_variants"])


def _arrays(head: str, found: Segmentation) -> Iterator[tuple[str, NDArray[Any]]]:
    yield f"{head}confidence", found.confidence
    yield f"{head}doubt", found.doubt
    if found.unlikeness is not None:
        yield f"{head}unlikeness", found.unlikeness
    for kind in _PER_STRUCTURE:
        for structure, values in getattr(found, kind).items():
            yield f"{head}{kind}.{structure}", values
    for frame, soft in enumerate(found.soft):
        if soft is not None:
            yield f"{head}soft.{frame}", soft.values


def _place_of(soft: SoftMask | None) -> dict[str, Any] | None:
    return None if soft is None else {"first": list(soft.first), "axes": [asdict(axis) for axis in soft.axes]}


def _segmentation(labels: LabelMap, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Segmentation:
    head = f"{facts['number']}."
    mine = {name.removeprefix(head): values for name, values in arrays.items() if name.startswith(head)}

    def by_structure(kind: str) -> dict[Structure, NDArray[Any]]:
        found = {name: values for name, values in mine.items() if name.startswith(f"{kind}.")}
        return {Structure(name.partition(".")[2]): values for name, values in found.items()}

    soft = [None if place is None else _soft(mine[f"soft.{frame}"], place) for frame, place in enumerate(facts["soft"])]
    return Segmentation(
        labels=labels,
        confidence=mine["confidence"],
        doubt=mine["doubt"],
        removed=by_structure("removed"),
        added=by_structure("added"),
        warnings=tuple(Flag(Grade(each.pop("grade")), **each) for each in map(dict, facts["warnings"])),
        model=facts["model"],
        duration_s=facts["duration_s"],
        expected_dice=by_structure("expected_dice"),
        unlikeness=mine.get("unlikeness"),
        soft=tuple(soft),
    )


def _soft(values: NDArray[Any], place: Mapping[str, Any]) -> SoftMask:
    row, column = place["first"]
    return SoftMask(values, (row, column), tuple(AxisMap(**axis) for axis in place["axes"]))
