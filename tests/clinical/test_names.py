"""What values, methods and frames are called: in files of today and of earlier versions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import FORMER_NAMES, Quantity, present_key
from cardiotrace.clinical.term import TERMS, key_of


@given(st.text(), st.integers(0, 10**6))
def test_a_written_frame_is_read_back_whatever_the_image_is_called(image: str, frame: int) -> None:
    ref = FrameRef(image, frame)
    assert FrameRef.of(str(ref)) == ref


@pytest.mark.parametrize("text", ["scan", "scan:", "scan:first", ""])
def test_what_names_no_frame_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        FrameRef.of(text)


@pytest.mark.parametrize(
    ("written", "method"),
    [
        ("discs, biplane", Method.BIPLANE_DISKS),
        ("discs, one plane", Method.SINGLE_PLANE_DISKS),
        ("discs, single plane", Method.SINGLE_PLANE_DISKS),
        ("area-length, one plane", Method.AREA_LENGTH),
        ("traced, one slice", Method.TRACED_SLICE),
        ("", Method.UNKNOWN),
    ],
)
def test_methods_are_read_as_earlier_files_wrote_them(written: str, method: Method) -> None:
    assert Method(written) is method
    assert Method(method.value) is method


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="by eye"):
        Method("by eye")


def test_planes_and_notes_of_methods() -> None:
    assert {method for method in Method if method.is_single_plane} == {Method.SINGLE_PLANE_DISKS, Method.AREA_LENGTH}
    assert {method for method in Method if method.is_biplane} == {Method.BIPLANE_DISKS, Method.BIPLANE_AREA_LENGTH}
    assert not any(method.is_single_plane and method.is_biplane for method in Method)
    # One sentence explains area and length in one plane and in two.
    assert Method.AREA_LENGTH.note == Method.BIPLANE_AREA_LENGTH.note != ""
    assert Method.TRACED.note == ""
    assert (Method.SUM_OF_SLICES.words, Method.TRACED.words) == ("slices", "traced")


def test_every_term_is_one_name_one_key_and_one_short_word() -> None:
    terms = list(TERMS.values())
    assert len({term.key for term in terms}) == len({term.qualified for term in terms}) == len(terms)
    assert set(FORMER_NAMES.values()) <= set(TERMS)
    for term in terms:
        assert term.key == Quantity(term.name, 1.0, term.unit, Method.TRACED, "A4C", ()).key
        assert term.words[0].isupper()
        assert len(term.short) <= len(term.words)
    words = {name: TERMS[name].in_sentence for name in ("left_ventricular_mass", "right_ventricular_ejection_fraction")}
    assert list(words.values()) == ["myocardial mass", "RV ejection fraction"]
    assert TERMS["left_ventricular_mass"].qualified == "LV mass"
    assert TERMS["vessel_density"].qualified == "vessel density"


def test_former_names_become_those_of_today_and_todays_stay() -> None:
    for former, name in FORMER_NAMES.items():
        assert present_key(key_of(former, TERMS[name].unit)) == TERMS[name].key
    assert all(present_key(term.key) == term.key for term in TERMS.values())
