import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.split import (
    LeftOut,
    Split,
    groups_to_leave_out,
    k_folds,
    leave_one_group_out,
    leave_out,
    patient_groups,
    read_lists,
    read_patient_list,
    read_split,
    write_lists,
    write_split,
)


def test_a_patient_in_two_parts_is_refused():
    with pytest.raises(InputError, match=r"'b' is in training and testing: the split leaks"):
        Split(("a", "b"), (), ("b",))


def test_a_patient_twice_in_one_part_is_refused():
    with pytest.raises(InputError, match="'a' is in training twice"):
        Split(("a", "a"))


def test_on_disk_keeps_the_others_as_missing():
    split = Split(("a", "b"), ("c",), ("d",)).on_disk(["a", "d", "x"])
    assert split == Split(("a",), (), ("d",), missing=("b", "c"))


def test_require_names_the_unknown_patient():
    with pytest.raises(InputError, match=r"patient 'z' of the split is not in the data set \(1 unknown"):
        Split(("a", "z")).require(["a"])


@settings(deadline=None)  # a busy machine is no failure
@given(
    strata=st.lists(st.sampled_from(["Good", "Medium", "Poor"]), min_size=5, max_size=60),
    folds=st.integers(3, 5),
    seed=st.integers(0, 5),
)
def test_folds_test_each_patient_once_in_equal_shares(strata, folds, seed):
    patients = {f"p{index:03d}": {"quality": quality} for index, quality in enumerate(strata)}
    splits = k_folds(patients, folds=folds, seed=seed, stratify=("quality",))
    tested = [name for split in splits for name in split.testing]
    assert sorted(tested) == sorted(patients)
    sizes = [len(split.testing) for split in splits]
    assert max(sizes) - min(sizes) <= 1
    for quality in set(strata):
        counts = [sum(patients[name]["quality"] == quality for name in split.testing) for split in splits]
        assert max(counts) - min(counts) <= 1
    for split, following in zip(splits, (*splits[1:], splits[0]), strict=True):
        assert sorted(split.patients) == sorted(patients)
        assert split.validation == following.testing


def test_folds_depend_on_the_seed_and_not_on_the_order_of_patients():
    patients = {f"p{index}": {} for index in range(20)}
    backwards = dict(reversed(patients.items()))
    assert k_folds(patients, folds=4, seed=1) == k_folds(backwards, folds=4, seed=1)
    assert k_folds(patients, folds=4, seed=1) != k_folds(patients, folds=4, seed=2)


def test_folds_without_validation_train_on_all_others():
    split = k_folds({name: {} for name in "abcd"}, folds=2, validation=False)[0]
    assert split.validation == ()
    assert len(split.training) == len(split.testing) == 2


@pytest.mark.parametrize(("folds", "validation"), [(2, True), (1, False), (5, True)])
def test_impossible_numbers_of_folds_are_refused(folds, validation):
    with pytest.raises(InputError, match=f"{folds} folds of 4 patients"):
        k_folds({name: {} for name in "abcd"}, folds=folds, validation=validation)


@pytest.mark.parametrize(("patients", "least"), [("a", 3), ("ab", 3), ("a", 2)])
def test_too_few_patients_for_any_fold_are_told_the_way_out(patients, least):
    with pytest.raises(InputError, match=f"folds by patient need at least {least}") as caught:
        k_folds({name: {} for name in patients}, folds=3, validation=least == 3)
    assert "a .json file of your own" in caught.value.remedy
    assert not re.search(r"from \d to \d", str(caught.value))


def test_what_else_folds_cannot_be_made_of():
    patients = {name: {"sex": "F"} for name in "abcd"}
    with pytest.raises(InputError, match=r"no patient has a group 'age' .*\n?choose from: sex"):
        k_folds(patients, folds=3, stratify=("age",))
    for refused in (
        lambda: k_folds(patients, folds=3, seed=-1),
        lambda: Split(("a", "b")).with_fewer_training_patients(1, seed=-1),
    ):
        with pytest.raises(InputError, match="a seed is a whole number of 0 or more, got -1"):
            refused()


def test_leave_one_vendor_out():
    patients = {"a": {"vendor": "A"}, "b": {"vendor": "B"}, "c": {"vendor": "A"}}
    splits = leave_one_group_out(patients, "vendor")
    assert splits == {"A": Split(("b",), (), ("a", "c")), "B": Split(("a", "c"), (), ("b",))}


def test_leave_one_group_out_needs_the_group():
    with pytest.raises(InputError, match="patient 'b' has no 'vendor'"):
        leave_one_group_out({"a": {"vendor": "A"}, "b": {}}, "vendor")
    with pytest.raises(InputError, match="no group to leave out"):
        leave_one_group_out({"a": {"vendor": "A"}}, "vendor")


def case_of(patient, phase=Phase.ED, **groups):
    return Case(f"{patient}_{phase}", View.SAX, phase, {"patient": patient, **groups}, read_image=lambda: None)


def test_a_domain_is_left_out_with_all_images_of_whoever_has_one_of_it():
    cases = [
        *(case_of(name, phase, vendor=vendor) for name, vendor in zip("abcd", "ABAC", strict=True) for phase in Phase),
        case_of("d", Phase.ES, vendor="A"),  # scanned twice: nobody of vendor A may be learned from
    ]
    split = leave_out(cases, LeftOut("vendor", "A"))
    assert split == Split(("b",), (), ("a", "c", "d"))
    learned = {case.patient for case in cases if case.patient in split.training}
    assert not any(case.groups["vendor"] == "A" for case in cases if case.patient in learned)
    assert groups_to_leave_out(cases, "vendor") == ("A", "B", "C")
    assert str(LeftOut("vendor", "A")) == "without vendor A"


def test_what_cannot_be_left_out_is_one_line():
    known, other, unknown = case_of("a", vendor="A"), case_of("b", vendor="B"), case_of("c")
    with pytest.raises(InputError, match=r"no patient has vendor 'D'.*\n?.*choose from: A, B"):
        leave_out([known, other], LeftOut("vendor", "D"))
    with pytest.raises(InputError, match=r"patient 'c' has no 'vendor' \(1 in all\): it may be of the one left out"):
        leave_out([known, other, unknown], LeftOut("vendor", "A"))
    with pytest.raises(InputError, match="nobody is left to learn from"):
        leave_out([known], LeftOut("vendor", "A"))
    with pytest.raises(InputError, match="all have vendor 'A': there is no group to leave out"):
        groups_to_leave_out([known, unknown], "vendor")
    with pytest.raises(InputError, match="no patient has a group 'centre'"):
        groups_to_leave_out([known], "centre")


@settings(deadline=None)
@given(
    strata=st.lists(st.sampled_from(["DCM", "HCM", "NOR"]), min_size=4, max_size=60),
    share=st.floats(0, 0.9),
    seed=st.integers(0, 5),
)
def test_drawn_validation_patients_hold_the_shares_of_all_within_one(strata, share, seed):
    groups = {f"p{index:03d}": {"pathology": name} for index, name in enumerate(strata)}
    names = sorted(groups)
    count = int(share * len(names[1:]))
    split = Split(tuple(names[1:-1]), (names[-1],), (names[0],)).validated_by(
        count, groups, stratify=["pathology"], seed=seed
    )
    assert len(split.validation) == count
    assert split.testing == (names[0],)
    assert sorted(split.patients) == names
    pool = [groups[name]["pathology"] for name in names[1:]]
    for pathology in set(pool):
        drawn = sum(groups[name]["pathology"] == pathology for name in split.validation)
        assert abs(drawn - count * pool.count(pathology) / len(pool)) < 1


def test_of_sixty_patients_in_five_folds_more_than_thirty_six_are_learned_from():
    groups = {f"p{index:02d}": {"pathology": str(index % 5)} for index in range(60)}
    usual = k_folds(groups, folds=5, stratify=["pathology"])[0]
    assert [len(part) for part in (usual.training, usual.validation, usual.testing)] == [36, 12, 12]
    fold = k_folds(groups, folds=5, stratify=["pathology"], validation=False)[0]
    assert fold.testing == usual.testing
    for count, learned in ((5, 43), (0, 48)):
        split = fold.validated_by(count, groups, stratify=["pathology"])
        assert (len(split.training), len(split.validation), split.testing) == (learned, count, usual.testing)
        assert len({groups[name]["pathology"] for name in split.validation}) == count
    assert fold.validated_by(5, groups, seed=1) != fold.validated_by(5, groups, seed=2)


@pytest.mark.parametrize("count", [-1, 4])
def test_more_validation_patients_than_there_are_or_fewer_than_none(count):
    with pytest.raises(InputError, match=f"{count} validation patients are wanted, and 4 are there"):
        Split(tuple("abc"), ("d",), ("e",)).validated_by(count, {})


def test_who_has_no_labels_is_not_drawn_to_validate():
    split = Split(tuple("abcdefgh"), testing=("i",))
    for seed in range(9):
        drawn = split.validated_by(2, {}, seed=seed, among=set("acei"))
        assert set(drawn.validation) < set("ace")
        assert sorted(drawn.training + drawn.validation) == list("abcdefgh")
    with pytest.raises(InputError, match="3 validation patients are wanted, and 3 are there"):
        split.validated_by(3, {}, among=set("acei"))


def test_patient_groups_join_the_keys_of_cases():
    def case(name, **groups):
        return Case(name, View.SAX, Phase.ED, groups, read_image=lambda: None)

    groups = patient_groups(
        [case("2", patient="b"), case("1", patient="a", vendor="A"), case("3", patient="b", sex="F")]
    )
    assert groups == {"a": {"patient": "a", "vendor": "A"}, "b": {"patient": "b", "sex": "F"}}
    assert list(groups) == ["a", "b"]


def test_json_round_trip(tmp_path):
    split = Split(("a", "b"), ("c",), ("d",), missing=("e",))
    write_split(split, tmp_path / "split.json")
    assert read_split(tmp_path / "split.json") == split


def test_list_round_trip(tmp_path):
    split = Split(("a", "b"), ("c",), ())
    write_lists(split, tmp_path, "fold1")
    assert (tmp_path / "fold1_training.txt").read_text() == "a\nb\n"
    assert read_lists(tmp_path, "fold1") == split


def test_a_leak_in_a_file_names_the_file(tmp_path):
    path = tmp_path / "split.json"
    path.write_text(json.dumps({"training": ["a"], "testing": ["a"]}))
    with pytest.raises(InputError, match=r"split\.json: patient 'a' is in training and testing"):
        read_split(path)


@pytest.mark.parametrize("text", ["{", '{"testing": []}', '{"training": "a"}', '{"training": [1]}', "[]"])
def test_what_is_no_split_is_refused(tmp_path, text):
    path = tmp_path / "split.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"split\.json"):
        read_split(path)


def test_lists_skip_empty_lines_and_byte_order_marks(tmp_path):
    path = tmp_path / "list.txt"
    path.write_bytes(b"\xef\xbb\xbfpatient0001\r\n\r\n  patient0002 \n")
    assert read_patient_list(path) == ("patient0001", "patient0002")


def test_fewer_patients_are_nested_and_of_the_training_part_only():
    split = Split(tuple(f"p{number:02d}" for number in range(40)), ("v1",), ("t1",))
    ten, twenty = split.with_fewer_training_patients(10, seed=3), split.with_fewer_training_patients(20, seed=3)
    assert len(ten.training) == 10
    assert set(ten.training) < set(twenty.training) < set(split.training)
    assert (ten.validation, ten.testing) == (split.validation, split.testing)
    assert split.with_fewer_training_patients(10, seed=4).training != ten.training


@pytest.mark.parametrize("count", [0, 41])
def test_fewer_than_one_or_more_than_all_are_refused(count):
    with pytest.raises(InputError, match=f"{count} training patients are wanted, the split has 40"):
        Split(tuple(f"p{number:02d}" for number in range(40))).with_fewer_training_patients(count)


def test_a_list_without_validation_draws_it_from_training():
    names = tuple(f"p{number:02d}" for number in range(30))
    drawn = Split(names, testing=("t",), missing=("m",)).validated()
    assert len(drawn.validation) == 3
    assert drawn.drawn == drawn.validation
    assert sorted(drawn.training + drawn.validation) == sorted(names)
    assert (drawn.testing, drawn.missing) == (("t",), ("m",))
    assert drawn.validation == Split(names[::-1]).validated().validation
    with_one = Split(names, ("v",))
    assert with_one.validated() is with_one
    assert Split(("a",)).validated() == Split(("a",))


def test_a_misspelt_part_is_no_empty_part(tmp_path):
    (tmp_path / "own.json").write_text('{"training": ["a"], "validaton": ["b"]}')
    with pytest.raises(InputError, match="a split has no part 'validaton'"):
        read_split(tmp_path / "own.json")
