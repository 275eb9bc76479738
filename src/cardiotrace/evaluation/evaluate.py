"""A data set, or two folders of label maps, to a table of cases."""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.limits import DEFAULT, model_limits, preset
from cardiotrace.evaluation.pairing import label_files
from cardiotrace.evaluation.quantity import PatientQuantity
from cardiotrace.evaluation.score import Judged, Progress, quantities_of, score_case
from cardiotrace.inference import Predictor
from cardiotrace.io import read_labels

Judge = Callable[[Case], Judged]
"""What finds the prediction of a case and reads its reference; it may raise `InputError`."""


def label_judge(files: Mapping[str, Path], scheme: LabelScheme) -> Judge:
    """Read predictions from label files.

    Args:
        files: see `pairing.label_files`.
        scheme: what their values mean.
    """
    return lambda case: Judged(case, read_labels(files[case.name], scheme), _reference_of(case))


def model_judge(predictor: Predictor, *, test_time_augmentation: bool = False) -> Judge:
    """Predict with a model."""
    is_binary = predictor.spec.classes == 2

    def judge(case: Case) -> Judged:
        result = predictor.segment(
            case.read_image(), test_time_augmentation=test_time_augmentation, keep_probability=is_binary
        )
        return Judged(case, result.labels, _reference_of(case), result.confidence.tolist(), result.probability)

    return judge


def evaluate_labels(
    predicted: Path, cases: Iterable[Case], scheme: LabelScheme, *, on_progress: Progress | None = None
) -> CaseTable:
    """Score a folder of label maps against the references of cases.

    Files belong to cases by name: `X_labels.nii.gz`, `X_gt.nii.gz` and `X.nii.gz` all speak of image X. A case
    without a prediction, a prediction without a case and a file that cannot be used are listed as problems.

    Args:
        predicted: folder of predicted label maps, searched with its subfolders.
        cases: of a data set, or `pairing.folder_cases` of a folder of references; unlabelled ones are left out.
        scheme: what the predicted values mean.
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
    return _filled(table, given, label_judge(files, scheme), on_progress)


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
    table = CaseTable((), facts={"predicted": name}, limits=model_limits(name, predictor.spec.shape_limits))
    judge = model_judge(predictor, test_time_augmentation=test_time_augmentation)
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

    def judge(case: Case) -> Judged:
        if case.read_second_labels is None:
            raise InputError(f"case {case.name} has no labels of a second observer")
        return Judged(case, case.read_second_labels(), _reference_of(case))

    table = CaseTable((), facts={"predicted": "second observer"}, limits=preset(DEFAULT))
    return _filled(table, twice, judge, on_progress) if twice else None


def _filled(table: CaseTable, cases: Sequence[Case], judge: Judge, on_progress: Progress | None) -> CaseTable:
    """The table with its rows, patient by patient, so that only one patient's labels are in memory."""
    problems = list(table.problems)
    rows: list[CaseRow] = []
    quantities: list[PatientQuantity] = []
    ordered = sorted(cases, key=lambda case: case.patient)
    done = itertools.count(1)
    for _, group in itertools.groupby(ordered, key=lambda case: case.patient):
        patient: list[Judged] = []
        for case in group:
            try:
                judged = judge(case)
                rows.extend(score_case(judged))
                patient.append(judged)
            except InputError as error:
                problems.append(f"{case.name}: {error.what}")
            if on_progress is not None:
                on_progress(next(done), len(ordered))
        quantities.extend(quantities_of(patient) if patient else ())
    if not rows:
        raise InputError("no case could be evaluated", remedy="; ".join(problems[:3]) or "no case has a reference.")
    return CaseTable(tuple(rows), tuple(quantities), tuple(problems), table.facts, table.limits)


def _reference_of(case: Case) -> LabelMap:
    if case.read_labels is None:
        raise InputError(f"case {case.name} has no reference labels")
    return case.read_labels()
