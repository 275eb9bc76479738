r"""What a corrector does to labels that can be no heart's: CAMUS, four-chamber view, or ACDC, short axis.

    cardiotrace crossval recipes/camus-small.toml --folds 5 --out RUNS
    python -m benchmarks.corrector RUNS [--corrector NAME] [--folds 1 2] [--data PATH]
    cardiotrace crossval recipes/cine-mri.toml --folds 5 --out RUNS
    python -m benchmarks.corrector RUNS --corrector corrector-sax [--folds 1 2] [--data PATH]

The corrector's view says which data set it is. Every patient is labelled by the network of the fold that tests him.
Validity, Dice against the reference and the error of the ejection fraction before and after; and of the references
themselves, how many are touched and how well they are drawn again. Of the valid shapes that the corrector knows, those
of the patient at hand are taken away before he is looked at.
"""

import argparse
import dataclasses
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.flags import by_patient, exam_of, predictions, reference_of
from cardiotrace.clinical import measure
from cardiotrace.clinical.anatomy.criterion import Axis, Measured
from cardiotrace.clinical.anatomy.limits import PRESETS
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.clinical.correction import Outcome
from cardiotrace.core.exam import Exam
from cardiotrace.core.label import LabelMap
from cardiotrace.datasets.acdc import Acdc
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.inference.corrector import Corrector, Projection, mean_dice
from cardiotrace.inference.unlikeness import packed
from cardiotrace.inference.zoo import load_model

SAME = 0.2
"""Distance of codes below which two are of the same label map: the bank holds them in half precision."""
EJECTION = "left_ventricular_ejection_fraction"


@dataclass(frozen=True)
class PlaneResult:
    """One key frame."""

    patient: str
    found: Projection
    before: float
    """Dice with the reference, mean over the structures."""
    after: float
    fails_published: tuple[bool, bool]
    """Before and after, by the published limits."""


@dataclass(frozen=True)
class PatientResult:
    """Both key frames of a patient."""

    planes: tuple[PlaneResult, ...]
    reference_touched: int
    """References that pass and were changed all the same."""
    reference_failed: int
    redrawn: tuple[float, ...]
    """Dice of the references and what is drawn of their codes."""
    errors: tuple[float, float] | None
    """Of the ejection fraction before and after, points; NaN where there is none. None where nothing was corrected."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.corrector", description=__doc__)
    parser.add_argument("runs", type=Path, help="folder of a cross-validation: fold-1, fold-2, ...")
    parser.add_argument("--corrector", default="corrector-4ch", help="name or path")
    parser.add_argument("--folds", type=int, nargs="*", default=(), help="some of the folds")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOTRACE_DATA", "../shared/data")))
    options = parser.parse_args()
    corrector = Corrector.of(load_model(options.corrector))
    if corrector.axis is Axis.SHORT:
        acdc = Acdc(options.data / "acdc")
        print_results("all patients", [one for _, one in results_of(options.runs, corrector, acdc, options.folds)])
        return
    camus = Camus(options.data / "camus", CamusConfig(("4CH",)))
    results = dict(results_of(options.runs, corrector, camus, options.folds))
    official = camus.splits()["official"]
    print_results("all patients", list(results.values()))
    unseen = {*official.validation, *official.testing}
    print_results(
        "validation and testing lists, unseen by the corrector",
        [result for patient, result in results.items() if patient in unseen],
    )


def results_of(
    runs: Path, corrector: Corrector, dataset: Camus | Acdc, folds: Sequence[int]
) -> Iterator[tuple[str, PatientResult]]:
    """Every testing patient of every fold."""
    cases = by_patient(dataset.cases())
    for patient, labels, _ in predictions(runs, cases, folds):
        references = {case.name: reference_of(case) for case in cases[patient].values()}
        stranger = without(corrector, list(references.values()))
        planes, corrected = [], dict(labels)
        for name, found in labels.items():
            projections = stranger.project(_planes(found), _pixel_mm(found))
            after = np.stack([each.labels for each in projections])[None]
            corrected[name] = dataclasses.replace(found, array=after.reshape(found.array.shape))
            told = zip(projections, _slices(found), _slices(corrected[name]), _slices(references[name]), strict=True)
            planes += [_plane_result(patient, *each) for each in told]
        touched, failed, redrawn = 0, 0, []
        for reference in references.values():
            own = _planes(reference)
            for plane, projection in zip(own, stranger.project(own, _pixel_mm(reference)), strict=True):
                touched += projection.outcome is Outcome.VALID and not np.array_equal(projection.labels, plane)
                failed += projection.outcome is not Outcome.VALID
            drawn = stranger.redrawn(own, _pixel_mm(reference))
            redrawn += [mean_dice(plane, again) for plane, again in zip(own, drawn, strict=True) if plane.any()]
        errors: tuple[float, float] | None = None
        if any(one.found.outcome is Outcome.CORRECTED for one in planes):
            exam = exam_of(cases[patient])
            truth = _ejection(exam, references)
            errors = _ejection(exam, labels) - truth, _ejection(exam, corrected) - truth
        yield patient, PatientResult(tuple(planes), touched, failed, tuple(redrawn), errors)


def without(corrector: Corrector, references: Sequence[LabelMap]) -> Corrector:
    """The corrector without the codes of some label maps."""
    codes = corrector.bank.codes
    for reference in references:
        for plane in filter(np.any, _planes(reference)):
            code = corrector.code_of(plane, _pixel_mm(reference))
            codes = codes[np.linalg.norm(codes - code, axis=1) > SAME]
    bank = dataclasses.replace(corrector.bank, known=packed(codes), count=len(codes))
    return corrector.described_by(dataclasses.replace(corrector.spec, corrects=bank))


def _planes(labels: LabelMap) -> list[np.ndarray]:
    """Of one frame, or the slices of a stack."""
    return list(labels.array[0])


def _slices(labels: LabelMap) -> list[LabelMap]:
    """The same, each as a map of its own."""
    return [dataclasses.replace(labels, array=plane[None, None]) for plane in _planes(labels)]


def _pixel_mm(labels: LabelMap) -> tuple[float, float]:
    assert labels.spacing_mm is not None
    return labels.spacing_mm[1], labels.spacing_mm[2]


def _plane_result(
    patient: str, found: Projection, before: LabelMap, after: LabelMap, reference: LabelMap
) -> PlaneResult:
    dice = [mean_dice(each.array[0, 0], reference.array[0, 0]) for each in (before, after)]
    fails = (_fails_published(before), _fails_published(after)) if found.failed else (False, False)
    return PlaneResult(patient, found, dice[0], dice[1], fails)


def _fails_published(labels: LabelMap) -> bool:
    axis = Axis.SHORT if "RV" in labels.scheme.values else Axis.LONG
    measured = Measured.of(Plane.of(labels, 0, is_upright=True), axis)
    return bool(PRESETS["published"].failures(measured, axis))


def _ejection(exam: Exam, labels: dict[str, LabelMap]) -> float:
    found = measure(exam, labels).find(EJECTION)
    return float("nan") if found is None else found.value


def print_results(name: str, results: Sequence[PatientResult]) -> None:
    """What was corrected, and what that did."""
    planes = [plane for result in results for plane in result.planes]
    failing = [plane for plane in planes if plane.found.outcome is not Outcome.VALID]
    changed = [plane for plane in failing if plane.found.outcome is Outcome.CORRECTED]
    print(f"{name}: {len(results)} patients, {len(planes)} planes")
    print(f"  fail: {len(failing)} before, {len(failing) - len(changed)} after; corrected {len(changed)}")
    if changed:
        dices = [plane.found.dice or 0.0 for plane in changed]
        print(f"  Dice between before and after: mean {np.mean(dices):.3f}, least {min(dices):.3f}")
        told = [(plane.before, plane.after) for plane in changed]
        before, after = np.mean(told, axis=0)
        better, worse = (sum(sign * (second - first) > 1e-3 for first, second in told) for sign in (1, -1))
        print(f"  Dice with the reference, corrected planes: {before:.4f} before, {after:.4f} after;", end=" ")
        print(f"better in {better}, worse in {worse}")
        published = np.sum([plane.fails_published for plane in changed], axis=0)
        print(f"  of the corrected planes fail the published limits: {published[0]} before, {published[1]} after")
    left = [plane.found.dice for plane in failing if plane.found.outcome is Outcome.FAR]
    print(f"  left as they were: {len(left)}, Dice with the nearest valid one {left}")
    whole = np.mean([(plane.before, plane.after) for plane in planes], axis=0)
    print(f"  Dice with the reference, all planes: {whole[0]:.4f} before, {whole[1]:.4f} after")
    _print_ejection(results)
    redrawn = [value for result in results for value in result.redrawn]
    print(f"  references: {sum(result.reference_touched for result in results)} valid ones touched,", end=" ")
    print(f"{sum(result.reference_failed for result in results)} fail themselves;", end=" ")
    print(f"drawn again with Dice {np.mean(redrawn):.3f}, least {min(redrawn):.3f}")


def _print_ejection(results: Sequence[PatientResult]) -> None:
    rows = np.array([result.errors for result in results if result.errors is not None])
    if len(rows):
        (first, second), missing = np.nanmean(np.abs(rows), axis=0), np.isnan(rows).sum(axis=0)
        print(f"  error of the EF, {len(rows)} patients with a corrected plane:", end=" ")
        print(f"{first:.2f} before, {second:.2f} after; not measured {missing[0]}, {missing[1]}; each", end=" ")
        print(", ".join(f"{one:+.1f} -> {other:+.1f}" for one, other in rows))


if __name__ == "__main__":
    main()
