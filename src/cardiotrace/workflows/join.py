"""Several models to one file, with scores that are honest about what its members have seen."""

from dataclasses import dataclass
from pathlib import Path

from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.terms import View
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split, fold_seed
from cardiotrace.evaluation.table import read_table
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.inference.zoo import find_model, load_model
from cardiotrace.learning.ensemble import join
from cardiotrace.learning.training.recipe import SPLIT_FILE, DataSettings, require_name
from cardiotrace.workflows.export import calibrated, require_model_place, resealed, scores_of, write_model
from cardiotrace.workflows.services.dataset import open_dataset
from cardiotrace.workflows.services.progress import SILENT, ProgressReporter
from cardiotrace.workflows.train import split_of


@dataclass(frozen=True)
class JoinConfig:
    """Which models become one, and what it is judged on."""

    members: tuple[str, ...]
    """Names or paths of models."""
    name: str
    out: Path
    summary: str = ""
    data: Path | None = None
    """Folder of the first member's data set: the ensemble is scored on the validation part of its split."""
    tested: Path | None = None
    """Table of cases that stands for the ensemble's own scores, which cannot be had where every case was learned from
    by some member: that of a cross-validation, where each case was scored by the member that had not seen it."""
    default_for: tuple[View, ...] = ()
    """Views for which the ensemble is to be preferred over others."""


def join_models(config: JoinConfig, watch: ProgressReporter = SILENT) -> ModelSpec:
    """Write the ensemble, scored on data that no member has learned from, or with its members' scores.

    Raises:
        ModelFileError: a model cannot be read, or they do not fit together.
        ConfigError: the name is none that a file can have.
        UsageError: both data and a table of scores are given, or a member or another file would be overwritten.
        InputError: the first member does not say which data it was made with, or they cannot be used.
        WorkError: nothing can be written.
    """
    require_name(config.name)
    require_model_place(config.out)
    paths = [find_model(name) for name in config.members]
    if config.out.exists() and any(path.samefile(config.out) for path in paths):
        raise UsageError("this would overwrite a member", where=config.out, remedy="choose another --out.")
    members = [load_model(path) for path in paths]
    model = join(members, name=config.name, summary=config.summary)
    if config.data is not None and config.tested is not None:
        raise UsageError("scores are either measured on --data or taken from --tested")
    if config.data is not None:
        model, _ = calibrated(model, *_made_with(members[0], config.data), watch)
    if config.tested is not None:
        model = resealed(model, scores={"members": scores_of(read_table(config.tested))})
    return write_model(model, config.out, config.default_for, watch)


def _made_with(model: Model, root: Path) -> tuple[Dataset, Split]:
    training = model.spec.training
    if "data" not in training.recipe:
        raise InputError(f"model {model.spec.name!r} does not say which data it was made with")
    data = from_plain(DataSettings, training.recipe["data"], path="data")
    dataset = open_dataset(data.dataset, root)
    seed = fold_seed(data.seed, training.recipe.get("seed", 0))
    if data.split.endswith(SPLIT_FILE) and not Path(data.split).is_file():
        raise InputError(
            f"model {model.spec.name!r} was made with a split of its own, {data.split}, which is not here",
            remedy="run this where that file lies, or take the scores of a cross-validation with --tested.",
        )
    return dataset, split_of(data, dataset, training.fold, seed=seed)
