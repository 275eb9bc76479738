"""Which labels an adaptation may look at, and which patients it must never see."""

import dataclasses

import numpy as np
import pytest

from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.packed import IGNORED
from cardiotrace.datasets.split import Split
from cardiotrace.inference.spec import TargetSpec
from cardiotrace.learning.training.adaptation.domains import (
    Adaptation,
    adapted_split,
    described,
    learned_from,
    without_target_labels,
)
from tests.learning.training.tiny import packed

NORTH = Adaptation(targets=("north",), domain="vendor")


def case(name, vendor, view=View.FOUR_CHAMBER):
    return Case(name, view, Phase.ED, {"patient": name[:2], "vendor": vendor}, lambda: None, lambda: None)


CASES = [
    *(case(f"n{number}", "north") for number in range(6)),
    *(case(f"s{number}", "south") for number in range(6)),
    case("w0", "west"),
]


def split(training="n0 n1 s0 s1 s2 w0", validation="n2 s3", testing="n3 n4 s4"):
    return Split(*(tuple(part.split()) for part in (training, validation, testing)))


def test_no_label_of_a_target_chooses_and_who_validated_is_seen_without():
    adapted = adapted_split(split(), CASES, Adaptation(("north",), domain="vendor", source=("south",)))
    assert adapted.training == ("n0", "n1", "s0", "s1", "s2", "n2")  # west is neither
    assert adapted.validation == ("s3",)
    assert adapted.testing == ("n3", "n4", "s4")


def test_without_a_named_source_all_others_are():
    assert "w0" in adapted_split(split(), CASES, NORTH).training


def test_target_labels_choose_where_they_are_learned_from():
    bound = dataclasses.replace(NORTH, target_labels=True)
    assert adapted_split(split(), CASES, bound).validation == ("n2", "s3")


def test_a_patient_with_images_of_both_domains_is_of_both():
    views = [case("p0a", "x"), case("p0b", "x", View.TWO_CHAMBER), case("p1b", "x", View.TWO_CHAMBER)]
    adaptation = Adaptation(("2CH",), domain="view")
    adapted = adapted_split(Split(("p0",), ("p1",), ()), views, adaptation)
    assert (adapted.training, adapted.validation) == (("p0", "p1"), ())
    assert [adaptation.teaches(each) for each in views] == [True, False, False]


@pytest.mark.parametrize(
    ("changes", "parts", "said"),
    [
        (
            {"targets_testing": ("n1", "n2", "n5")},
            {},
            r"n1, n2 would be learned from and is kept apart.*\(2 patients\)",
        ),
        ({"targets": ("nord",)}, {}, "no image has vendor 'nord'"),
        ({"domain": "camera"}, {}, "no image states its 'camera'"),
        ({}, {"training": "s0 s1", "validation": "s3", "testing": "n0 n1 n2 n3 n4 n5"}, "all 6 are tested on"),
        ({}, {"training": "n0 n1", "validation": "n2"}, "no patient of the training part is of another vendor"),
        ({"targets": ("north", "south", "west")}, {}, "no domain is left to learn from"),
    ],
)
def test_what_leaks_or_cannot_be_is_refused(changes, parts, said):
    with pytest.raises(InputError, match=said):
        adapted_split(split(**parts), CASES, dataclasses.replace(NORTH, **changes))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"targets": ()}, "targets names nobody"),
        ({"targets": ("a",), "source": ("a", "b")}, "a is source and target at once"),
        ({"targets": ("a",), "unlabelled_share": 0.0}, "unlabelled_share must be above 0"),
    ],
)
def test_a_table_that_contradicts_itself_is_refused(given, said):
    with pytest.raises(ConfigError, match=said):
        Adaptation(**given)


def test_references_of_targets_are_gone_whoever_asks():
    data = packed(8)
    hidden = without_target_labels(data, NORTH)
    is_north = np.array([sample.groups["vendor"] == "north" for sample in data.samples])
    assert is_north.sum() == 4
    assert (hidden.labels[is_north] == IGNORED).all()
    assert np.array_equal(hidden.labels[~is_north], data.labels[~is_north])
    assert [sample.is_labelled for sample in hidden.samples] == (~is_north).tolist()
    assert (data.labels != IGNORED).all()  # the cache itself stays as it is
    everybody = np.arange(8)
    assert learned_from(hidden, everybody, NORTH, with_unlabelled=True).tolist() == list(range(8))
    assert learned_from(hidden, everybody, NORTH, with_unlabelled=False).tolist() == [1, 3, 5, 7]


def test_the_upper_bound_keeps_them():
    bound = dataclasses.replace(NORTH, target_labels=True)
    data = packed(4)
    assert without_target_labels(data, bound) is data
    told = described(data, ["patient0", "patient1", "patient2"], bound)
    assert told.targets == (TargetSpec("north", patients=2, images=2, labelled=2),)
    assert told.told() == "none, from vendor south to north (2 images of 2 patients with 2 labels)"
