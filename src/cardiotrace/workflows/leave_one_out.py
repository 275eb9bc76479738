"""One run for each vendor, centre, data set or pathology, which learns from the others: what a new domain costs."""

import dataclasses
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.split import LeftOut, groups_to_leave_out
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.limits import combined
from cardiotrace.evaluation.table import read_case_table, table_to_json
from cardiotrace.io import write_text
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import Recipe, read_recipe
from cardiotrace.workflows.configs import CrossvalConfig
from cardiotrace.workflows.crossval import Fold, FoldPlan, FoldResult, checked_fold, finished_folds
from cardiotrace.workflows.data_opener import DataOpener
from cardiotrace.workflows.train import PlannedRun, split_of_recipe


@dataclass(frozen=True)
class DomainScore:
    """Mean Dice of a region in one domain: of the model that saw none of it, and of folds that saw others of it."""

    domain: str
    region: str
    images: int
    """On which the left-out score was counted."""
    left_out: float
    """0..1; NaN where no image has the region."""
    folds: float = math.nan
    """0..1; NaN where no folds are at hand."""

    @property
    def drop(self) -> float:
        """What is lost where the domain is new; negative where something is gained.

        Example:
            >>> round(DomainScore("Siemens", "LV", 12, 0.84, 0.93).drop, 2)
            0.09
        """
        return self.folds - self.left_out


@dataclass(frozen=True)
class LeftOutResult:
    """All domains, each scored by the model that never saw it."""

    key: str
    table: CaseTable
    """The images of all domains together."""
    scores: tuple[DomainScore, ...]


def leave_one_out(config: CrossvalConfig, key: str, reporter: ProgressReporter = SILENT) -> LeftOutResult:
    """Train and test once for each group under a key; finished runs are kept, an interrupted one goes on.

    The runs lie below `leave-one-out-<key>` in the folder of the recipe; folds that `crossval` finished there with the
    same recipe give the scores that stand beside them.

    Args:
        config: which recipe, on what.
        key: group key, such as vendor, dataset, centre or pathology.
        reporter: told of progress.

    Raises:
        ConfigError: the recipe is wrong.
        UsageError: a folder holds a run of another recipe or of other patients.
        InputError: the data cannot be used, or have no two groups under the key.
        WorkError: a training diverged, or nothing can be written.
    """
    opener = DataOpener(config.data, config.cache)
    plan, domains = _plan(config, key, opener)
    wanted = {fold.number for fold in plan.folds}
    results = dict(zip(domains, finished_folds(plan, wanted, config.jobs, opener, reporter), strict=True))
    table = _together(key, results, plan)
    write_text(RunFolder(plan.out).testing, table_to_json(table))
    folds = _folds_beside(plan, reporter)
    return LeftOutResult(key, table, domain_scores(key, table, folds))


def domain_scores(key: str, left_out: CaseTable, folds: CaseTable | None = None) -> tuple[DomainScore, ...]:
    """Mean Dice of each domain and region, left out and in folds.

    Args:
        key: group key that the domains are of.
        left_out: each image scored by a model that saw no other of its domain.
        folds: each image scored by a model that may have; None where there are none.
    """
    seen = {} if folds is None else _dice(key, folds)
    return tuple(
        DomainScore(domain, region, images, mean, seen.get((domain, region), (0, math.nan))[1])
        for (domain, region), (images, mean) in sorted(_dice(key, left_out).items())
    )


def _dice(key: str, table: CaseTable) -> dict[tuple[str, str], tuple[int, float]]:
    """Number of images and mean Dice by domain and region."""
    found = {}
    for domain in {row.groups[key] for row in table.rows if row.groups.get(key)}:
        rows = tuple(row for row in table.rows if row.groups.get(key) == domain)
        for item in dataclasses.replace(table, rows=rows).summaries("all", scores=("dice",)):
            found[domain, item.region] = (item.summary.count, item.summary.mean)
    return found


def _plan(config: CrossvalConfig, key: str, opener: DataOpener) -> tuple[FoldPlan, tuple[str, ...]]:
    """The runs, and which domain each leaves out."""
    recipe = read_recipe(config.recipe, config.overrides)
    dataset = opener.dataset(recipe.data.dataset)
    domains = groups_to_leave_out(dataset.cases(), key)
    out = (config.out or Path("runs") / recipe.name) / f"leave-one-out-{key}"
    runs = [_run(recipe, LeftOut(key, domain), out, config, opener) for domain in domains]
    folds = [
        checked_fold(Fold(number, run, str(run.recipe.data.leave_out))) for number, run in enumerate(runs, start=1)
    ]
    return FoldPlan(recipe, dataset, out, tuple(folds)), domains


def _run(recipe: Recipe, left_out: LeftOut, out: Path, config: CrossvalConfig, opener: DataOpener) -> PlannedRun:
    recipe = dataclasses.replace(recipe, data=dataclasses.replace(recipe.data, leave_out=left_out))
    split = split_of_recipe(recipe, opener.dataset(recipe.data.dataset), None)
    folder = RunFolder(out / folder_name(left_out.value))
    return PlannedRun(recipe, split, folder, resume=True, hardware=config.hardware)


def folder_name(domain: str) -> str:
    """A group as the name of a folder.

    Example:
        >>> folder_name("General Electric"), folder_name("<=45")
        ('General-Electric', '3C3D45')
    """
    return re.sub(r"[^A-Za-z0-9._+-]", lambda found: f"{ord(found[0]):X}", domain.replace(" ", "-"))


def _together(key: str, results: Mapping[str, FoldResult], plan: FoldPlan) -> CaseTable:
    """The rows of each domain from the run that left it out; a patient's images of another domain do not count."""
    tables = [result.testing for result in results.values()]
    rows = [row for domain, result in results.items() for row in result.testing.rows if row.groups.get(key) == domain]
    return CaseTable(
        rows=tuple(rows),
        quantities=tuple(chain.from_iterable(table.quantities for table in tables)),
        problems=tuple(chain.from_iterable(table.problems for table in tables)),
        facts={"predicted": plan.recipe.name, "reference": f"{plan.dataset.name}, each {key} left out in turn"},
        limits=combined(table.limits for table in tables if table.limits is not None),
    )


def _folds_beside(plan: FoldPlan, reporter: ProgressReporter) -> CaseTable | None:
    """Scores of the folds of the same recipe in the folder above; None where there are none."""
    above = RunFolder(plan.out.parent)
    folds = [RunFolder(path) for path in sorted(above.path.glob("fold-*"))]
    recipes = [read_recipe(folder.recipe) for folder in folds if folder.testing.exists()]
    if not (above.testing.exists() and recipes):
        reporter.say(f"no folds to compare with: `cardiotrace crossval` into {above.path} gives them")
        return None
    if any(_without_split(other).digest() != _without_split(plan.recipe).digest() for other in recipes):
        reporter.say(f"warning: the folds in {above.path} are of another recipe, and are not compared with")
        return None
    return read_case_table(above.testing)


def _without_split(recipe: Recipe) -> Recipe:
    """The recipe as if it did not say who is tested on."""
    data = dataclasses.replace(recipe.data, split="", folds=0, seed=None, stratify=(), leave_out=None)
    return dataclasses.replace(recipe, data=data)


def drop_rows(result: LeftOutResult) -> Sequence[Mapping[str, str]]:
    """The table as readable rows; columns of folds only where there are folds."""
    has_folds = any(not math.isnan(score.folds) for score in result.scores)
    return [
        {
            result.key: score.domain,
            "region": score.region,
            "images": str(score.images),
            "Dice, left out": f"{score.left_out:.3f}",
            **({"Dice, folds": f"{score.folds:.3f}", "drop": f"{score.drop:+.3f}"} if has_folds else {}),
        }
        for score in result.scores
    ]
