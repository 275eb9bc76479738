"""Outliers by hand: squares shifted by known distances, shapes below and above known limits."""

import dataclasses
import json

import numpy as np
import pytest

from cardiotrace.core.config import to_plain
from cardiotrace.core.errors import InputError
from cardiotrace.core.label import CAMUS, VESSEL
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.limits import (
    PRESETS,
    DistanceLimits,
    OutlierLimits,
    combined,
    model_limits,
    preset,
    shape_limits_to_plain,
)
from cardiotrace.evaluation.outlier import fit_limits, limited_regions, outlier_rates, verdicts
from cardiotrace.evaluation.score import CasePrediction, score_case
from cardiotrace.evaluation.table import outlier_rows
from cardiotrace.metrics import ShapeLimits, convexity, simplicity
from tests.evaluation.cases import half_ellipse, label_map, make_case, square


def table_of(*items: tuple[str, Phase, np.ndarray, np.ndarray], limits: OutlierLimits | None = None) -> CaseTable:
    predictions = [
        CasePrediction(make_case(name, reference, phase=phase), label_map(predicted), label_map(reference))
        for name, phase, predicted, reference in items
    ]
    return CaseTable(tuple(row for item in predictions for row in score_case(item)), limits=limits)


def comb(teeth: int = 4) -> np.ndarray:
    """A left ventricle of teeth: hardly convex, a long outline."""
    plane = square(5, 5, 30)
    for tooth in range(teeth):
        plane[5:33, 8 + 7 * tooth : 11 + 7 * tooth] = 0
    return plane


SMALL = square(10, 10, 15)


def test_a_frame_is_far_beyond_the_limit_of_its_phase() -> None:
    """17 pixels of 0.5 mm are 8.5 mm: beyond the 8.2 mm of ED, within the 8.8 mm of ES; MAD 3.9 mm stays in ES only."""
    tall, taller = np.zeros((2, 90, 40), np.uint8)
    tall[5:70, 10:30] = 1
    taller[5:87, 10:30] = 1  # 17 rows more below
    rates = outlier_rates(
        table_of(("a", Phase.ED, taller, tall), ("b", Phase.ES, taller, tall), ("c", Phase.ES, tall, tall)),
        preset("leclerc-2019"),
    )
    found = {item.group: (item.images, item.geometrical.count, item.geometrical.total) for item in rates}
    assert found == {"ED": (1, 1, 1), "ES": (2, 0, 2), "all": (3, 1, 3)}
    assert rates[-1].geometrical.percent == pytest.approx(100 / 3)
    assert rates[-1].anatomical.total == 0
    assert np.isnan(rates[-1].anatomical.percent)


def test_a_missed_region_is_far_and_has_no_shape() -> None:
    limits = combined([preset("leclerc-2019"), OutlierLimits("own", shapes={"LV": ShapeLimits(0.99, 0.99)})])
    (missed,) = verdicts(table_of(("a", Phase.ED, SMALL * 0, SMALL)), limits)
    assert (missed.geometrical, missed.anatomical) == (True, None)
    assert verdicts(table_of(("a", Phase.ED, SMALL * 0, SMALL * 0)), limits)[0].geometrical is None


def test_limits_hold_for_the_views_and_regions_they_name_only() -> None:
    far = table_of(("a", Phase.ED, np.roll(SMALL, 10, axis=0), SMALL))
    limits = preset("leclerc-2019")
    assert outlier_rates(far, limits)[-1].geometrical.count == 0  # 10 pixels are 5 mm
    strict = OutlierLimits("strict", distances={"LV": {"ED": DistanceLimits(3.0, 4.0)}}, views=(View.FOUR_CHAMBER,))
    assert outlier_rates(far, strict)[-1].geometrical.count == 1
    short_axis = CaseTable(tuple(dataclasses.replace(row, view=View.SAX) for row in far.rows))
    assert outlier_rates(short_axis, strict) == ()
    assert outlier_rows(short_axis, strict) == []
    assert limited_regions(far, strict) == ("LV",)
    assert outlier_rates(far, OutlierLimits("elsewhere", {"RV": {"ED": DistanceLimits(0.0, 0.0)}})) == ()


def test_fitted_limits_are_the_least_of_the_references_and_no_reference_breaks_them() -> None:
    planes = [half_ellipse(100, 40), half_ellipse(80, 30), half_ellipse(40, 12), half_ellipse(40, 12) * 0]
    cases = [make_case(f"p{place}", plane) for place, plane in enumerate(planes)]
    limits = fit_limits(cases)
    assert set(limits.shapes) == {"LV", "LV_EPI"}  # no atrium anywhere: no limit for it
    cavities = [plane == 1 for plane in planes[:3]]
    least = min(simplicity(mask, spacing_mm=(0.5, 0.5)) for mask in cavities)
    assert limits.shapes["LV"].simplicity == pytest.approx(least, abs=2e-6)
    assert limits.shapes["LV"].convexity == pytest.approx(min(map(convexity, cavities)), abs=2e-6)
    themselves = table_of(*((f"p{place}", Phase.ED, plane, plane) for place, plane in enumerate(planes)))
    assert outlier_rates(themselves, limits)[-1].anatomical.count == 0
    combed = table_of(("c", Phase.ED, comb(), square(5, 5, 30)))
    assert outlier_rates(combed, limits)[-1].anatomical.count == 1


def test_stacks_and_thin_structures_have_no_limits_of_shape() -> None:
    vessel = make_case("v", square(5, 5, 10), scheme=VESSEL)
    assert fit_limits([vessel]).shapes == {}
    assert fit_limits([]).shapes == {}


def test_both_counts_the_frames_that_are_outliers_both_ways() -> None:
    limits = OutlierLimits("x", {"LV": {"ED": DistanceLimits(1.0, 3.0)}}, {"LV": ShapeLimits(0.7, 0.8)})
    table = table_of(
        ("both", Phase.ED, comb(), square(5, 5, 30)),
        ("far", Phase.ED, np.roll(SMALL, 9, axis=0), SMALL),
        ("fine", Phase.ED, SMALL, SMALL),
        limits=limits,
    )
    (*_, row) = outlier_rows(table)
    assert (row["images"], row["geometrical"], row["anatomical"], row["both"]) == (3, 2, 1, 1)
    assert row["geometrical_percent"] == pytest.approx(200 / 3)
    assert [item.row.case for item in verdicts(table, limits) if item.anatomical] == ["both"]


def test_printed_limits_reject_every_myocardium_and_the_transposed_ones_pass_a_ventricle() -> None:
    plane = half_ellipse(100, 40)
    printed, transposed = preset("ru-net-printed").shapes, preset("ru-net-transposed").shapes
    assert len(printed["MYO"].violations(plane == 2)) == 2
    assert transposed["LV"].violations(plane == 1) == ()
    with pytest.raises(InputError, match="no outlier limits 'x'"):
        preset("x")
    assert all(limits.name == name for name, limits in PRESETS.items())


def test_the_laxer_limit_counts() -> None:
    four, two = View.FOUR_CHAMBER, View.TWO_CHAMBER
    first = OutlierLimits(
        "a", {"LV": {"ED": DistanceLimits(1.0, 9.0)}}, {"LV": ShapeLimits(0.5, 0.9)}, (View.FOUR_CHAMBER,)
    )
    second = OutlierLimits("b", {"LV": {"ED": DistanceLimits(2.0, 8.0)}}, {"LV": ShapeLimits(0.6, 0.8)}, (two,))
    both = combined([first, second, first])
    assert both == OutlierLimits(
        "a, b",
        {"LV": {"ED": DistanceLimits(2.0, 9.0)}},
        {"LV": ShapeLimits(0.5, 0.8)},
        (four, two),
    )
    shapes = OutlierLimits("c", shapes={"LA": ShapeLimits(0.1, 0.2)})
    assert combined([first, shapes]).views == (View.FOUR_CHAMBER,)


def test_limits_travel_in_model_files_and_tables() -> None:
    fitted = fit_limits([make_case("a", half_ellipse(100, 40))])
    limits = model_limits("some", shape_limits_to_plain(fitted))
    assert limits.shapes == fitted.shapes
    assert limits.name == "leclerc-2019, references of some"
    assert model_limits("old", {}) == preset("leclerc-2019")
    table = table_of(("a", Phase.ED, SMALL, SMALL), limits=limits)
    read = CaseTable.__from_plain__(json.loads(json.dumps(to_plain(table), allow_nan=False)), "table")
    assert read.limits == limits
    assert CaseTable.__from_plain__({"rows": []}, "table").limits is None


@pytest.mark.data
def test_limits_of_camus(data_root) -> None:
    from cardiotrace.core.catalog import Choice
    from cardiotrace.datasets.catalog import DATASETS

    dataset = DATASETS.make(Choice("camus", {"views": ["4CH"]}), data_root / "camus")
    limits = fit_limits(dataset.cases()[:30])
    assert set(limits.shapes) == {"LV", "LV_EPI", "LA"}
    assert 0.69 < limits.shapes["LV"].simplicity < 0.85
    assert 0.82 < limits.shapes["LV_EPI"].simplicity < 0.88
    assert dataset.scheme is CAMUS


def test_a_limit_is_a_low_quantile_that_one_strange_reference_does_not_move() -> None:
    """Of 100 ordinary ventricles of one shape and of one that is combed, the comb does not set the limit."""
    ordinary = [make_case(f"p{number}", square(5, 5, 30)) for number in range(100)]
    alone = fit_limits(ordinary).shapes["LV"]
    joined = fit_limits([*ordinary, make_case("strange", comb())]).shapes["LV"]
    assert joined == alone
    # Among fewer it does: up to a hundred references the quantile is the least of them.
    few = fit_limits([*ordinary[:50], make_case("strange", comb())]).shapes["LV"]
    assert few.convexity == pytest.approx(convexity(comb() == 1), abs=2e-6)
    assert few.simplicity < alone.simplicity / 2
