"""Configurations of the verbs that make models; apart from what makes them, so that reading options loads no torch."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from cardiotrace.core.errors import UsageError
from cardiotrace.core.terms import View
from cardiotrace.learning.training.hardware import Accelerator, Hardware


@dataclass(frozen=True, kw_only=True)
class RecipeConfig:
    """Which recipe, on which data, and to where."""

    recipe: Path
    """A .toml file, such as recipes/camus-unet1.toml."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """Folder of the run, or of all of them; default: runs/<name of the recipe>."""
    overrides: dict[str, Any] = field(default_factory=dict)
    """Changes to the recipe, such as training.epochs=2."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""
    accelerator: Accelerator = "auto"
    """Where to compute."""

    @property
    def hardware(self) -> Hardware:
        """Devices of each run."""
        return Hardware(self.accelerator)


@dataclass(frozen=True, kw_only=True)
class TrainConfig(RecipeConfig):
    """One training run."""

    fold: int | None = None
    """Fold to hold out, from 1."""
    resume: bool = False
    """Continue the run in the folder."""
    start_from: Path | None = None
    """Folder of a finished run: its best weights are the first ones of this run; a resumed run does not look at it."""
    processes: int = 1
    """Devices, or processes on the CPU, to train with in parallel."""

    @property
    def hardware(self) -> Hardware:
        """Devices of the run."""
        return Hardware(self.accelerator, self.processes)


@dataclass(frozen=True, kw_only=True)
class MethodOfAdaptation:
    """How to serve a domain without labels."""

    method: str
    """dann, coral, ...: `cardiotrace adapt --help` tells all; takes the place of that of the recipe."""


@dataclass(frozen=True, kw_only=True)
class AdaptConfig(TrainConfig, MethodOfAdaptation):
    """One training that serves further domains without their labels."""


@dataclass(frozen=True, kw_only=True)
class ProbeConfig:
    """Whose features, and which."""

    runs: tuple[Path, ...]
    """Folders of finished runs of adapted networks, or of one of the source alone."""
    data: Path | None = None
    """Folder of their data set; default: the one of its name below CARDIOTRACE_DATA."""
    level: Literal["bottleneck", "decoder", "both"] = "bottleneck"
    """Deepest features, those that the last layer makes labels of, or both."""
    seed: int = 0
    """Of the convolutional probe."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""


@dataclass(frozen=True, kw_only=True)
class CrossvalConfig(RecipeConfig):
    """Which recipe, on what, how many folds; one folder per fold is made in `out`."""

    folds: int = 10
    """Number of folds: the data set's own where it publishes as many, else made by patient."""
    only: tuple[int, ...] = ()
    """Run only these folds."""
    leave_one_out: str | None = None
    """In place of folds one run for each vendor, centre, dataset or pathology, which is tested on it and learns from
    the others; finished folds in the same folder stand beside it in the table."""
    start_from: Path | None = None
    """Folder of another cross-validation with folds of the same patients: each fold begins with the best weights of its
    own number there."""
    jobs: int = 1
    """Folds at a time, each in a process with its share of the processors."""

    def __post_init__(self) -> None:
        _require_jobs(self.jobs)
        if self.folds < 2:
            raise UsageError(f"--folds must be at least 2, got {self.folds}")
        if self.only and self.leave_one_out is not None:
            raise UsageError("--only chooses folds, and --leave-one-out runs none", remedy="leave out one of them.")
        if self.start_from is not None and self.leave_one_out is not None:
            raise UsageError(
                "--start-from is for folds, and --leave-one-out runs none", remedy="leave out one of them."
            )
        for number in self.only:
            if not 1 <= number <= self.folds:
                raise UsageError(f"there is no fold {number}: folds are 1 to {self.folds}")

    def wants(self, number: int) -> bool:
        """Whether a fold is to be run."""
        return not self.only or number in self.only


@dataclass(frozen=True, kw_only=True)
class SweepConfig(RecipeConfig):
    """Which sweep, on what, how many runs at a time; one folder per run is made in `out`."""

    jobs: int = 1
    """Runs at a time, each in a process with its share of the processors."""

    def __post_init__(self) -> None:
        _require_jobs(self.jobs)


@dataclass(frozen=True, kw_only=True)
class QueueConfig:
    """Which trainings, in which order, for how long, and whether they travel."""

    queue: Path
    """A .toml list of trainings, or a folder that --pack made."""
    data: Path | None = None
    """Folder below which the data sets lie under their names; default: CARDIOTRACE_DATA. A packed folder needs none."""
    out: Path = Path("runs")
    """Folder of the runs, each below it under its name."""
    minutes: float | None = None
    """Stop after so many minutes; what is not finished goes on at the next call."""
    pixels: int | None = None
    """Height and width of all prepared images, in place of the recipes'; smaller ones travel lighter."""
    pack: Path | None = None
    """Train nothing: put all that the waiting trainings need into this folder, for a machine without the data."""
    bring: Path | None = None
    """Put weights, logs and tables into few files in this folder, when time is over."""
    take: Path | None = None
    """Train nothing: unpack what --bring made, then export and score what is finished."""
    most_mib: float = 60.0
    """Of all files of --bring together."""
    file_mib: float = 15.0
    """Of each file of --bring."""
    show: bool = False
    """Only show what is done and what waits."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""
    accelerator: Accelerator = "auto"
    """Where to compute."""

    def __post_init__(self) -> None:
        for name in ("minutes", "pixels", "most_mib", "file_mib"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"--{name.replace('_', '-')} must be above 0, got {value}")
        if sum((self.pack is not None, self.take is not None, self.show)) > 1:
            raise UsageError("--pack, --take and --show are three things to do", remedy="give one of them.")
        if self.bring is not None and (self.pack is not None or self.take is not None or self.show):
            raise UsageError("--bring packs what was trained", remedy="leave out --pack, --take and --show.")

    @property
    def hardware(self) -> Hardware:
        """Devices of each run."""
        return Hardware(self.accelerator)


def _require_jobs(jobs: int) -> None:
    if jobs < 1:
        raise UsageError(f"--jobs must be at least 1, got {jobs}")


@dataclass(frozen=True, kw_only=True)
class ExportConfig:
    """Which run, its data, and where the model goes."""

    run: Path
    """Run folder."""
    out: Path | None = None
    """Model file; default: model.onnx in the run folder."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    half_weights: bool = True
    """Store weights in float16 (arithmetic stays float32): half the size."""
    cache: Path | None = None
    """Folder for packed data; default: CARDIOTRACE_CACHE, or the user's cache folder."""
    default_for: tuple[View, ...] = ()
    """Views for which it is preferred over other models, such as A4C."""
    postprocessing: Path | None = None
    """File of post-processing steps in place of those of the recipe: what `cardiotrace postprocess` wrote."""


@dataclass(frozen=True, kw_only=True)
class JoinConfig:
    """Which models become one, and what it is scored on."""

    members: tuple[str, ...]
    """Names or paths of at least two models that prepare images alike."""
    name: str = "ensemble"
    """Of the new model."""
    data: Path | None = None
    """Folder of the first model's data set: score on the validation part of its split, which no other may have seen."""
    tested: Path | None = None
    """Or take the scores of a cross-validation whose folds these models are: its testing.json. Each case was scored
    there by the member that had not seen it."""
    out: Path | None = None
    """Where it goes; default: NAME.onnx here."""
    summary: str = ""
    """One line about it; default: its members."""
    default_for: tuple[View, ...] = ()
    """Views for which it is to be preferred over other models."""
    postprocessing: Path | None = None
    """File of post-processing steps in place of those of the members: what `cardiotrace postprocess` wrote."""

    @property
    def place(self) -> Path:
        """Where the model goes."""
        return self.out or Path(f"{self.name}.onnx")


@dataclass(frozen=True, kw_only=True)
class CalibrateConfig:
    """Which cross-validation, which model, and to where."""

    run: Path
    """Folder of a cross-validation whose folds, or some of them, are finished."""
    model: str
    """Name or path of the model that is to know how sure it is; its file stays as it is."""
    data: Path | None = None
    """Folder of the data set; default: the one of its name below CARDIOTRACE_DATA."""
    out: Path | None = None
    """The calibrated copy, a .onnx file; without it tables are printed and nothing is written."""
    part: str = ""
    """Of a joined data set, count the patients of this part alone, such as acdc; default: of all of them."""
    coverage: float = 0.90
    """Share of patients whose truth is to lie within an interval."""
    resplits: int = 200
    """How many times patients are parted anew into some who calibrate and some who test, for the table."""
    all_patients: bool = False
    """Calibrate also with patients whom the data set's official split keeps for validation and testing."""
    test_time_augmentation: bool = False
    """Average each fold's model over slightly changed versions of each image: intervals then hold for exams that are
    analysed so, and for no others."""
    plots: Path | None = None
    """Write the curve of referral and the diagram of reliability to this folder."""

    def __post_init__(self) -> None:
        if not 0.5 <= self.coverage <= 0.99:
            raise UsageError(f"--coverage is a share from 0.5 to 0.99, got {self.coverage:g}")
        if self.resplits < 1:
            raise UsageError(f"--resplits must be at least 1, got {self.resplits}")
