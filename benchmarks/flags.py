r"""How often flags doubt an ejection fraction that is wrong, and one that is right: CAMUS, four-chamber view.

    cardiotrace crossval recipes/camus-small.toml --folds 5 --set "distillation.teachers=[]" training.epochs=20 \
        preprocessing.0.height=128 preprocessing.0.width=128 --out RUNS
    python -m benchmarks flags RUNS [--data PATH] [--fit] [--rules]
    python -m benchmarks flags --references [--data PATH]

Every patient is predicted by the network of the fold that tests him: it never saw him. An ejection fraction is wrong if
it is more than 10 points from that of the reference masks in the same plane, by the same discs; it is doubted if it
carries *look twice* or worse. One that could not be measured counts as wrong, and as doubted if the exam says why.
`--rules` counts every rule apart, `--fit` fits `clinical/ejection_error.toml` anew on the official training list and
prints it, `--references` counts how often each rule speaks against reference masks of CAMUS and of ACDC.
"""

import argparse
import hashlib
import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, UInt8

from benchmarks.flags_fit import Sample, fitted, printed
from cardiotrace.clinical import Measures, measure
from cardiotrace.clinical.rule import RULES
from cardiotrace.core.exam import Case, Exam, ExamImage
from cardiotrace.core.flag import is_doubted
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase
from cardiotrace.datasets.acdc import Acdc
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.datasets.split import read_split
from cardiotrace.inference import Predictor, open_predictor

WRONG_POINTS = 10.0
PHASES = (Phase.ED, Phase.ES)


@dataclass(frozen=True)
class PatientResult:
    """One patient: what was measured in the predicted labels, and the reference's ejection fraction."""

    patient: str
    measures: Measures
    reference_percent: float

    @property
    def error(self) -> float:
        """Measured less reference, points; NaN where it could not be measured."""
        found = self.measures.find("left_ventricular_ejection_fraction")
        return float("nan") if found is None else found.value - self.reference_percent

    @property
    def is_wrong(self) -> bool:
        """Whether it is off by more than ten points, or missing."""
        return not abs(self.error) <= WRONG_POINTS

    @property
    def rules(self) -> set[str]:
        """Rules that doubt the ejection fraction."""
        found = self.measures.find("left_ventricular_ejection_fraction")
        flags = self.measures.flags if found is None else found.flags
        return {flag.rule for flag in flags if is_doubted([flag])}


def main(arguments: Sequence[str]) -> None:
    """Print the figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks flags", description=__doc__)
    parser.add_argument("runs", type=Path, nargs="?", help="folder of a cross-validation: fold-1, fold-2, ...")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOTRACE_DATA", "../shared/data")))
    parser.add_argument("--fit", action="store_true", help="fit the model of errors anew and print it")
    parser.add_argument("--rules", action="store_true", help="count every rule apart")
    parser.add_argument("--references", action="store_true", help="count how often each rule doubts references")
    options = parser.parse_args(arguments)
    camus = Camus(options.data / "camus", CamusConfig(("4CH",)))
    if options.references:
        print_references(camus, Acdc(options.data / "acdc"))
        return
    if options.runs is None:
        parser.error("give the folder of a cross-validation, or --references")
    official = camus.splits()["official"]
    if options.fit:
        training = set(official.training)
        samples = [sample for patient, sample in _samples(options.runs, camus) if patient in training]
        print(printed(*fitted(samples)))
        return
    results = list(results_of(options.runs, camus))
    print_figure("all", results)
    for part in ("training", "validation"):
        names = set(getattr(official, part))
        print_figure(f"official {part} list", [item for item in results if item.patient in names])
    if options.rules:
        print_rules(results)


def results_of(runs: Path, camus: Camus) -> Iterator[PatientResult]:
    """Every testing patient of every fold."""
    cases = by_patient(camus.cases())
    for patient, labels, doubts in predictions(runs, cases):
        measures = measure(exam_of(cases[patient]), labels, doubts=doubts)
        yield PatientResult(patient, measures, _reference_percent(cases[patient]))


def _reference_percent(cases: Mapping[Phase, Case]) -> float:
    references = {case.name: reference_of(case) for case in cases.values()}
    found = measure(exam_of(cases), references).find("left_ventricular_ejection_fraction")
    return float("nan") if found is None else found.value


def reference_of(case: Case) -> LabelMap:
    """Its reference labels."""
    assert case.read_labels is not None
    return case.read_labels()


def exam_of(cases: Mapping[Phase, Case]) -> Exam:
    """Both phases as an exam that names them."""
    images = tuple(ExamImage(cases[phase].name, cases[phase].read_image(), {phase: 0}) for phase in PHASES)
    return Exam(cases[Phase.ED].patient, images)


def by_patient(cases: Iterable[Case]) -> dict[str, dict[Phase, Case]]:
    """Patients of whom there are both phases."""
    found: dict[str, dict[Phase, Case]] = {}
    for case in cases:
        found.setdefault(case.patient, {})[case.phase] = case
    return {patient: phases for patient, phases in found.items() if set(PHASES) <= set(phases)}


def predictions(
    runs: Path, cases: Mapping[str, Mapping[Phase, Case]], folds: Sequence[int] = ()
) -> Iterator[tuple[str, dict[str, LabelMap], dict[str, Float[np.ndarray, "frames"]]]]:
    """Patient, predicted labels and the network's doubt by image name; predictions are kept in the temporary folder."""
    named = [runs / f"fold-{number}" for number in folds]
    for run in named or sorted(runs.glob("fold-*")):
        path = run / "model.onnx"
        kept = Path(tempfile.gettempdir()) / "cardiotrace-flags" / hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        kept.mkdir(parents=True, exist_ok=True)
        predictor = open_predictor(path)
        for patient in read_split(run / "split.json").testing:
            labels, doubts = {}, {}
            for case in cases[patient].values():
                array, doubt, image = _predicted(kept / f"{case.name}.npz", predictor, case)
                labels[case.name], doubts[case.name] = image, doubt
                assert array.any() or not np.isfinite(doubt).any()
            yield patient, labels, doubts


def _predicted(
    path: Path, predictor: Predictor, case: Case
) -> tuple[UInt8[np.ndarray, "time depth height width"], Float[np.ndarray, "frames"], LabelMap]:
    image = case.read_image()
    if path.exists():
        with np.load(path) as kept:
            array, doubt = kept["labels"], kept["doubt"]
    else:
        found = predictor.segment(image)
        array, doubt = found.labels.array, found.doubt
        np.savez_compressed(path, labels=array, doubt=doubt)
    return array, doubt, LabelMap(array, predictor.spec.label_scheme, image.geometry, image.source)


def _samples(runs: Path, camus: Camus) -> Iterator[tuple[str, Sample]]:
    """What the model of errors learns from."""
    cases = by_patient(camus.cases())
    for patient, labels, doubts in predictions(runs, cases):
        measures = measure(exam_of(cases[patient]), labels)
        traces = {found.phase: found.trace for found in measures.key_frames}
        diastole, systole = traces.get(Phase.ED), traces.get(Phase.ES)
        found = measures.find("left_ventricular_ejection_fraction")
        if found is None or diastole is None or systole is None:
            continue
        unsure = float(doubts[cases[patient][Phase.ES].name][0])
        yield patient, Sample(found.value - _reference_percent(cases[patient]), diastole, systole, unsure)


def print_figure(name: str, results: Sequence[PatientResult]) -> None:
    """How many wrong and how many right ones are doubted."""
    wrong = [item for item in results if item.is_wrong]
    right = [item for item in results if not item.is_wrong]
    doubted = [sum(bool(item.rules) for item in group) for group in (wrong, right)]
    shares = [
        f"{count} of {len(group)} ({100 * count / max(len(group), 1):.0f} %)"
        for count, group in zip(doubted, (wrong, right), strict=True)
    ]
    errors = np.array([item.error for item in results])
    print(
        f"{name}: {len(results)} patients, mean absolute error {np.nanmean(np.abs(errors)):.1f} points;"
        f" off by more than {WRONG_POINTS:g}: {shares[0]} doubted; others: {shares[1]} doubted"
    )


def print_rules(results: Sequence[PatientResult]) -> None:
    """How often each rule speaks, and how often alone."""
    print(f"{'rule':<24}{'wrong':>7}{'right':>7}{'right, alone':>14}")
    counts = {kind: Counter[str]() for kind in ("wrong", "right", "alone")}
    for item in results:
        counts["wrong" if item.is_wrong else "right"].update(item.rules)
        if not item.is_wrong and len(item.rules) == 1:
            counts["alone"].update(item.rules)
    for rule in sorted(counts["wrong"] | counts["right"], key=lambda name: -counts["wrong"][name]):
        print(f"{rule:<24}{counts['wrong'][rule]:>7}{counts['right'][rule]:>7}{counts['alone'][rule]:>14}")


def print_references(camus: Camus, acdc: Acdc) -> None:
    """A table of every rule: in how many exams it speaks against reference masks."""
    counts, sizes = [], []
    for dataset in (camus, acdc):
        patients = by_patient(dataset.cases())
        found: Counter[str] = Counter()
        for cases in patients.values():
            measures = measure(exam_of(cases), {case.name: reference_of(case) for case in cases.values()})
            found.update({flag.rule for flag in measures.flags})
        counts.append(found)
        sizes.append(len(patients))
    print(f"| rule | grade | flagged if | CAMUS, of {sizes[0]} | ACDC, of {sizes[1]} |\n|---|---|---|---:|---:|")
    for name, rule in RULES.items():
        print(f"| `{name}` | {rule.grade} | {rule.words} | {counts[0][name]} | {counts[1][name]} |")
