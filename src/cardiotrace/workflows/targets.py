"""How a model does on the domains that it was adapted to: patients whose images and labels it has never seen."""

from dataclasses import replace
from pathlib import Path

from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.gap import LABELS, METHOD, SEED
from cardiotrace.evaluation.table import table_to_json
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.io import write_text
from cardiotrace.workflows.services.dataset import cases_of
from cardiotrace.workflows.trained_run import TrainedRun


def target_scores(run: TrainedRun, model: Path, reporter: ProgressReporter = SILENT) -> CaseTable:
    """Score the targets' testing patients; the table is kept as the run's `testing.json`.

    Args:
        run: finished, of a recipe that adapts.
        model: its sealed file.
        reporter: told of progress.

    Returns:
        Without rows, and nothing is written, where nobody with labels is tested on, or the recipe adapts to nothing.
    """
    adaptation = run.recipe.adaptation
    if adaptation is None:
        return CaseTable(())
    tested = cases_of(run.dataset, run.split.testing)
    cases = [case for case in tested if adaptation.is_target(case) and case.read_labels is not None]
    if not cases:
        reporter.say("no testing patient of the targets has labels: the model is not scored on them")
        return CaseTable(())
    with reporter.stage("scoring on the targets") as on_progress:
        table = evaluate_predictor(open_predictor(model), cases, on_progress=on_progress, with_validity=True)
    labels = "yes" if adaptation.target_labels else "no"
    told = {METHOD: adaptation.method.name, LABELS: labels, SEED: str(run.recipe.seed)}
    table = replace(table, facts={**table.facts, **told})
    write_text(run.folder.testing, table_to_json(table))
    return table
