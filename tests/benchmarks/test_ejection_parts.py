"""Which part of the outlines an error comes from, on outlines whose parts are known."""

import numpy as np
import pytest

from benchmarks.ejection_parts import Outline, Pair, table
from cardiotrace.core.terms import Phase


def test_an_error_of_the_diameters_vanishes_with_the_reference_s_diameters_alone() -> None:
    rng = np.random.default_rng(0)
    found = []
    for _ in range(30):
        reference = {Phase.ED: Outline(40_000.0, 80.0), Phase.ES: Outline(rng.uniform(15_000, 30_000), 70.0)}
        wide = Outline(reference[Phase.ES].width_mm2 * rng.uniform(0.8, 1.2), 70.0)
        found.append(Pair({**reference, Phase.ES: wide}, reference))
    errors = {row["of the reference"]: float(row["MAE"]) for row in table(found)}
    assert errors["nothing"] > 1
    assert errors["the length of the axis"] == pytest.approx(errors["nothing"])
    assert errors["end-diastole"] == pytest.approx(errors["nothing"])
    assert errors["the diameters"] == errors["end-systole"] == 0
