"""Classifiers of groups: a table of indices from a data set, and a classifier from a table."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cardiotrace.clinical.groups.classifier import GroupClassifier, Scores, classifier_text
from cardiotrace.clinical.groups.index import indices_of
from cardiotrace.clinical.measure import LabelledView, measure_labels
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.exam import Case, Patient
from cardiotrace.core.file import require_replaceable
from cardiotrace.core.label import LabelMap
from cardiotrace.core.licence import Terms
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.evaluation.evaluate import predict_from_labels
from cardiotrace.evaluation.groups.crossval import cross_validate
from cardiotrace.evaluation.groups.fit import fit_regressions, require_learnable
from cardiotrace.evaluation.groups.table import NAME, GroupRow, GroupTable, read_group_table, same_exams
from cardiotrace.evaluation.pairing import label_files
from cardiotrace.io import write_text
from cardiotrace.workflows.data import DatasetConfig


@dataclass(frozen=True, kw_only=True)
class ClassifyTableConfig(DatasetConfig):
    """Which data set, whose labels, and where the table goes."""

    by: str = "pathology"
    """The group key that is to be told: the head of its column."""
    labels: Path | None = None
    """Folder of predicted label maps X_labels.nii.gz, measured in place of the references; let no model have learned
    from the patients that it labels here."""
    view: str = "SAX"
    """The view whose values are taken, as measures.json calls it, such as SAX, 4CH or A4C+A2C."""
    out: Path
    """The table, a .csv file."""


@dataclass(frozen=True, kw_only=True)
class ClassifyTrainConfig:
    """Which table, what of it, and where the classifier goes."""

    table: Path
    """A .csv file with a row for each exam: name, patient where several exams are of one, the group, indices. That of
    `classify table`, or a summary.csv with a column for the group added."""
    by: str = "group"
    """The column of the groups."""
    indices: tuple[str, ...] = ()
    """Columns to learn from; default: those made for a short axis if the table has them, else all numbers."""
    tested_on: Path | None = None
    """Another table of the same exams that the folds are tested on, such as that of predicted labels."""
    folds: int = 5
    """Parts of the patients in cross-validation."""
    repeats: int = 5
    """How often folds are drawn anew."""
    view: str = "SAX"
    """The view that the indices were measured in, as measures.json calls it."""
    name: str = ""
    """What the classifier is called; default: the name of its file."""
    licence: str = ""
    """Terms of the data that it learns from, which become its own."""
    citation: str = ""
    """Publication of the data."""
    learned_from: str = ""
    """What it learned from, in words for the report."""
    out: Path | None = None
    """Write the classifier here, a .json file; without it there is the table of scores alone."""

    def __post_init__(self) -> None:
        if self.folds < 2 or self.repeats < 1:
            raise UsageError(
                "there must be two folds or more, and one repetition", remedy="give --folds 5 --repeats 5."
            )
        if self.out is not None and self.out.suffix != ".json":
            raise UsageError(f"--out {self.out.name} names no classifier", remedy="let it end in .json.")


@dataclass(frozen=True)
class TrainedClassifier:
    """What was learned, and from whom."""

    classifier: GroupClassifier
    scores: Scores
    left_out: tuple[str, ...]
    """Exams that lack indices, with one that they lack."""


def classify_table(config: ClassifyTableConfig, reporter: ProgressReporter = SILENT) -> GroupTable:
    """Measure every patient of a data set from labels alone, and write the indices that are usable as a table.

    Raises:
        InputError: the data set or the labels cannot be read, or no patient has the group key.
        UsageError: there is something else where the table is to be.
        WorkError: nothing can be written.
    """
    if config.out.suffix != ".csv":
        raise UsageError(f"--out {config.out.name} names no table", remedy="let it end in .csv.")
    require_replaceable(config.out, begins=(f"{NAME},",), what="table of exams")
    dataset = config.open()
    files = None if config.labels is None else label_files(config.labels)
    by_patient = _grouped_cases(dataset, config.by)
    rows = []
    with reporter.stage(f"measuring {dataset.name}") as on_progress:
        for done, (patient, cases) in enumerate(by_patient.items(), start=1):
            labelled = {case.name: _view_of(case, labels) for case, labels in _labelled(cases, dataset, files)}
            rows.append(_row(dataset, patient, cases[0].groups[config.by], labelled, config.view))
            on_progress(done, len(by_patient))
    table = GroupTable(tuple(rows))
    if not table.indices:
        raise InputError(f"nothing could be measured in view {config.view}", where=config.path)
    write_text(config.out, table.to_csv(config.by))
    return table


def _grouped_cases(dataset: Dataset, by: str) -> dict[str, list[Case]]:
    """The labelled cases of each patient of a known group.

    Raises:
        InputError: there is none.
    """
    found: dict[str, list[Case]] = {}
    for case in dataset.cases():
        if case.groups.get(by) and case.read_labels is not None:
            found.setdefault(case.patient, []).append(case)
    if not found:
        known = sorted({key for case in dataset.cases() for key in case.groups} - {"patient"})
        raise InputError(
            f"no labelled patient has a group {by!r}", remedy=f"choose from: {', '.join(known) or 'none'}."
        )
    return found


def _labelled(
    cases: Sequence[Case], dataset: Dataset, files: Mapping[str, Path] | None
) -> Iterator[tuple[Case, LabelMap]]:
    for case in cases:
        if files is None:
            assert case.read_labels is not None
            yield case, case.read_labels()
        elif case.name not in files:
            raise InputError(f"there are no labels of {case.name}", remedy=f"expected is {case.name}_labels.nii.gz.")
        else:
            yield case, predict_from_labels(files, dataset.scheme)(case).predicted


def _view_of(case: Case, labels: LabelMap) -> LabelledView:
    return LabelledView(labels, case.view, case.phase, case.modality)


def _row(dataset: Dataset, patient: str, group: str, labelled: Mapping[str, LabelledView], view: str) -> GroupRow:
    person = dataset.exam(patient).patient if patient in dataset.exams() else Patient()
    measures = measure_labels(labelled, exam=patient, patient=person)
    values = {key: each.value for key, each in indices_of(measures, view).items() if each.is_usable}
    return GroupRow(patient, patient, group, values)


def train_classifier(config: ClassifyTrainConfig, reporter: ProgressReporter = SILENT) -> TrainedClassifier:
    """Cross-validate on a table, then learn from all of it; nothing is chosen on exams that are tested on.

    Raises:
        InputError: the table cannot be read, or nothing can be learned from it.
        UsageError: there is something else where the classifier is to be.
        WorkError: nothing can be written.
    """
    if config.out is not None:
        require_replaceable(config.out, begins=("{",), what="classifier")
    everyone = read_group_table(config.table, config.by)
    require_learnable(everyone)
    indices = everyone.chosen_indices(config.indices)
    other = None if config.tested_on is None else read_group_table(config.tested_on, config.by)
    tested = None if other is None else same_exams(everyone, other)
    regressions = fit_regressions(everyone, indices)
    least = min((each.indices for each in regressions), key=len)
    table = everyone.with_all(least)
    if tested is not None:
        tested = tested.of(row.patient for row in table.rows)
    with reporter.stage("cross-validating") as on_progress:
        scores = cross_validate(
            table, indices, folds=config.folds, repeats=config.repeats, tested=tested, on_progress=on_progress
        )
    numbers = table.numbers(table.groups)
    counts = tuple(int((numbers == number).sum()) for number in range(len(table.groups)))
    classifier = GroupClassifier(
        name=config.name or (config.out or config.table).stem,
        view=config.view,
        groups=table.groups,
        counts=counts,
        regressions=regressions,
        scores=scores,
        terms=Terms(config.licence, config.citation),
        learned_from=config.learned_from,
    )
    if config.out is not None:
        write_text(config.out, classifier_text(classifier))
    return TrainedClassifier(classifier, scores, tuple(_lacking(everyone, table, least)))


def _lacking(everyone: GroupTable, table: GroupTable, least: Sequence[str]) -> Iterator[str]:
    kept = {row.name for row in table.rows}
    for row in everyone.rows:
        if row.name not in kept:
            yield f"{row.name} was left out: it lacks {next(key for key in least if key not in row.values)}"
