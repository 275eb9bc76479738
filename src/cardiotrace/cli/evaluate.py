"""cardiotrace evaluate PREDICTED REFERENCE."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from cardiotrace.cli.output import say
from cardiotrace.cli.scores import print_problems, print_scores
from cardiotrace.cli.settings import groups, settings
from cardiotrace.cli.terminal import Terminal
from cardiotrace.evaluation.table import case_rows, to_text
from cardiotrace.workflows.evaluate import EvaluateConfig, Part, evaluate


@dataclass(frozen=True)
class EvaluateOptions:
    """Scores of label maps, or of a model, against a reference, and of a second observer where there is one."""

    predicted: tyro.conf.Positional[Annotated[str, tyro.conf.arg(metavar="PREDICTED")]]
    """Folder of label maps, or name or path of a model."""
    reference: tyro.conf.Positional[Annotated[Path, tyro.conf.arg(metavar="REFERENCE")]]
    """Folder of reference label maps, or of a data set."""
    dataset: str | None = None
    """Name of the data set that REFERENCE is, see `cardiotrace data list`."""
    option: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=VALUE")] = ()
    """EvaluateOptions of the data set, such as views=["4CH"]."""
    part: Part = "all"
    """Part of the split to score on."""
    split: str = "official"
    """Which split of the data set, or k-fold."""
    fold: int | None = None
    """Which fold, from 1."""
    folds: int | None = None
    """How many folds, for k-fold; default: 5."""
    fold_seed: int | None = None
    """Who is in which fold, for k-fold: the seed of the recipe; default: 0."""
    scheme: str | None = None
    """What the values of two folders mean: camus, acdc, mnms, ..."""
    spacing_mm: Annotated[tuple[float, ...] | None, tyro.conf.arg(metavar="HEIGHT WIDTH [DEPTH]")] = None
    """Size of a pixel, mm, and the distance of slices, in place of what the files of two folders say."""
    test_time_augmentation: bool = False
    """Average the model over slightly changed versions of each image."""
    by: str = "phase"
    """Group the scores by phase, view, patient, or a group key such as quality or ef-class."""
    only: Annotated[tuple[str, ...], tyro.conf.arg(metavar="KEY=GROUP,...")] = ()
    """Score some groups only, such as quality=good,medium."""
    limits: Annotated[tuple[str, ...], tyro.conf.arg(metavar="NAME...")] = ()
    """What counts as an outlier: leclerc-2019, ru-net-printed, ru-net-transposed, a model, or fit (the least of the
    references of the training and validation parts); default: leclerc-2019 and the model's own limits."""
    out: Path | None = None
    """Write the table of cases to a .json or .csv file."""
    plots: Path | None = None
    """Write box plots of the scores and plots of agreement to this folder."""
    gallery: Path | None = None
    """Write images of the worst cases, and a page that shows them, to this folder."""
    worst: int = 10
    """How many cases the gallery shows."""
    json: bool = False
    """Print the table of cases as JSON."""


def run(options: EvaluateOptions) -> None:
    """Score and print."""
    config = EvaluateConfig(
        predicted=options.predicted,
        reference=options.reference,
        dataset=options.dataset,
        options=settings(options.option),
        part=options.part,
        split=options.split,
        fold=options.fold,
        folds=options.folds,
        fold_seed=options.fold_seed,
        scheme=options.scheme,
        spacing_mm=options.spacing_mm,
        test_time_augmentation=options.test_time_augmentation,
        only=groups(options.only),
        limits=options.limits,
        by=options.by,
        out=options.out,
        plots=options.plots,
        gallery=options.gallery,
        worst=options.worst,
    )
    with Terminal() as terminal:
        done = evaluate(config, terminal)
    if options.json:
        say(to_text(case_rows(done.table), "json"), end="")
        print_problems(done.table)
    else:
        print_scores(done.table, by=options.by)
        if done.observer is not None:
            print_scores(done.observer, by=options.by, of="second observer")
