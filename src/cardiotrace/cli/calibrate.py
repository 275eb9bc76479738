"""cardiotrace calibrate RUN MODEL."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cardiotrace.cli.output import complain, say
from cardiotrace.cli.terminal import Terminal, table
from cardiotrace.core.config import to_plain
from cardiotrace.evaluation.quantity import quantity_words
from cardiotrace.workflows.configs import CalibrateConfig

if TYPE_CHECKING:
    from cardiotrace.workflows.calibrate import Calibrated, CalibratedQuantity

REFERRED = 0.20
"""Share of patients that the table refers."""


@dataclass(frozen=True, kw_only=True)
class CalibrateOptions(CalibrateConfig):
    """Intervals of a model's numbers and a temperature of its probabilities, from the held-out patients of folds."""

    json: bool = False
    """Print as JSON."""


def run(options: CalibrateOptions) -> None:
    """Calibrate, and print what re-splits by patient say of it."""
    from cardiotrace.workflows.calibrate import calibrate

    with Terminal() as terminal:
        found = calibrate(options, terminal)
    if options.json:
        say(json.dumps(_plain(found), indent=2, allow_nan=False))
    else:
        _print(found)
    for reason in found.refused:
        complain(f"cardiotrace: no interval: {reason}")


def _print(found: "Calibrated") -> None:
    folds = "1 fold" if found.folds == 1 else f"{found.folds} folds"
    title = (
        f"intervals of {found.patients} patients held out of {folds}; covered and mean width over re-splits by patient"
    )
    table([_row(each) for each in found.quantities], title=title, keys=3)
    rows = [
        {
            "pixels": name,
            "confidence": f"{each.before.confidence:.3f}",
            "right": f"{each.before.accuracy:.3f}",
            "ECE": f"{each.before.expected_error:.4f}",
            "ECE scaled": f"{each.after.expected_error:.4f}",
        }
        for name, each in (("of all images", found.whole), ("at borders", found.band))
    ]
    table(rows, title=f"reliability of probabilities; temperature {found.temperature:.2f}", keys=1)


def _row(each: "CalibratedQuantity") -> dict[str, Any]:
    words, sign = quantity_words(each.calibration.quantity)
    groups = {name.lower(): f"{100 * share:.0f}" for name, share in each.found.by_group.items()}
    removed = each.referral.removed(REFERRED)
    return {
        "quantity": f"{words}, {each.calibration.view}",
        "error": each.calibration.error.value,
        "unit": sign,
        "n": each.calibration.patients,
        "MAE": f"{each.mean_absolute_error:.1f}",
        "covered %": f"{100 * each.found.covered:.1f}",
        "by quality %": ", ".join(f"{name} {share}" for name, share in groups.items()),
        "width": f"{each.found.width:.1f}",
        "follows": each.signs,
        # Ten points are a large error of a percentage alone.
        "large errors gone %": "" if sign != "%" or math.isnan(removed) else f"{100 * removed:.0f}",
    }


def _plain(found: "Calibrated") -> dict[str, Any]:
    def pixels(of: Any) -> Mapping[str, float]:
        return {"expected_error": of.before.expected_error, "expected_error_scaled": of.after.expected_error}

    quantities = [
        {
            "calibration": to_plain(each.calibration),
            "signs": each.signs,
            "mean_absolute_error": each.mean_absolute_error,
            "covered": each.found.covered,
            "covered_by_quality": dict(each.found.by_group),
            "width": each.found.width,
            "large_errors_gone": None
            if math.isnan(each.referral.removed(REFERRED))
            else each.referral.removed(REFERRED),
        }
        for each in found.quantities
    ]
    return {
        "patients": found.patients,
        "folds": found.folds,
        "correlation": found.correlation,
        "temperature": found.temperature,
        "all_pixels": pixels(found.whole),
        "at_borders": pixels(found.band),
        "quantities": quantities,
        "refused": list(found.refused),
    }
