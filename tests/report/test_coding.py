"""Codes: every quantity has one, none is another's, and each public one says what DICOM's tables say of it."""

import pytest
from pydicom.sr._concepts_dict import concepts

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import Quantity
from cardiotrace.clinical.term import TERMS
from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Modality
from cardiotrace.io.dicom.code import PRIVATE_SCHEME, Code
from cardiotrace.report.coding import codebook, method_code, quantity_code, site_code, unit_code, view_codes


def quantity(name: str, method=Method.BIPLANE_DISKS, view="A4C+A2C", unit="") -> Quantity:
    return Quantity(name, 1.0, unit or TERMS[name].unit, method, view, ())


def public_codes() -> list[Code]:
    book = codebook()
    tables = (book.methods, book.area_methods, book.views, book.sites)
    found = [row.code for row in book.rows] + [code for table in tables for code in table.values()]
    return [code for code in found if code.scheme != PRIVATE_SCHEME]


@pytest.mark.parametrize("code", public_codes(), ids=lambda code: f"{code.scheme} {code.value}")
def test_a_public_code_means_what_dicom_says(code):
    meanings = [
        words for names in concepts[code.scheme].values() for value, (words, _) in names.items() if value == code.value
    ]
    assert code.meaning in meanings


def test_every_quantity_and_unit_and_method_has_a_code_of_its_own():
    private = codebook().private
    assert set(private) == set(TERMS)
    assert len(set(private.values())) == len(private)
    assert all(len(value) <= 16 for value in private.values())
    assert {term.unit for term in TERMS.values()} <= set(codebook().units)
    assert {method.value for method in Method if method.value} == set(codebook().methods)
    assert {row.name for row in codebook().rows} <= set(TERMS)
    assert {row.method for row in codebook().rows} <= {"", *Method}


@pytest.mark.parametrize(
    ("name", "modality", "method", "view", "code"),
    [
        ("left_ventricular_ejection_fraction", "US", Method.BIPLANE_DISKS, "A4C+A2C", "79991-6"),
        ("left_ventricular_ejection_fraction", "US", Method.SINGLE_PLANE_DISKS, "A4C", "79993-2"),
        ("left_ventricular_ejection_fraction", "US", Method.SINGLE_PLANE_DISKS, "A2C", "79992-4"),
        ("left_ventricular_ejection_fraction", "US", Method.AREA_LENGTH, "A4C", "18043-0"),
        ("left_ventricular_ejection_fraction", "MR", Method.SUM_OF_SLICES, "SAX", "8811-2"),
        ("right_ventricular_ejection_fraction", "MR", Method.SUM_OF_SLICES, "SAX", "8818-7"),
        ("left_atrial_volume", "US", Method.BIPLANE_AREA_LENGTH, "A4C+A2C", "79981-7"),
        ("left_ventricular_end_diastolic_length", "US", Method.TRACED, "A4C", "79994-0"),
        ("left_ventricular_end_diastolic_length", "US", Method.TRACED, "A2C", "18077-8"),
    ],
)
def test_a_code_is_of_the_modality_the_method_and_the_view(name, modality, method, view, code):
    assert quantity_code(quantity(name, method, view), Modality(modality)).value == code


@pytest.mark.parametrize(
    ("name", "modality", "method", "view"),
    [
        # No code says these exactly; the nearest is of another modality, view or method.
        ("left_ventricular_ejection_fraction", "unknown", Method.BIPLANE_DISKS, "A4C+A2C"),
        ("right_ventricular_ejection_fraction", "US", Method.SUM_OF_SLICES, "PSAX"),
        ("left_ventricular_mass", "MR", Method.SUM_OF_SLICES, "SAX"),
        ("left_ventricular_end_diastolic_volume_index", "US", Method.SINGLE_PLANE_DISKS, "A4C"),
        ("left_ventricular_end_diastolic_length", "MR", Method.TRACED, "4CH"),
        ("left_atrial_area", "US", Method.TRACED, "A3C"),
    ],
)
def test_where_no_code_is_right_the_plain_name_stands(name, modality, method, view):
    code = quantity_code(quantity(name, method, view), Modality(modality))
    assert code.scheme == PRIVATE_SCHEME
    assert code.meaning == name.replace("_", " ").capitalize()


def test_what_nobody_coded_is_refused():
    with pytest.raises(InputError, match="quantity left_ear has no code"):
        quantity_code(Quantity("left_ear", 1.0, "ml", Method.TRACED, "A4C", ()), Modality.US)
    with pytest.raises(InputError, match="unit furlong has no code"):
        unit_code("furlong")


def test_sites_views_and_methods():
    assert site_code(quantity("left_ventricular_mass")).meaning == "Left Ventricle Myocardium"
    assert site_code(quantity("right_ventricular_stroke_volume")).value == "53085002"
    assert [code.meaning for code in view_codes("A4C+A2C", Modality.US)] == [
        "Apical four chamber",
        "Apical two chamber",
    ]
    (three,) = view_codes("3CH", Modality.MR)  # "apical long axis" is a word of echo
    assert (three.value, three.scheme) == ("VIEW-3CH", PRIVATE_SCHEME)
    assert method_code(quantity("left_atrial_area", Method.TRACED, "A4C")).value == "125220"
    assert method_code(quantity("left_atrial_length", Method.TRACED, "A4C")).scheme == PRIVATE_SCHEME
    assert method_code(quantity("left_atrial_area", Method.UNKNOWN, "A4C")) is None
