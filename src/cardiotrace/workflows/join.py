"""Several models to one file, with scores that are honest about what its members have seen."""

from dataclasses import replace
from pathlib import Path

from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split, fold_seed
from cardiotrace.evaluation.table import read_case_table
from cardiotrace.inference.localiser import Localiser
from cardiotrace.inference.model_file import LOCALISER, Model, seal
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.inference.zoo import find_model, load_model
from cardiotrace.learning.ensemble import join
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.recipe import SPLIT_FILE, DataSettings, require_name
from cardiotrace.workflows.configs import JoinConfig
from cardiotrace.workflows.export import calibrated, scores_of
from cardiotrace.workflows.services.dataset import open_dataset
from cardiotrace.workflows.services.model_place import require_model_place, write_model
from cardiotrace.workflows.services.steps import read_postprocessing
from cardiotrace.workflows.train import split_of


def join_models(config: JoinConfig, reporter: ProgressReporter = SILENT) -> ModelSpec:
    """Write the ensemble, scored on data that no member has learned from, or with its members' scores.

    Raises:
        ModelFileError: a model cannot be read, or they do not fit together.
        ConfigError: the name is none that a file can have.
        UsageError: both data and a table of scores are given, or a member or another file would be overwritten.
        InputError: the first member does not say which data it was made with, or they cannot be used.
        WorkError: nothing can be written.
    """
    require_name(config.name)
    require_model_place(config.place)
    if config.data is not None and config.tested is not None:
        raise UsageError("scores are either measured on --data or taken from --tested")
    members = _members(config)
    spec, graph = join(members, name=config.name, summary=config.summary)
    spec = replace(spec, default_for=config.default_for)
    if config.postprocessing is not None:
        spec = replace(spec, postprocessing=read_postprocessing(config.postprocessing))
    localiser = Localiser.within(members[0])
    if config.data is not None:
        dataset, split = data_of(members[0].spec, config.data)
        predictor, adaptation = Predictor.of_graph(spec, graph, localiser=localiser), _adaptation_of(members[0].spec)
        spec, _ = calibrated(predictor, dataset, split, reporter, adaptation=adaptation)
    if config.tested is not None:
        spec = replace(spec, scores={"members": scores_of(read_case_table(config.tested))})
    further = {} if localiser is None else {LOCALISER: localiser.graph}
    write_model(config.place, seal(graph, spec, graphs=further), reporter)
    return spec


def _members(config: JoinConfig) -> list[Model]:
    paths = [find_model(name) for name in config.members]
    if config.place.exists() and any(path.samefile(config.place) for path in paths):
        raise UsageError("this would overwrite a member", where=config.place, remedy="choose another --out.")
    members = [load_model(path) for path in paths]
    for member in members:
        member.spec.require_labels()
    return members


def data_of(spec: ModelSpec, root: Path | None) -> tuple[Dataset, Split]:
    """The data set that a model learned from, and in which parts.

    Args:
        spec: of the model.
        root: where the data set lies; None: below CARDIOTRACE_DATA.

    Raises:
        InputError: the model does not say which data, or they are not there.
    """
    training = spec.training
    if "data" not in training.recipe:
        raise InputError(f"model {spec.name!r} does not say which data it was made with")
    data = from_plain(DataSettings, training.recipe["data"], path="data")
    dataset = open_dataset(data.dataset, root)
    seed = fold_seed(data.seed, training.recipe.get("seed", 0))
    if data.split.endswith(SPLIT_FILE) and not Path(data.split).is_file():
        raise InputError(
            f"model {spec.name!r} was made with a split of its own, {data.split}, which is not here",
            remedy="run this where that file lies, or take the scores of a cross-validation with --tested.",
        )
    return dataset, split_of(data, dataset, training.fold, seed=seed, adaptation=_adaptation_of(spec))


def _adaptation_of(spec: ModelSpec) -> Adaptation | None:
    """Whose labels the model must not have seen; None where it learned from all."""
    told = spec.training.recipe.get("adaptation")
    return None if told is None else from_plain(Adaptation, told, path="adaptation")
