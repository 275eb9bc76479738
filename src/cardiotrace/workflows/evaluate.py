"""Labels or a model against a reference."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Case
from cardiotrace.core.file import require_replaceable
from cardiotrace.core.label import LabelScheme
from cardiotrace.core.progress import OnProgress
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.terms import View
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split
from cardiotrace.evaluation.case_table import SCORES, CaseTable, require_group
from cardiotrace.evaluation.compare import ALL, known_scores
from cardiotrace.evaluation.evaluate import (
    PredictCase,
    evaluate_labels,
    evaluate_observer,
    evaluate_predictor,
    predict_from_labels,
    predict_with_model,
)
from cardiotrace.evaluation.limits import OutlierLimits
from cardiotrace.evaluation.pairing import folder_cases, label_files
from cardiotrace.evaluation.phase_table import require_instants
from cardiotrace.evaluation.quantity import CLINICAL, QUANTITIES
from cardiotrace.evaluation.score import case_groups
from cardiotrace.evaluation.selection import GroupFilter, select_items
from cardiotrace.evaluation.table import TABLE_BEGINS, beat_rows, case_rows, table_to_json, to_text
from cardiotrace.io import write_text
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.stored import ThirdAxis
from cardiotrace.workflows.services.dataset import K_FOLD, OFFICIAL, MadeFolds, cases_of, choose_split, open_dataset
from cardiotrace.workflows.services.exams import known_scheme
from cardiotrace.workflows.services.figure_folder import GALLERY_PAGE, figures_in, require_ours
from cardiotrace.workflows.services.limits import FIT, named_limits
from cardiotrace.workflows.services.tracing import Models

Part = Literal["training", "validation", "testing", "all"]
Layout = Literal["groups", "phases"]


@dataclass(frozen=True)
class EvaluateConfig:
    """What to score against what."""

    predicted: str
    """Folder of label maps, or name or path of a model."""
    reference: Path
    """Folder of reference label maps, or of a data set."""
    dataset: str | None = None
    """Name of the data set that REFERENCE is, see `cardiotrace data list`."""
    options: dict[str, Any] = field(default_factory=dict)
    """Options of the data set, such as views=["4CH"]."""
    part: Part = "all"
    """Part of the split to score on."""
    split: str = OFFICIAL
    """Which split of the data set, or k-fold."""
    fold: int | None = None
    """Which fold, from 1."""
    folds: int | None = None
    """How many folds, for k-fold; default: 5."""
    fold_seed: int | None = None
    """Who is in which fold, for k-fold: the seed of the recipe; default: 0."""
    scheme: str | None = None
    """What the values of two folders mean: camus, acdc, mnms, ..."""
    spacing_mm: GivenSpacing | None = None
    """Size of a pixel, mm, and the distance of slices, in place of what the files of two folders say."""
    third_axis: ThirdAxis = "auto"
    """What the third of three axes is in the reference of two folders, where files do not tell."""
    test_time_augmentation: bool = False
    """Average the model over slightly changed versions of each image."""
    by: str = "phase"
    """Group the scores by phase, view, patient, or a group key such as quality or ef-class."""
    layout: Layout = "groups"
    """How scores are printed: a row for each region and group, or as tables of cine-MRI are, with the phases ED, ES and
    both across, short and long axis, volumes and slices apart."""
    scores: tuple[str, ...] = ()
    """Scores to print in place of the usual ones, such as hausdorff95_mm, jaccard, precision, recall; all for each."""
    clinical: bool = False
    """Agreement of all that can be measured, not of ejection fractions, volumes and mass alone, and how patients are
    classed by their ejection fraction."""
    only: GroupFilter = field(default_factory=dict)
    """Score some groups only, such as quality=good,medium."""
    limits: tuple[str, ...] = ()
    """What counts as an outlier: leclerc-2019, ru-net-printed, ru-net-transposed, a model, or fit (the least of the
    references of the training and validation parts); default: leclerc-2019 and the model's own limits."""
    out: Path | None = None
    """Write the table of cases to a .json (can be compared later) or .csv file; that of a second observer goes beside
    it with "_observer" in its name, and of .csv those of slices of stacks with "_slices" and of films with "_beats"."""
    plots: Path | None = None
    """Write box plots of the scores and plots of agreement to this folder."""
    gallery: Path | None = None
    """Write images of the worst cases, and a page that shows them, to this folder."""
    figures: Path | None = None
    """Write the worst, the median and the best case of each view and phase, all slices predicted above reference, and a
    page that shows them, to this folder."""
    worst: int = 10
    """How many cases the gallery shows."""
    stratify: tuple[str, ...] = ()
    """Group keys that all folds hold in equal shares, for k-fold, such as pathology: those of the recipe."""
    validity: bool = False
    """Also how many labels are no heart's, of the predictions and of the reference: planes that fail anatomical
    criteria, and frames of films that depart from their neighbours."""

    @property
    def shown_scores(self) -> tuple[str, ...]:
        """The scores that were asked for by name, or as all of them; empty for the usual ones."""
        return SCORES if ALL in self.scores else self.scores

    @property
    def quantities(self) -> tuple[str, ...]:
        """The quantities whose agreement is shown, by name and unit."""
        return tuple(CLINICAL if self.clinical else QUANTITIES)


@dataclass(frozen=True)
class Evaluated:
    """Scores of predictions, and of a second observer on the same cases."""

    table: CaseTable
    observer: CaseTable | None = None
    """How far people agree; None where only one has traced the cases."""


@dataclass(frozen=True)
class _EvaluationTask:
    """What is to be scored, and how its predictions come about."""

    cases: list[Case]
    predict: PredictCase
    score: Callable[[list[Case], OnProgress], CaseTable]
    limits: OutlierLimits | None


def evaluate(config: EvaluateConfig, reporter: ProgressReporter = SILENT) -> Evaluated:
    """Score predictions case by case, and a second observer where the data set has one.

    Raises:
        UsageError: a model without a data set, words that would have no effect, groups that no case has, limits that
            cannot be had, or a file in the table's place that is none.
        InputError: nothing to compare, or no image at ED or ES where these are asked for.
        WorkError: nothing can be written.
    """
    if config.worst < 1:
        raise UsageError(f"the worst {config.worst} cases cannot be shown", remedy="give --worst 1 or more.")
    known_scores(config.scores)
    _require_used(config)
    if config.out is not None:
        _require_table(config.out)
    task = _task(config, reporter)
    require_group(config.by, map(case_groups, task.cases))
    if config.layout == "phases":
        require_instants(case.phase for case in task.cases)
    _require_places(config)
    with reporter.stage("scoring") as on_progress:
        table = task.score(task.cases, on_progress)
    if task.limits is not None:
        table = replace(table, limits=task.limits)
    scored = set(table.cases)
    done = Evaluated(table, evaluate_observer([case for case in task.cases if case.name in scored]))
    if config.out is not None:
        _write(done.table, config.out)
        if done.observer is not None:
            _write(done.observer, _beside(config.out, "observer"))
    _draw(done.table, task, config, reporter)
    return done


def _require_used(config: EvaluateConfig) -> None:
    """Refuse words that would be passed over: whoever gave them would take the scores for those of something else."""
    usual = EvaluateConfig(config.predicted, config.reference)
    for idle in _IDLE:
        given = [name for name in idle.names if getattr(config, name) != getattr(usual, name)]
        if given and idle.applies(config):
            raise UsageError(f"--{given[0].replace('_', '-')} {idle.why}", remedy=idle.remedy)


@dataclass(frozen=True)
class _Idle:
    """Options that have no effect beside others."""

    names: tuple[str, ...]
    applies: Callable[[EvaluateConfig], bool]
    why: str
    remedy: str


def _has_dataset(config: EvaluateConfig) -> bool:
    return config.dataset is not None


_OF_DATA_SETS = ("part", "split", "fold", "folds", "fold_seed", "stratify")
_OF_FOLDERS = {
    "scheme": "a data set has a scheme of its own.",
    "spacing_mm": "a data set of files takes --option spacing_mm=[DEPTH,HEIGHT,WIDTH].",
    "third_axis": "a data set of files takes --option third_axis=time or depth.",
}
_IDLE = (
    _Idle(
        _OF_DATA_SETS,
        lambda config: config.dataset is None,
        "is for data sets",
        "say which one REFERENCE is with --dataset.",
    ),
    *(_Idle((name,), _has_dataset, "is for two folders of label maps", remedy) for name, remedy in _OF_FOLDERS.items()),
    _Idle(
        _OF_DATA_SETS,
        lambda config: config.part == "all" and FIT not in config.limits,
        "has no effect with --part all",
        "say what of it to score on, such as --part testing.",
    ),
    _Idle(
        ("folds", "fold_seed", "stratify"),
        lambda config: config.split != K_FOLD,
        "is for folds that are made here",
        f"give --split {K_FOLD} with it.",
    ),
    _Idle(
        ("by",),
        lambda config: config.layout == "phases" and config.plots is None,
        "has no effect with --layout phases",
        "take --layout groups, or leave it out.",
    ),
)


def _require_table(path: Path) -> None:
    """Refuse a place for the table before the work that would be lost, or a file in it that somebody needs."""
    if path.suffix not in (".json", ".csv"):
        raise UsageError(f"--out {path.name} names no kind of table", remedy="let it end in .json or .csv.")
    tables = [path, _beside(path, "observer")]
    further = [_beside(file, word) for file in tables if file.suffix == ".csv" for word in ("slices", "beats")]
    for file in (*tables, *further):
        require_replaceable(file, begins=TABLE_BEGINS, what="table of cases")


def _beside(path: Path, word: str) -> Path:
    return path.with_stem(f"{path.stem}_{word}")


def _write(table: CaseTable, path: Path) -> None:
    if path.suffix != ".csv":
        write_text(path, table_to_json(table))
        return
    write_text(path, to_text(case_rows(table), "csv"))
    if table.slices:
        write_text(_beside(path, "slices"), to_text(case_rows(table.by_slice()), "csv"))
    if table.beats:
        write_text(_beside(path, "beats"), to_text(beat_rows(table), "csv"))


def _require_places(config: EvaluateConfig) -> None:
    """Make the folders of the figures, and refuse those of somebody else's: before the work, not after it."""
    if config.gallery is not None and config.gallery == config.figures:
        raise UsageError(
            "--gallery and --figures each write a page of one name", remedy="give each of them a folder of its own."
        )
    if config.plots is not None:
        require_ours(config.plots, option="--plots")
    for option, folder in (("--gallery", config.gallery), ("--figures", config.figures)):
        if folder is not None:
            require_ours(folder, option=option, certain=(GALLERY_PAGE,))


def _draw(table: CaseTable, task: _EvaluationTask, config: EvaluateConfig, reporter: ProgressReporter) -> None:
    """Plots and gallery; what draws them is loaded only if they are wanted."""
    if config.plots is not None:
        from cardiotrace.workflows.services.plots import write_plots

        with figures_in(config.plots, option="--plots") as folder:
            write_plots(table, folder, by=config.by, keys=config.quantities)
    if config.gallery is not None:
        from cardiotrace.workflows.services.gallery import write_gallery

        with reporter.stage("drawing the worst cases"), figures_in(config.gallery, option="--gallery") as folder:
            write_gallery(table, task.cases, task.predict, folder, count=config.worst)
    if config.figures is not None:
        from cardiotrace.workflows.services.gallery import write_figures

        with reporter.stage("drawing cases"), figures_in(config.figures, option="--figures") as folder:
            write_figures(table, task.cases, task.predict, folder)


def _task(config: EvaluateConfig, reporter: ProgressReporter) -> _EvaluationTask:
    folder = Path(config.predicted)
    if config.dataset is None:
        if not folder.is_dir():
            raise UsageError("a model is scored on a data set", remedy="say which one REFERENCE is with --dataset.")
        if config.scheme is None:
            raise UsageError("two folders of labels need a scheme", remedy="say what the values mean with --scheme.")
        scheme = known_scheme(config.scheme)
        files = label_files(config.reference)
        cases = folder_cases(files, scheme, spacing_mm=config.spacing_mm, third_axis=config.third_axis)
        cases = select_items(cases, config.only)
        return _label_task(folder, scheme, cases, named_limits(config.limits), config)
    dataset = open_dataset(Choice(config.dataset, config.options), config.reference)
    cases = select_items(_cases(dataset, config), config.only)
    limits = named_limits(config.limits, _references(dataset, config), reporter=reporter)
    if folder.is_dir():
        return _label_task(folder, dataset.scheme, cases, limits, config)
    predictor = Models(config.predicted).predictor(View.UNKNOWN)
    augmented = config.test_time_augmentation
    return _EvaluationTask(
        cases,
        predict_with_model(predictor, test_time_augmentation=augmented),
        lambda cases, on_progress: evaluate_predictor(
            predictor,
            cases,
            test_time_augmentation=augmented,
            with_validity=config.validity,
            on_progress=on_progress,
        ),
        limits,
    )


def _label_task(
    folder: Path,
    scheme: LabelScheme,
    cases: list[Case],
    limits: OutlierLimits | None,
    config: EvaluateConfig,
) -> _EvaluationTask:
    # A data set states its sizes itself: `_require_used` refuses others with it.
    spacing_mm = config.spacing_mm
    return _EvaluationTask(
        cases,
        predict_from_labels(label_files(folder), scheme, spacing_mm=spacing_mm),
        lambda cases, on_progress: evaluate_labels(
            folder,
            cases,
            scheme,
            spacing_mm=spacing_mm,
            with_validity=config.validity,
            on_progress=on_progress,
        ),
        limits,
    )


def _cases(dataset: Dataset, config: EvaluateConfig) -> list[Case]:
    if config.part == "all":
        return dataset.cases()
    return cases_of(dataset, getattr(_split(dataset, config), config.part))


def _references(dataset: Dataset, config: EvaluateConfig) -> Iterator[Case]:
    """The cases that limits are fitted on, found only when asked for."""
    split = _split(dataset, config)
    yield from cases_of(dataset, [*split.training, *split.validation])


def _split(dataset: Dataset, config: EvaluateConfig) -> Split:
    made = MadeFolds(config.folds or 5, config.fold_seed or 0, config.stratify)
    return choose_split(dataset, config.split, fold=config.fold, made=made)
