"""Signs are by name what they say, and what cannot be known of them is not a number."""

import math
from dataclasses import replace

import pytest

from cardiotrace.clinical.intervals.signs import SIGNS, SeenPhase, signs_of
from cardiotrace.clinical.long_axis_trace import EMPTY
from cardiotrace.clinical.scale import UNKNOWN
from tests.clinical.intervals.test_contour_samples import NARROW, WIDE, soft, traced


def test_all_signs_are_there_by_name() -> None:
    found = signs_of(
        SeenPhase(traced(WIDE), 0.5, soft(WIDE, 1.0)), SeenPhase(traced(NARROW), 2.0, soft(NARROW, 1.0)), correlation=0
    )
    assert set(found) == set(SIGNS)
    assert all(map(math.isfinite, found.values()))
    assert found["unsure"] == pytest.approx(math.log(2))
    assert found["unsure_diastole"] == pytest.approx(math.log(0.5))
    assert found["shortening"] == pytest.approx(math.log(80 / 70), abs=0.01)
    assert found["size"] == pytest.approx(math.log(WIDE.volume_ml), abs=0.01)
    assert abs(found["methods"]) < 1


def test_what_is_not_known_is_no_number() -> None:
    found = signs_of(SeenPhase(traced(WIDE)), SeenPhase(traced(NARROW)), correlation=0)
    unknown = {name for name, value in found.items() if math.isnan(value)}
    assert unknown == {"unsure", "unsure_diastole", "spread", "spread_diastole", "spread_systole"}
    plain = signs_of(SeenPhase(replace(traced(WIDE), scale=UNKNOWN)), SeenPhase(traced(NARROW)), correlation=0)
    assert math.isnan(plain["size"])
    assert math.isnan(plain["length"])
    assert signs_of(SeenPhase(EMPTY), SeenPhase(traced(NARROW)), correlation=0) == {}
