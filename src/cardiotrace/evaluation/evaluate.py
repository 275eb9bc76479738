"""A data set, or two folders of label maps, to a table of cases."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cardiotrace.clinical.intervals.filling import TracedBy
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.evaluation.beats import score_beat
from cardiotrace.evaluation.case_table import BeatRow, CaseRow, CaseTable
from cardiotrace.evaluation.limits import DEFAULT, model_limits, preset
from cardiotrace.evaluation.pairing import label_files
from cardiotrace.evaluation.quantity import PatientQuantity
from cardiotrace.evaluation.score import CasePrediction, quantities_of, score_case
from cardiotrace.evaluation.slices import score_slices
from cardiotrace.evaluation.validity import Validity, joined, validity_of
from cardiotrace.geometry.alignment import aligned
from cardiotrace.geometry.enclosure import order_doubt
from cardiotrace.inference import Predictor
from cardiotrace.io import read_labels
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.stored import ThirdAxis

PredictCase = Callable[[Case], CasePrediction]
"""What finds the prediction of a case and reads its reference; it may raise `InputError`."""


_TOLD = ("other-view", "heart-not-found")
"""Rules of a model's warnings that are told with its scores: those that speak against all of an image."""


def predict_from_labels(
    files: Mapping[str, Path], scheme: LabelScheme, *, spacing_mm: GivenSpacing | None = None
) -> PredictCase:
    """Read predictions from label files, and lay them onto their references.

    Args:
        files: see `pairing.label_files`.
        scheme: what their values mean.
        spacing_mm: (depth, height, width), mm, in place of what the files say.
    """

    def predict(case: Case) -> CasePrediction:
        reference = _reference_of(case)
        frames, depth = reference.array.shape[:2]
        axis: ThirdAxis = "time" if frames > 1 and depth == 1 else "depth"
        predicted = read_labels(files[case.name], scheme, third_axis=axis, spacing_mm=spacing_mm)
        return CasePrediction(case, aligned(predicted, reference.grid), reference)

    return predict


def predict_with_model(predictor: Predictor, *, test_time_augmentation: bool = False) -> PredictCase:
    """Predict with a model."""
    is_binary = predictor.spec.classes == 2

    def predict(case: Case) -> CasePrediction:
        result = predictor.segment(
            case.read_image(), test_time_augmentation=test_time_augmentation, keep_probabilities=is_binary
        )
        reference = _reference_of(case)
        predicted = aligned(result.labels, reference.grid)
        probability = None if result.probabilities is None else next(iter(result.probabilities.values()))
        warnings = tuple(str(flag) for flag in result.warnings if flag.rule in _TOLD)
        expected = {str(name): values.tolist() for name, values in result.expected_dice.items()}
        known = predictor.spec.calibration.intervals
        traced_by = TracedBy(known, result.doubt, result.soft, test_time_augmentation, result.unlikeness)
        confidence = result.confidence.tolist()
        return CasePrediction(
            case, predicted, reference, confidence, probability, warnings, expected_dice=expected, traced_by=traced_by
        )

    return predict


def evaluate_labels(
    predicted: Path,
    cases: Iterable[Case],
    scheme: LabelScheme,
    *,
    spacing_mm: GivenSpacing | None = None,
    with_validity: bool = False,
    on_progress: OnProgress | None = None,
) -> CaseTable:
    """Score a folder of label maps against the references of cases.

    Files belong to cases by name: `X_labels.nii.gz`, `X_gt.nii.gz` and `X.nii.gz` all speak of image X. A case
    without a prediction, a prediction without a case and a file that cannot be used are listed as problems.

    Args:
        predicted: folder of predicted label maps, searched with its subfolders.
        cases: of a data set, or `pairing.folder_cases` of a folder of references; unlabelled ones are left out.
        scheme: what the predicted values mean.
        spacing_mm: (depth, height, width), mm, in place of what the predicted files say.
        with_validity: also ask which labels are no heart's.
        on_progress: told after each case.

    Raises:
        InputError: the folder is missing or empty, or no case could be scored.
    """
    files = label_files(predicted)
    labelled = [case for case in cases if case.read_labels is not None]
    names = {case.name for case in labelled}
    problems = [f"{name}: a prediction without a reference" for name in files if name not in names]
    problems += [f"{case.name}: no prediction" for case in labelled if case.name not in files]
    table = CaseTable((), problems=tuple(problems), facts={"predicted": str(predicted)}, limits=preset(DEFAULT))
    given = [case for case in labelled if case.name in files]
    predict = predict_from_labels(files, scheme, spacing_mm=spacing_mm)
    return _filled(table, given, predict, on_progress, with_validity=with_validity)


def evaluate_predictor(
    predictor: Predictor,
    cases: Iterable[Case],
    *,
    test_time_augmentation: bool = False,
    with_validity: bool = False,
    on_progress: OnProgress | None = None,
) -> CaseTable:
    """Segment the labelled cases and score the result.

    Args:
        predictor: what segments.
        cases: those without reference labels are left out.
        test_time_augmentation: see `Predictor.segment`.
        with_validity: also ask which labels are no heart's.
        on_progress: told after each case.

    Raises:
        InputError: no case could be scored.
        ModelFileError: the network fails.
    """
    labelled = [case for case in cases if case.read_labels is not None]
    name = predictor.spec.name
    table = CaseTable((), facts={"predicted": name}, limits=model_limits(name, predictor.spec.calibration.shape_limits))
    predict = predict_with_model(predictor, test_time_augmentation=test_time_augmentation)
    return _filled(table, labelled, predict, on_progress, with_validity=with_validity)


def evaluate_observer(cases: Iterable[Case]) -> CaseTable | None:
    """Score the labels of a second observer as if a method had made them: what people reach among themselves.

    Args:
        cases: those without labels of two observers are left out.

    Returns:
        The table; None where no case has two observers.

    Raises:
        InputError: no case could be scored.
    """
    twice = [case for case in cases if case.read_labels is not None and case.read_second_labels is not None]

    def predict(case: Case) -> CasePrediction:
        if case.read_second_labels is None:
            raise InputError(f"case {case.name} has no labels of a second observer")
        reference = _reference_of(case)
        return CasePrediction(case, aligned(case.read_second_labels(), reference.grid), reference)

    table = CaseTable((), facts={"predicted": "second observer"}, limits=preset(DEFAULT))
    return _filled(table, twice, predict) if twice else None


@dataclass
class _Collector:
    """Fills a table, one patient after another."""

    predict: PredictCase
    problems: list[str]
    rows: list[CaseRow] = field(default_factory=list)
    slices: list[CaseRow] = field(default_factory=list)
    beats: list[BeatRow] = field(default_factory=list)
    quantities: list[PatientQuantity] = field(default_factory=list)
    notes: dict[str, list[str]] = field(default_factory=dict)
    """What speaks against labels, and the cases it was found in."""
    validity: list[Validity] | None = None
    """Which labels are no heart's; None where that is not asked."""

    def add_patient(self, cases: Iterable[Case]) -> None:
        """Score all cases of a patient, then what was measured in them together."""
        predictions = [found for case in cases if (found := self._scored(case)) is not None]
        self.quantities.extend(quantities_of(predictions) if predictions else ())

    def _scored(self, case: Case) -> CasePrediction | None:
        """The prediction of a case whose rows were added; None where there is a problem."""
        try:
            found = self.predict(case)
            rows = score_case(found)
            self.rows.extend(rows)
            self.beats.extend(score_beat(found, rows))
            self.slices.extend(score_slices(found))
            if self.validity is not None:
                self.validity.append(validity_of(case, found.predicted, found.reference))
        except InputError as error:
            self.problems.append(f"{case.name}: {error.what}")
            return None
        for note in _notes(found):
            self.notes.setdefault(note, []).append(case.name)
        return found


def _filled(
    table: CaseTable,
    cases: Sequence[Case],
    predict: PredictCase,
    on_progress: OnProgress | None = None,
    *,
    with_validity: bool = False,
) -> CaseTable:
    """The table with its rows, patient by patient, so that only one patient's labels are in memory."""
    collector = _Collector(predict, list(table.problems), validity=[] if with_validity else None)
    ordered = counted(sorted(cases, key=lambda case: case.patient), on_progress)
    for _, patient in itertools.groupby(ordered, key=lambda case: case.patient):
        collector.add_patient(patient)
    problems = collector.problems
    if not collector.rows:
        raise InputError("no case could be evaluated", remedy="; ".join(problems[:3]) or "no case has a reference.")
    return replace(
        table,
        rows=tuple(collector.rows),
        slices=tuple(collector.slices),
        beats=tuple(collector.beats),
        quantities=tuple(collector.quantities),
        problems=tuple(problems),
        notes=tuple(f"{_some(names)}: {note}" for note, names in collector.notes.items()),
        validity=None if collector.validity is None else joined(collector.validity),
    )


def _notes(found: CasePrediction) -> Iterator[str]:
    """What should be known of the labels of a case before its scores are believed."""
    lacking = [str(name) for name in found.reference.scheme.structures if name not in found.predicted.scheme.values]
    if lacking:
        yield f"not scored: {', '.join(lacking)}, which the predictions do not tell of"
    yield from found.warnings
    for labels, whose in ((found.predicted, "predicted labels"), (found.reference, "reference labels")):
        doubt = order_doubt(labels, found.case.view)
        yield from (f"{whose}: {note}" for note in ([doubt] if doubt else []) + list(labels.notes))


def _some(names: Sequence[str]) -> str:
    """Cases by name, the first of many."""
    return ", ".join(names) if len(names) <= 2 else f"{len(names)} cases ({names[0]}, ...)"


def _reference_of(case: Case) -> LabelMap:
    if case.read_labels is None:
        raise InputError(f"case {case.name} has no reference labels")
    return case.read_labels()
