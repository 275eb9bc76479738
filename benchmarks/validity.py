r"""How often references fail the anatomical criteria, by every set of limits, and the limits fitted on them.

    python -m benchmarks.validity [--data PATH] [--fit] [--keep FILE]

CAMUS: the apical views of the patients outside the official validation and testing lists, on which limits are fitted,
and those of the lists. ACDC: every slice of 60 patients. `--fit` prints the table `references` of
`clinical/anatomy/limits.toml`, and how many references fail limits fitted on others, in cross-validation over patients.
`--keep` keeps what was measured, and takes it from there.
"""

import argparse
import json
import math
import os
import time
from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.anatomy.criterion import CRITERIA, Axis, Kind, Measured
from cardiotrace.clinical.anatomy.limits import PRESETS, AnatomyLimits, Areas, AxisLimits, Limit
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.core.exam import Case
from cardiotrace.core.terms import Structure
from cardiotrace.datasets.acdc import Acdc
from cardiotrace.datasets.camus import Camus, CamusConfig

SHARE = 0.02
"""Of the references that may fail any of the fitted limits."""
FOLDS, REPEATS = 5, 10
AREAS: Mapping[Axis, Areas] = {Axis.LONG: "share", Axis.SHORT: "mm"}
FLOORS: Mapping[Areas, Mapping[Kind, float]] = {
    "share": {Kind.AREA: 0.02},
    "mm": {Kind.AREA: 10.0, Kind.LENGTH: 5.0, Kind.DISTANCE: 2.0},
    "pixels": {},
}
"""Faults up to here alter no measured value by more than people differ: references without any would forbid a pixel."""
HEARTS: Mapping[str, float] = {"width_ratio_lv_myo": 7.0}
"""What hearts reach that these references hardly show: a dilated one of 80 mm in walls of 6 mm. By the limit of CAMUS
alone, 3.2, most dilated phantoms and others with thin walls would be no heart's."""


@dataclass(frozen=True)
class Sample:
    """One plane of a reference."""

    part: str
    patient: str
    view: str
    axis: Axis
    measured: Measured

    @property
    def unit(self) -> Hashable:
        """What fails as one: both key frames of a long-axis view, a slice of a short-axis stack."""
        return (self.patient, self.view) if self.axis is Axis.LONG else id(self)


def main() -> None:
    """Print the rates, or the fit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.validity", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOTRACE_DATA", "../shared/data")))
    parser.add_argument("--fit", action="store_true", help="fit limits and print them")
    parser.add_argument("--keep", type=Path, help="file of what was measured")
    options = parser.parse_args()
    samples = kept_samples(options.data, options.keep)
    if options.fit:
        print_fit([sample for sample in samples if sample.part in ("camus training", "acdc")])
    else:
        print_rates(samples)


def kept_samples(data: Path, keep: Path | None) -> list[Sample]:
    """All samples, measured or taken from where they were kept."""
    if keep is not None and keep.exists():
        return [_from_plain(item) for item in json.loads(keep.read_text("utf-8"))]
    started = time.process_time()
    found = list(samples_of(data))
    print(f"{len(found)} planes, {1000 * (time.process_time() - started) / len(found):.1f} ms each, reading included")
    if keep is not None:
        keep.write_text(json.dumps([_to_plain(sample) for sample in found]), "utf-8")
    return found


def samples_of(data: Path) -> Iterator[Sample]:
    """Every labelled plane of both data sets."""
    camus = Camus(data / "camus", CamusConfig())
    training = set(camus.splits()["official"].training)
    yield from _samples(
        camus.cases(), Axis.LONG, lambda case: "camus training" if case.patient in training else "camus lists"
    )
    yield from _samples(Acdc(data / "acdc").cases(), Axis.SHORT, lambda case: "acdc")


def _samples(cases: Iterable[Case], axis: Axis, part: Callable[[Case], str]) -> Iterator[Sample]:
    for case in cases:
        if case.read_labels is None:
            continue
        labels = case.read_labels()
        for frame, depth in np.ndindex(*labels.array.shape[:2]):
            plane = Plane.of(labels, frame, depth, is_upright=axis is Axis.LONG)
            if not plane.is_empty:
                yield Sample(part(case), case.patient, str(case.view), axis, Measured.of(plane, axis))


def print_rates(samples: Sequence[Sample]) -> None:
    """A table of planes that fail, by set of limits and part of the data."""
    print("| references | planes | limits | fail any | criteria that fail |\n|---|---:|---|---:|---|")
    for part in dict.fromkeys(sample.part for sample in samples):
        planes = [sample for sample in samples if sample.part == part]
        for limits in PRESETS.values():
            if planes[0].axis in limits.axes:
                print(f"| {part} | {len(planes)} | {limits.name} | {_rates(planes, limits)} |")


def _rates(planes: Sequence[Sample], limits: AnatomyLimits) -> str:
    counts: Counter[str] = Counter()
    invalid = 0
    for sample in planes:
        failed = limits.failures(sample.measured, sample.axis)
        counts.update(item.criterion.name for item in failed)
        invalid += bool(failed)
    listed = ", ".join(f"{name} {count}" for name, count in counts.most_common())
    return f"{invalid} ({100 * invalid / len(planes):.1f} %) | {listed or 'none'}"


def print_fit(samples: Sequence[Sample]) -> None:
    """The limits as TOML, and what they do to references that they were not fitted on."""
    print('[references]\nsource = "references of CAMUS and ACDC"')
    for axis in Axis:
        found = [sample for sample in samples if sample.axis is axis]
        values, patients = _table(found, axis)
        limits = fitted(values, axis)
        failing = float(_fails(values, limits).mean())
        unseen = 100 * _held_out(values, patients, axis)
        print(f"\n# {len(values)} references, {100 * failing:.1f} % of them fail; of unseen ones {unseen:.1f} %.")
        print(f'[references.{axis.value}]\nareas = "{AREAS[axis]}"\nmissing = "valid"')
        for criterion, limit in zip(CRITERIA[axis], limits, strict=True):
            word, value = ("low", -limit) if _is_low(criterion.name) else ("high", limit)
            print(f"{criterion.name} = {{ {word} = {value:.4g} }}")


def fitted(values: Float[np.ndarray, "units criteria"], axis: Axis) -> Float[np.ndarray, " criteria"]:
    """The same high quantile of every criterion: the lowest with which few enough references fail any of them.

    Args:
        values: the worst of each reference, the higher the worse; -inf where it was not asked.
        axis: that of the criteria.
    """
    least = FLOORS[AREAS[axis]]
    floors = np.array([HEARTS.get(item.name, least.get(item.kind, -math.inf)) for item in CRITERIA[axis]])
    ordered = -np.sort(-values, axis=0)
    limits = np.maximum(ordered[0], floors)
    for allowed in range(1, len(values)):
        laxer, limits = limits, np.maximum(ordered[allowed], floors)
        if _fails(values, limits).mean() > SHARE:
            return _rounded_up(laxer)
    return _rounded_up(limits)


def _rounded_up(limits: Float[np.ndarray, " criteria"]) -> Float[np.ndarray, " criteria"]:
    """To three digits: the reference that sets a limit keeps to it."""
    finite = np.isfinite(limits) & (limits != 0)
    scale = 10.0 ** (np.floor(np.log10(np.abs(limits, where=finite, out=np.ones_like(limits)))) - 2)
    return np.where(finite, np.ceil(limits / scale) * scale, np.where(np.isfinite(limits), 0.0, limits))


def _fails(
    values: Float[np.ndarray, "units criteria"], limits: Float[np.ndarray, " criteria"]
) -> Bool[np.ndarray, " units"]:
    return np.asarray((values > limits).any(axis=1))


def _held_out(values: Float[np.ndarray, "units criteria"], patients: Sequence[str], axis: Axis) -> float:
    """Share that fails limits fitted on other patients."""
    who, rates = np.array(patients), []
    for seed in range(REPEATS):
        order = np.random.default_rng(seed).permutation(np.unique(who))
        for fold in range(FOLDS):
            outside = np.isin(who, order[fold::FOLDS])
            rates.append(_fails(values[outside], fitted(values[~outside], axis)).mean())
    return float(np.mean(rates))


def _table(samples: Sequence[Sample], axis: Axis) -> tuple[Float[np.ndarray, "units criteria"], list[str]]:
    """The worst value of each criterion in each unit, the higher the worse, and the unit's patient."""
    counting = AxisLimits(AREAS[axis], "valid", {item.name: Limit() for item in CRITERIA[axis]})
    rows: dict[Hashable, list[float]] = {}
    patients: dict[Hashable, str] = {}
    for sample in samples:
        row = rows.setdefault(sample.unit, [-math.inf] * len(CRITERIA[axis]))
        patients[sample.unit] = sample.patient
        for place, criterion in enumerate(CRITERIA[axis]):
            value = counting.counted(sample.measured, criterion)
            if value is not None and math.isfinite(value):
                row[place] = max(row[place], -value if _is_low(criterion.name) else value)
    return np.array(list(rows.values())), list(patients.values())


def _is_low(name: str) -> bool:
    """Whether small values of a criterion are the bad ones."""
    return name.endswith("_circularity") or name.startswith("erosion_ratio")


def _to_plain(sample: Sample) -> dict[str, Any]:
    return vars(sample) | {"measured": vars(sample.measured)}


def _from_plain(plain: Mapping[str, Any]) -> Sample:
    held = plain["measured"]
    sizes = {Structure(name): size for name, size in held["sizes"].items()}
    pixel_mm = None if held["pixel_mm"] is None else (held["pixel_mm"][0], held["pixel_mm"][1])
    measured = Measured(held["values"], sizes, pixel_mm)
    return Sample(plain["part"], plain["patient"], plain["view"], Axis(plain["axis"]), measured)


if __name__ == "__main__":
    main()
