"""A data set, or two folders of label maps, to a table of cases."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.limits import DEFAULT, model_limits, preset
from cardiotrace.evaluation.pairing import label_files
from cardiotrace.evaluation.quantity import PatientQuantity
from cardiotrace.evaluation.score import CasePrediction, Progress, quantities_of, score_case
from cardiotrace.geometry.alignment import aligned
from cardiotrace.geometry.enclosure import order_doubt
from cardiotrace.inference import Predictor
from cardiotrace.io import read_labels
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.stored import ThirdAxis

PredictCase = Callable[[Case], CasePrediction]
"""What finds the prediction of a case and reads its reference; it may raise `InputError`."""


def predict_from_labels(
    files: Mapping[str, Path], scheme: LabelScheme, *, spacing_mm: GivenSpacing | None = None
) -> PredictCase:
    """Read predictions from label files, and lay them onto their references.

    Args:
        files: see `pairing.label_files`.
        scheme: what their values mean.
        spacing_mm: (depth, height, width), mm, in place of what the files say.
    """

    def judge(case: Case) -> CasePrediction:
        reference = _reference_of(case)
        frames, depth = reference.array.shape[:2]
        axis: ThirdAxis = "time" if frames > 1 and depth == 1 else "depth"
        predicted = read_labels(files[case.name], scheme, third_axis=axis, spacing_mm=spacing_mm)
        return CasePrediction(case, aligned(predicted, reference.grid), reference)

    return judge


def predict_with_model(predictor: Predictor, *, test_time_augmentation: bool = False) -> PredictCase:
    """Predict with a model."""
    is_binary = predictor.spec.classes == 2

    def judge(case: Case) -> CasePrediction:
        result = predictor.segment(
            case.read_image(), test_time_augmentation=test_time_augmentation, keep_probabilities=is_binary
        )
        reference = _reference_of(case)
        predicted = aligned(result.labels, reference.grid)
        probability = None if result.probabilities is None else next(iter(result.probabilities.values()))
        return CasePrediction(case, predicted, reference, result.confidence.tolist(), probability)

    return judge


def evaluate_labels(
    predicted: Path,
    cases: Iterable[Case],
    scheme: LabelScheme,
    *,
    spacing_mm: GivenSpacing | None = None,
    on_progress: Progress | None = None,
) -> CaseTable:
    """Score a folder of label maps against the references of cases.

    Files belong to cases by name: `X_labels.nii.gz`, `X_gt.nii.gz` and `X.nii.gz` all speak of image X. A case
    without a prediction, a prediction without a case and a file that cannot be used are listed as problems.

    Args:
        predicted: folder of predicted label maps, searched with its subfolders.
        cases: of a data set, or `pairing.folder_cases` of a folder of references; unlabelled ones are left out.
        scheme: what the predicted values mean.
        spacing_mm: (depth, height, width), mm, in place of what the predicted files say.
        on_progress: told after each case.

    Raises:
        InputError: the folder is missing or empty, or no case could be scored.
    """
    files = label_files(predicted)
    labelled = [case for case in cases if case.read_labels is not None]
    names = {case.name for case in labelled}
    problems = [f"{name}: a prediction without a reference" for name in files if name not in names]
    problems += [f"{case.name}: no prediction" for case in labelled if case.name not in files]
    given = [case for case in labelled if case.name in files]
    table = CaseTable((), problems=tuple(problems), facts={"predicted": str(predicted)}, limits=preset(DEFAULT))
    return _filled(table, given, predict_from_labels(files, scheme, spacing_mm=spacing_mm), on_progress)


def evaluate_predictor(
    predictor: Predictor,
    cases: Iterable[Case],
    *,
    test_time_augmentation: bool = False,
    on_progress: Progress | None = None,
) -> CaseTable:
    """Segment the labelled cases and score the result.

    Args:
        predictor: what segments.
        cases: those without reference labels are left out.
        test_time_augmentation: see `Predictor.segment`.
        on_progress: told after each case.

    Raises:
        InputError: no case could be scored.
        ModelFileError: the network fails.
    """
    labelled = [case for case in cases if case.read_labels is not None]
    name = predictor.spec.name
    table = CaseTable((), facts={"predicted": name}, limits=model_limits(name, predictor.spec.calibration.shape_limits))
    judge = predict_with_model(predictor, test_time_augmentation=test_time_augmentation)
    return _filled(table, labelled, judge, on_progress)


def evaluate_observer(cases: Iterable[Case], *, on_progress: Progress | None = None) -> CaseTable | None:
    """Score the labels of a second observer as if a method had made them: what people reach among themselves.

    Args:
        cases: those without labels of two observers are left out.
        on_progress: told after each case.

    Returns:
        The table; None where no case has two observers.

    Raises:
        InputError: no case could be scored.
    """
    twice = [case for case in cases if case.read_labels is not None and case.read_second_labels is not None]

    def judge(case: Case) -> CasePrediction:
        if case.read_second_labels is None:
            raise InputError(f"case {case.name} has no labels of a second observer")
        reference = _reference_of(case)
        return CasePrediction(case, aligned(case.read_second_labels(), reference.grid), reference)

    table = CaseTable((), facts={"predicted": "second observer"}, limits=preset(DEFAULT))
    return _filled(table, twice, judge, on_progress) if twice else None


def _filled(table: CaseTable, cases: Sequence[Case], judge: PredictCase, on_progress: Progress | None) -> CaseTable:
    """The table with its rows, patient by patient, so that only one patient's labels are in memory."""
    problems = list(table.problems)
    notes: dict[str, list[str]] = {}
    rows: list[CaseRow] = []
    quantities: list[PatientQuantity] = []
    ordered = sorted(cases, key=lambda case: case.patient)
    done = itertools.count(1)
    for _, group in itertools.groupby(ordered, key=lambda case: case.patient):
        patient: list[CasePrediction] = []
        for case in group:
            try:
                judged = judge(case)
                rows.extend(score_case(judged))
                patient.append(judged)
                for note in _notes(judged):
                    notes.setdefault(note, []).append(case.name)
            except InputError as error:
                problems.append(f"{case.name}: {error.what}")
            if on_progress is not None:
                on_progress(next(done), len(ordered))
        quantities.extend(quantities_of(patient) if patient else ())
    if not rows:
        raise InputError("no case could be evaluated", remedy="; ".join(problems[:3]) or "no case has a reference.")
    said = tuple(f"{_some(names)}: {note}" for note, names in notes.items())
    return CaseTable(tuple(rows), tuple(quantities), tuple(problems), table.facts, table.limits, said)


def _notes(judged: CasePrediction) -> Iterator[str]:
    """What should be known of the labels of a case before its scores are believed."""
    lacking = [str(name) for name in judged.reference.scheme.structures if name not in judged.predicted.scheme.values]
    if lacking:
        yield f"not scored: {', '.join(lacking)}, which the predictions do not tell of"
    for labels, whose in ((judged.predicted, "predicted labels"), (judged.reference, "reference labels")):
        doubt = order_doubt(labels, judged.case.view)
        yield from (f"{whose}: {note}" for note in ([doubt] if doubt else []) + list(labels.notes))


def _some(names: Sequence[str]) -> str:
    """Cases by name, the first of many."""
    return ", ".join(names) if len(names) <= 2 else f"{len(names)} cases ({names[0]}, ...)"


def _reference_of(case: Case) -> LabelMap:
    if case.read_labels is None:
        raise InputError(f"case {case.name} has no reference labels")
    return case.read_labels()
