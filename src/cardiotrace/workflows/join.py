"""Several models to one file, scored on the validation part of the first one's data set."""

from dataclasses import dataclass
from pathlib import Path

from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import View
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split
from cardiotrace.inference.model_file import Model
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.inference.zoo import find_model, load_model
from cardiotrace.learning.ensemble import join
from cardiotrace.learning.training.recipe import DataSettings
from cardiotrace.workflows.data import choose_split, open_dataset
from cardiotrace.workflows.export import judged, write_model
from cardiotrace.workflows.watch import SILENT, Watch


@dataclass(frozen=True)
class JoinConfig:
    """Which models become one, and what it is judged on."""

    members: tuple[str, ...]
    """Names or paths of models."""
    name: str
    out: Path
    summary: str = ""
    data: Path | None = None
    """Folder of the data set of the first member."""
    default_for: tuple[View, ...] = ()
    """Views for which the ensemble is to be preferred over others."""


def join_models(config: JoinConfig, watch: Watch = SILENT) -> ModelSpec:
    """Write the ensemble, with threshold, limits and scores from the data that the first member was made with.

    Members must not have learned from the validation part of the first one: folds of one split do that.

    Raises:
        ModelFileError: a model cannot be read, or they do not fit together.
        InputError: the first member does not say which data it was made with, or they cannot be used.
        WorkError: nothing can be written.
    """
    members = [load_model(find_model(name)) for name in config.members]
    model = join(members, name=config.name, summary=config.summary)
    dataset, split = _made_with(members[0], config.data)
    model, _ = judged(model, dataset, split, watch)
    return write_model(model, config.out, config.default_for, watch)


def _made_with(model: Model, root: Path | None) -> tuple[Dataset, Split]:
    training = model.spec.training
    if "data" not in training.recipe:
        raise InputError(f"model {model.spec.name!r} does not say which data it was made with")
    data = from_plain(DataSettings, training.recipe["data"], path="data")
    dataset = open_dataset(data.dataset, root)
    seed = training.recipe.get("seed", 0) if data.seed is None else data.seed
    split = choose_split(dataset, data.split, folds=data.folds, fold=training.fold, seed=seed)
    return dataset, split.on_disk({case.patient for case in dataset.cases()})
