"""Tables of cine-MRI: ED, ES and both across."""

import json
import math

import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Phase, View
from cardiotrace.evaluation.case_table import CaseRow, CaseTable
from cardiotrace.evaluation.phase_table import phase_rows, readable_phases
from cardiotrace.evaluation.selection import select_rows
from cardiotrace.evaluation.table import read_case_table, table_to_json
from cardiotrace.metrics.overlap import Presence


def row(
    patient: str,
    phase: Phase,
    region: str,
    dice: float,
    distance: float,
    *,
    view: View = View.SAX,
    depth: int | None = None,
    third: str = "",
) -> CaseRow:
    presence = Presence.FALSE_NEGATIVE if math.isinf(distance) else Presence.PRESENT
    groups = {"vendor": patient} | ({"third": third} if third else {})
    scores = {"dice": dice, "hausdorff_mm": distance}
    case = f"{patient}_{view}_{phase}"
    return CaseRow(case, patient, view, phase, 0, groups, region, presence, scores, depth=depth)


TABLE = CaseTable(
    (
        row("a", Phase.ED, "RV", 0.9, 10.0),
        row("a", Phase.ES, "RV", 0.8, 14.0),
        row("b", Phase.ED, "RV", 0.7, 20.0),
        row("b", Phase.ES, "RV", 0.0, math.inf),
        row("a", Phase.ED, "LV", 0.95, 5.0),
        row("a", Phase.OTHER, "LV", 0.1, 50.0),
        row("a", Phase.ED, "LV", 0.96, 4.0, view=View.FOUR_CHAMBER),
    ),
    slices=(
        row("a", Phase.ED, "RV", 0.8, 3.0, depth=0, third="basal"),
        row("a", Phase.ED, "RV", 0.6, 5.0, depth=1, third="apical"),
    ),
)


def test_means_at_each_instant_and_over_both():
    rows = {(item["axis"], item["of"], item["region"]): item for item in phase_rows(TABLE)}
    assert list(rows) == [
        ("SA", "volume", "LV"), ("SA", "volume", "RV"), ("SA", "slices", "RV"), ("SA", "basal", "RV"),
        ("SA", "apical", "RV"), ("LA", "plane", "LV"),
    ]  # fmt: skip
    right = rows["SA", "volume", "RV"]
    assert (right["ED_dice"], right["ES_dice"], right["both_dice"]) == pytest.approx((0.8, 0.4, 0.6))
    # The missed one counts in Dice, and is counted, but has no distance to take the mean of.
    assert (right["ED_hausdorff_mm"], right["ES_hausdorff_mm"], right["both_hausdorff_mm"]) == pytest.approx(
        (15.0, 14.0, 44 / 3)
    )
    assert (right["n"], right["false negative"], right["false positive"], right["absent"]) == (4, 1, 0, 0)
    left = rows["SA", "volume", "LV"]
    assert left["both_dice"] == left["ED_dice"] == 0.95  # the frame that is neither ED nor ES is left out
    assert math.isnan(left["ES_dice"])
    assert rows["SA", "slices", "RV"]["ED_dice"] == pytest.approx(0.7)
    assert rows["SA", "basal", "RV"]["ED_hausdorff_mm"] == 3.0


def test_as_it_is_read():
    shown = readable_phases(phase_rows(TABLE, scores=("hausdorff_mm",)))[1]
    assert shown == {
        "axis": "SA", "of": "volume", "region": "RV", "ED_hausdorff_mm": "15.0", "ES_hausdorff_mm": "14.0",
        "both_hausdorff_mm": "14.7", "n": 4, "absent": 0, "false negative": 1, "false positive": 0,
    }  # fmt: skip


def test_without_an_instant_there_is_no_such_table():
    with pytest.raises(InputError, match="no frame is known to be ED or ES"):
        phase_rows(CaseTable((row("a", Phase.OTHER, "LV", 0.9, 1.0),)))


def test_slices_are_written_and_read(tmp_path):
    path = tmp_path / "table.json"
    path.write_text(table_to_json(TABLE))
    assert read_case_table(path) == TABLE
    plain = json.loads(path.read_text())
    assert "depth" not in plain["rows"][0]
    assert plain["slices"][1]["depth"] == 1
    del plain["slices"]
    path.write_text(json.dumps(plain))
    assert read_case_table(path).slices == ()  # as tables were before


def test_slices_stay_with_their_rows():
    assert len(TABLE.where(lambda item: item.patient == "a").slices) == 2
    assert TABLE.where(lambda item: item.phase is Phase.ES).slices == ()
    assert TABLE.where(lambda item: item.region == "LV").slices == ()
    assert len(select_rows(TABLE, {"vendor": ["a"]}).slices) == 2
