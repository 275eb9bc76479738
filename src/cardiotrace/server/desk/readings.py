"""Agreement of readers, from what each of them drew."""

import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.core.text import csv_text
from cardiotrace.evaluation.readers import Reading, reader_agreement
from cardiotrace.server.desk.opened import read_exam
from cardiotrace.workflows.services.record import read_record

_COMPARED = (
    "left_ventricular_ejection_fraction",
    "left_ventricular_end_diastolic_volume",
    "left_ventricular_end_systolic_volume",
)
_COLUMNS = ("first", "second", "what", "name", "images", "frames", "exams", "dice", "hausdorff_mm", "mean_absolute_mm")
_OF_QUANTITIES = ("bias", "sd", "lower_limit", "upper_limit", "mean_absolute_error", "icc")


def agreement_of(params: Mapping[str, Any], _: ProgressReporter) -> dict[str, Any]:
    """The table of agreement of a study with readers.

    Args:
        params: `readings`, each with what `desk.opened.read_exam` takes, `reader`, `held` (the changes that stand) and
            `measures` (the path of what was measured).

    Returns:
        `rows`, and `csv`: the same as text.
    """
    readings = [_reading(each) for each in params["readings"]]
    rows = [{key: _known(value) for key, value in row.items()} for row in reader_agreement(readings)]
    columns = (*_COLUMNS, *_OF_QUANTITIES)
    cells = [{key: _cell(row[key]) for key in columns if key in row} for row in rows]
    return {"rows": rows, "csv": csv_text(columns, cells)}


def _reading(params: Mapping[str, Any]) -> Reading:
    opened = read_exam(params)
    opened.hold(params["held"], "")
    labels = {
        name: replace(found, array=np.ascontiguousarray(found.array))
        for name, found in opened.exam.labels(opened.edits).items()
    }
    path = Path(params["measures"])
    values: dict[str, float] = {}
    if path.exists():
        measures = read_record(path).measures
        found = [measures.find(name) for name in _COMPARED]
        values = {each.key: each.value for each in found if each is not None and each.is_usable}
    return Reading(params["reader"], params["study"], labels, values)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _cell(value: Any) -> str:
    return "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
