"""What counts as an outlier, from the names of a command line."""

from collections.abc import Iterable, Sequence

from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.exam import Case
from cardiotrace.evaluation.limits import PRESETS, OutlierLimits, combined, model_limits, preset
from cardiotrace.evaluation.outlier import fit_limits
from cardiotrace.inference.model_file import read_spec
from cardiotrace.inference.zoo import find_model
from cardiotrace.workflows.services.progress import SILENT, ProgressReporter

FIT = "fit"
"""The word for limits of the data set's own references."""


def named_limits(
    names: Sequence[str], references: Iterable[Case] | None = None, *, reporter: ProgressReporter = SILENT
) -> OutlierLimits | None:
    """Limits by name, combined; None if there is no name.

    Args:
        names: presets, models (by name or path) whose file holds limits, or "fit".
        references: labelled cases for "fit", of the training and validation parts; None where there are none.
        reporter: told of the fit.

    Raises:
        UsageError: "fit" without references.
        InputError: a reference cannot be read, or a name is neither a preset nor a model.
    """
    return combined([_named(name, references, reporter) for name in names]) if names else None


def _named(name: str, references: Iterable[Case] | None, reporter: ProgressReporter) -> OutlierLimits:
    if name in PRESETS:
        return preset(name)
    if name != FIT:
        return _of_model(name)
    if references is None:
        raise UsageError("limits can be fitted only on a data set with a split", remedy="name one with --dataset.")
    with reporter.stage("fitting the limits of shapes") as tick:
        return fit_limits(references, on_progress=tick)


def _of_model(name: str) -> OutlierLimits:
    try:
        path = find_model(name)
    except InputError:
        words = f"choose from: {', '.join(PRESETS)}, {FIT}, or name a model."
        raise InputError(f"there are no outlier limits {name!r}", remedy=words) from None
    spec = read_spec(path)
    return model_limits(spec.name, spec.calibration.shape_limits)
