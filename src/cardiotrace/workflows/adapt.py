"""A training that serves further domains without their labels: `train` with a method of adaptation."""

from dataclasses import fields
from typing import Any

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, UsageError
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.learning.training.adaptation.catalog import ADAPTATIONS
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import recipe_values
from cardiotrace.learning.training.run import best_of
from cardiotrace.workflows.configs import AdaptConfig, TrainConfig
from cardiotrace.workflows.train import TrainedModel, train_model

HARM = 0.02
"""Fall of the mean validation Dice on the source from which on an adaptation is said to harm. What it does on
the targets nobody can know without labels."""


def adapt_model(config: AdaptConfig, reporter: ProgressReporter = SILENT) -> TrainedModel | None:
    """Train as the recipe says by a method of adaptation, seal the model, score it on the targets' testing patients.

    Args:
        config: which method, and all that a training is told.
        reporter: told of progress.

    Returns:
        The model; None in the further processes of a distributed run.

    Raises:
        ConfigError: the recipe is wrong, says nothing of domains, or there is no such method.
        UsageError: the method changes a trained network and none is given; or see `train_model`.
        InputError: the domains or the data cannot be used.
        WorkError: training diverged, or nothing can be written.
    """
    overrides = method_overrides(config)
    needs_start = getattr(ADAPTATIONS[config.method].config, "needs_start", False)
    if needs_start and config.start_from is None and not config.resume:
        raise UsageError(
            f"{config.method} changes a trained network", remedy="give the run of one: --start-from runs/NAME."
        )
    told = {field.name: getattr(config, field.name) for field in fields(TrainConfig)}
    model = train_model(TrainConfig(**told | {"overrides": overrides}), reporter)
    if model is not None and config.start_from is not None:
        before, after = (best_of(folder).score for folder in (RunFolder(config.start_from), model.run.folder))
        if harm := harm_told(before, after):
            reporter.say(harm)
    return model


def harm_told(before: float, after: float) -> str:
    """A warning where the source itself is read worse than before; empty elsewhere.

    Args:
        before: mean validation Dice on the source of the run that was begun with; negative where nobody validated.
        after: of the adapted one.

    Example:
        >>> harm_told(0.91, 0.42)
        "warning: Dice on the source's validation part fell from 0.910 to 0.420: this adaptation does harm"
        >>> harm_told(0.91, 0.90), harm_told(-1.0, 0.42)
        ('', '')
    """
    if min(before, after) < 0 or before - after <= HARM:
        return ""
    words = f"Dice on the source's validation part fell from {before:.3f} to {after:.3f}"
    return f"warning: {words}: this adaptation does harm"


def method_overrides(config: AdaptConfig) -> dict[str, Any]:
    """Changes to the recipe that make it one of the method: its name, its options, what it asks of the training.

    What the command line says comes last and counts.

    Raises:
        UsageError: the command line names two methods.
        ConfigError: there is no such method, or the recipe says nothing of domains.
    """
    values = recipe_values(config.recipe)
    table = values.get("adaptation")
    if not isinstance(table, dict):
        raise ConfigError(
            "the recipe does not say from which domain to which",
            where=config.recipe,
            remedy='give it a table [adaptation], such as targets = ["sunnybrook"].',
        )
    entry = ADAPTATIONS[config.method]
    asked = config.overrides.get("adaptation.method", entry.name)
    if Choice.__from_plain__(asked, "adaptation.method").name != entry.name:
        raise UsageError(f"--set adaptation.method names another method than {entry.name}", remedy="leave out one.")
    named = Choice.__from_plain__(table.get("method", "none"), "adaptation.method")
    # Options of another method mean nothing to this one.
    changes: dict[str, Any] = {} if named.name == entry.name else {"adaptation.method": {"name": entry.name}}
    changes["name"] = f"{values.get('name', config.recipe.stem)}-{entry.name}"
    changes |= {f"training.{key}": value for key, value in getattr(entry.config, "training", {}).items()}
    return changes | config.overrides
