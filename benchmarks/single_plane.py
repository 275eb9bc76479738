r"""How far one apical plane can follow the ejection fraction that a data set states, and what of it is a constant bias.

    cardiotrace evaluate PATH/database_nifti PATH --dataset camus --option 'views=["4CH"]' \
        --part training --out train.json
    cardiotrace evaluate PATH/database_nifti PATH --dataset camus --option 'views=["4CH"]' \
        --part validation --out best.json
    python -m benchmarks.single_plane train.json best.json MODEL.json ...

The first table, of reference labels on training patients, gives the straight line from what is traced in one plane to
what is stated; every other table of `cardiotrace evaluate --out` is shown as it is and along that line. A line changes
no correlation.
"""

import sys
from pathlib import Path

import numpy as np
from numpy.polynomial import Polynomial

from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.quantity import PatientQuantity
from cardiotrace.evaluation.table import Rows, read_case_table, to_text
from cardiotrace.metrics.agreement import agreement


def fitted(training: CaseTable) -> Polynomial:
    """The straight line, least squares, from the ejection fraction traced in one plane to the stated one, percent."""
    pairs = np.array([(item.traced, item.stated) for item in _fractions(training)])
    traced, stated = pairs[np.isfinite(pairs).all(axis=1)].T
    line: Polynomial = Polynomial.fit(traced, stated, 1)
    return line.convert()


def rows(name: str, measured: CaseTable, line: Polynomial) -> Rows:
    """Agreement with what is stated, as measured and along the line, percentage points."""
    predicted = np.array([item.predicted for item in _fractions(measured)])
    stated = np.array([item.stated for item in _fractions(measured)])
    found = (("as measured", agreement(predicted, stated)), ("along the line", agreement(line(predicted), stated)))
    return [
        {
            "table": name,
            "ejection fraction": what,
            "n": item.count,
            "correlation": round(item.correlation, 3),
            "bias": round(item.bias, 1),
            "sd": round(item.sd, 1),
            "mean absolute error": round(item.mean_absolute_error, 1),
        }
        for what, item in found
    ]


def _fractions(table: CaseTable) -> list[PatientQuantity]:
    return [item for item in table.quantities if item.key == "left_ventricular_ejection_fraction_percent"]


def main() -> None:
    """Fit on the first table, print the others."""
    training, *others = map(Path, sys.argv[1:])
    line = fitted(read_case_table(training))
    constant, slope = line.coef
    print(f"stated = {constant:.1f} + {slope:.3f} x traced in one plane, percent\n")
    measured = [row for path in others for row in rows(path.stem, read_case_table(path), line)]
    print(to_text(measured, "markdown"))


if __name__ == "__main__":
    main()
