"""Whether the domains can be told from what networks have learned to see: the test of an adaptation's own claim."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.learning.training.adaptation.domains import Adaptation
from cardiotrace.learning.training.adaptation.features import Level
from cardiotrace.learning.training.adaptation.probe import (
    KINDS,
    Probed,
    ProbeResult,
    ProbeSettings,
    chosen,
    heard,
    probe,
)
from cardiotrace.learning.training.device_dataset import DeviceDataset, TrainingNeeds
from cardiotrace.learning.training.run import trained_model
from cardiotrace.workflows.configs import ProbeConfig
from cardiotrace.workflows.trained_run import TrainedRun, read_run

_LEVELS: dict[str, tuple[Level, ...]] = {
    "bottleneck": ("bottleneck",),
    "decoder": ("decoder",),
    "both": ("bottleneck", "decoder"),
}


@dataclass(frozen=True)
class ProbedRun:
    """What fresh probes say of one run."""

    name: str
    results: tuple[ProbeResult, ...]


def probe_runs(config: ProbeConfig, reporter: ProgressReporter = SILENT) -> tuple[ProbedRun, ...]:
    """Fresh probes on the frozen features of finished runs.

    They learn on the runs' training patients, whose labels they do not need, and are tested on the patients of the
    other parts, whom the network has never seen.

    Args:
        config: which runs, which features.
        reporter: told of progress.

    Raises:
        UsageError: no run is named.
        InputError: a run is not finished or knows no domains, or the data cannot be used.
    """
    if not config.runs:
        raise UsageError("whose features are to be probed?", remedy="name run folders.")
    return tuple(_probed(path, config, reporter) for path in config.runs)


def _probed(path: Path, config: ProbeConfig, reporter: ProgressReporter) -> ProbedRun:
    run = read_run(path, config.data, cache=config.cache, reporter=reporter)
    if run.recipe.adaptation is None:
        raise InputError(
            "its recipe knows no domains to be told apart", where=path, remedy="probe runs of `cardiotrace adapt`."
        )
    settings = ProbeSettings(seed=config.seed)
    network = trained_model(
        run.recipe, run.folder, channels=run.packed.images.shape[1], classes=run.dataset.scheme.class_count
    )
    levels, parts = _LEVELS[config.level], []
    others = (*run.split.validation, *run.split.testing)
    for name, patients in (("known", run.split.training), ("other", others)):
        dataset, domains = _samples(run, patients, run.recipe.adaptation, settings.most)
        with reporter.stage(f"looking at {name} patients") as on_progress:
            parts.append(heard(network, dataset, levels, domains, on_progress))
    learned, tested = parts
    results = [_of(level, learned, tested, settings) for level in levels]
    return ProbedRun(path.resolve().name, tuple(result for group in results for result in group))


def _of(
    level: Level, learned: dict[Level, Probed], tested: dict[Level, Probed], settings: ProbeSettings
) -> list[ProbeResult]:
    return [probe(level, kind, learned[level], tested[level], settings) for kind in KINDS]


def _samples(
    run: TrainedRun, patients: Sequence[str], adaptation: Adaptation, most: int
) -> tuple[DeviceDataset, list[str]]:
    """Prepared images of the domains that the run knows, some of each, and the domain of each."""
    indices = run.packed.indices_of(patients, labelled_only=False)
    samples = [run.packed.samples[index] for index in indices.tolist()]
    known = np.array([adaptation.is_source(one) or adaptation.is_target(one) for one in samples], bool)
    indices = indices[known]
    domains = [adaptation.domain_of(run.packed.samples[index]) for index in indices.tolist()]
    places = chosen(domains, most)
    recipe = run.recipe
    needs = TrainingNeeds(neighbours=recipe.neighbours, neighbours_of=recipe.neighbours_of)
    dataset = DeviceDataset(run.packed, indices[places], recipe.preprocessing, torch.device("cpu"), needs)
    return dataset, [domains[place] for place in places]
