"""Published numbers stand in the tables of their own protocol, beside measured ones."""

import dataclasses

import pytest

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.terms import Phase
from cardiotrace.evaluation.case_table import CaseTable
from cardiotrace.evaluation.limits import combined, preset
from cardiotrace.evaluation.published import (
    Published,
    described,
    indices_of,
    paper_tables,
    published_names,
    read_published,
)
from cardiotrace.evaluation.score import CasePrediction, score_case
from tests.evaluation.cases import label_map, left_ventricle, make_case, square

LIMITS = combined([preset("leclerc-2019"), preset("ru-net-transposed")])


def table(groups: dict[str, str] | None = None) -> CaseTable:
    """One patient: Dice 0.8 at ED, 0.6 at ES, HD 1 and 2 mm."""
    reference = square(10, 10, 10)
    judged = [
        CasePrediction(
            make_case(f"p_{phase}", reference, phase=phase, patient="p", groups=groups),
            label_map(square(10, 10 + shift, 10)),
            label_map(reference),
        )
        for phase, shift in ((Phase.ED, 2), (Phase.ES, 4))
    ]
    quantities = tuple(
        item
        for n in range(3)
        for item in left_ventricle(f"p{n}", 40.0 + 12 * n, 44, 45.0 + 10 * n, (101.0 + n, 100.0 + n))
    )
    return CaseTable(tuple(row for item in judged for row in score_case(item)), quantities)


@pytest.mark.parametrize("name", published_names())
def test_every_published_file_is_sound_and_names_protocol_and_source(name: str) -> None:
    published = read_published(name)
    assert published.name == name
    assert {row.protocol for row in published.rows} == set(published.protocols)
    assert {row.source for row in published.rows} == set(published.sources)
    # What any transcription must fulfil: a digit that slipped breaks one of these.
    for scores in (scores for row in published.rows for scores in row.scores.values()):
        assert all(len(values) in (1, len(published.phases)) for values in scores.values())
        assert all(0.79 < value < 0.975 for value in scores.get("dice", ()))
        pairs = list(zip(scores.get("hausdorff_mm", ()), scores.get("mean_absolute_mm", ()), strict=False))
        assert all(2 * mean < largest < 4.5 * mean for largest, mean in pairs), pairs
    methods = [row.scores for row in published.rows if not row.method.startswith("observers")]
    for scores in (scores for scores in methods if {"LV", "LV_EPI"} <= scores.keys()):
        inner, outer = scores["LV"].get("dice", ()), scores["LV_EPI"].get("dice", ())
        assert all(small < large for small, large in zip(inner, outer, strict=False))  # the larger region overlaps more
    for scores in (scores for scores in methods if {"LV", "MYO"} <= scores.keys()):
        cavity, wall = scores["LV"].get("dice", ()), scores["MYO"].get("dice", ())
        assert all(thin < large for large, thin in zip(cavity, wall, strict=False))  # a ring overlaps less than a disk


def test_what_is_not_published_is_refused_with_what_is() -> None:
    assert published_names() == ("acdc", "camus", "mnms2")
    with pytest.raises(InputError, match="choose from: acdc, camus, mnms2"):
        read_published("echonet")


def test_the_two_protocols_share_no_table() -> None:
    published = read_published("camus")
    for made in paper_tables(published, {"ours": table()}, LIMITS):
        (protocol,) = [name for name, words in published.protocols.items() if made.title.endswith(words)]
        methods = {row["method"] for row in made.rows if row["source"].startswith("published")}
        assert methods <= {row.method for row in published.rows if row.protocol == protocol}
        assert [row["method"] for row in made.rows if row["source"] == "measured here, 1 patients"] == ["ours"]


def test_layout_and_numbers() -> None:
    scores, indices = paper_tables(read_published("camus"), {"ours": table()}, LIMITS, protocols=("ten-folds",))
    ours, unet1 = scores.rows[:2]
    assert (ours["endo Dice"], ours["endo HD mm"], ours["LA Dice"]) == ("0.800 / 0.600", "1.0 / 2.0", "")
    assert (unet1["method"], unet1["endo Dice"], unet1["LA Dice"]) == ("U-Net 1", "0.934 / 0.905", "0.909")
    assert unet1["source"] == "published, Leclerc 2019"
    assert indices.rows[0]["EF bias %"] == "-3.0"
    assert indices.rows[0]["EDV MAE ml"] == "1.0"
    assert indices.rows[2]["EF bias %"] == "-1.0"
    assert "geometrical outliers %" not in indices.rows[0]  # nothing is published of them under this protocol


def test_one_number_over_both_phases_where_the_paper_gives_one() -> None:
    scores, indices = paper_tables(read_published("camus"), {"ours": table()}, LIMITS, protocols=("all-images",))
    assert scores.rows[0]["endo HD mm"] == "1.5"
    assert list(scores.rows[0]) == ["method", "endo HD mm", "epi HD mm", "endo MAD mm", "epi MAD mm", "source"]
    assert indices.rows[0]["geometrical outliers %"] == "0.0"
    assert indices.rows[-1]["anatomical outliers %"] == "1.7"


def test_outliers_count_in_the_regions_of_the_papers() -> None:
    strict = dataclasses.replace(LIMITS, distances={"LA": LIMITS.distances["LV"]}, shapes={})
    rows = paper_tables(read_published("camus"), {"ours": table()}, strict, protocols=("all-images",))[1].rows
    assert rows[0]["geometrical outliers %"] == ""
    assert indices_of(table(), LIMITS)["geometrical_percent"] == 0.0


def test_which_cases_is_said() -> None:
    assert described(table({"quality": "Good"})) == "1 patients, 2 images; view 4CH 2; quality Good 2"


def test_an_unknown_protocol_or_source_is_refused() -> None:
    with pytest.raises(InputError, match="no protocol 'x'\nchoose from: ten-folds"):
        paper_tables(read_published("camus"), {}, LIMITS, protocols=("x",))
    plain = {"name": "x", "phases": [], "columns": [], "protocols": {}, "sources": {}}
    row = {"method": "m", "protocol": "p", "source": "s"}
    from cardiotrace.core.config import from_plain

    with pytest.raises(ConfigError, match="published row 'm'"):
        from_plain(Published, plain | {"rows": [row]})
