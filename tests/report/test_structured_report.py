"""Measures as a DICOM structured report: valid, read by two other programs, and never a number that is not usable."""

import re
from dataclasses import replace

import highdicom
import pytest
from pydicom import dcmread

from cardiotrace import __version__
from cardiotrace.clinical import measure
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.io.dicom.code import PRIVATE_SCHEME
from cardiotrace.io.dicom.derived import write_object
from cardiotrace.io.dicom.segmentation import Author
from cardiotrace.io.dicom.structured_report import structured_report_of
from cardiotrace.report.structured_report import ReportedExam, measurement_report
from tests.fake.dicom_exam import MADE, NAME, film, stack, write_stack, write_ultrasound
from tests.programs import complaints, run

EF = "left_ventricular_ejection_fraction"


@pytest.fixture(params=["echo", "mri"])
def either(request, tmp_path):
    if request.param == "echo":
        return film(write_ultrasound(tmp_path / "us"))
    return stack(write_stack(tmp_path / "mr"))


@pytest.fixture
def echo(tmp_path):
    return film(write_ultrasound(tmp_path / "us"))


def written(tmp_path, exam, measures, author="tiny-net"):
    image = exam.images[0]
    frames = [frame for row in image.image.source.header.frames for frame in row]
    tree = measurement_report(ReportedExam(exam, measures, {image.name: Author(author)}))
    headers = [frame.file.header for frame in frames]
    path = tmp_path / "sr.dcm"
    write_object(structured_report_of(tree, headers[0], headers, made=MADE), path)
    return path


def groups_of(read):
    """The measurement groups of a report; what speaks of the exam as a whole stands below them."""
    (measurements,) = (item for item in read.ContentSequence if item.ConceptNameCodeSequence[0].CodeValue == "126010")
    return measurements.ContentSequence


def texts_in(path, number):
    """The words of a measurement group, by what they are about."""
    group = groups_of(dcmread(path))[number]
    return {
        item.ConceptNameCodeSequence[0].CodeMeaning: item.TextValue
        for item in group.ContentSequence
        if "TextValue" in item
    }


def is_view(item):
    return item.ConceptNameCodeSequence[0].CodeValue == "111031"


def groups_in(path):
    return highdicom.sr.srread(path).content.get_image_measurement_groups()


def test_the_validator_finds_no_error_and_dsrdump_reads_it(tmp_path, either):
    exam, labels = either
    path = written(tmp_path, exam, measure(exam, labels))
    assert complaints(path) == []
    told = run("dsrdump", path)
    assert told.returncode == 0
    assert "Imaging Measurement Report" in told.stdout
    assert "Verification Flag   : UNVERIFIED" in told.stdout
    assert NAME in told.stdout


def test_another_program_reads_the_same_values_with_their_units(tmp_path, either):
    exam, labels = either
    measures = measure(exam, labels)
    found = [
        (float(item.value), item.unit.value)
        for group in groups_in(written(tmp_path, exam, measures))
        for item in group.get_measurements()
    ]
    units = {"percent": "%", "ml": "mL", "ratio": "1"}
    expected = [
        (float(f"{item.value:.6g}"), units.get(item.unit, item.unit)) for item in measures.quantities if item.is_usable
    ]
    assert sorted(found) == sorted(expected)
    assert len(found) >= 9


def test_a_value_says_what_it_is_where_how_and_from_what(tmp_path, echo):
    exam, labels = echo
    path = written(tmp_path, exam, measure(exam, labels))
    group = next(each for each in groups_in(path) if each.tracking_identifier.endswith(": Left ventricle, A4C"))
    assert group.finding_sites[0].value.value == "87878005"
    fraction = group.get_measurements()[0]
    assert (fraction.name.value, fraction.name.scheme_designator) == ("79993-2", "LN")
    assert fraction.method.meaning == "Method of Disks, Single Plane"
    frames = [item.referenced_frame_numbers for item in fraction.referenced_images]
    assert frames == [[1], [4]]
    texts = texts_in(path, 1)
    assert (texts["Algorithm Name"], texts["Algorithm Version"]) == ("tiny-net", __version__)
    (view,) = (item for item in groups_of(dcmread(path))[1].ContentSequence if is_view(item))
    assert view.ConceptCodeSequence[0].CodeValue == "399214001"


def test_the_interval_stands_as_reach_above_and_below(tmp_path, echo):
    exam, labels = echo
    measures = measure(exam, labels)
    first = replace(measures.quantities[0], value=60.0, interval=(52.0, 66.0))
    path = written(tmp_path, exam, replace(measures, quantities=(first,)))
    (group,) = groups_of(dcmread(path))
    (item,) = (item for item in group.ContentSequence if item.ValueType == "NUM")
    reach = {
        part.ConceptNameCodeSequence[0].CodeValue: float(part.MeasuredValueSequence[0].NumericValue)
        for part in item.ContentSequence
        if part.RelationshipType == "HAS PROPERTIES"
    }
    assert reach == {"371886008": 6.0, "371885007": 8.0}
    assert complaints(path) == []


def test_a_value_that_is_not_usable_has_no_number_but_a_reason(tmp_path, echo):
    exam, labels = echo
    measures = measure(exam, labels)
    bad = Flag(Grade.NOT_USABLE, "an ejection fraction of 173 % cannot be", "ejection-impossible")
    first = replace(measures.quantities[0], value=173.0, interval=(160.0, 180.0), flags=(bad,))
    path = written(tmp_path, exam, replace(measures, quantities=(first,)))
    read = dcmread(path)
    (group,) = groups_of(read)
    (number,) = (item for item in group.ContentSequence if item.ValueType == "NUM")
    assert len(number.MeasuredValueSequence) == 0
    assert number.NumericValueQualifierCodeSequence[0].CodeValue == "114006"
    (comment,) = (
        item.TextValue for item in group.ContentSequence if item.get("TextValue", "").startswith("not usable")
    )
    assert comment == f"not usable: {bad.text} (left ventricular ejection fraction)"
    assert complaints(path) == []
    assert not re.search(r"\"1[678]\d", run("dsrdump", path).stdout)


def test_what_speaks_of_the_exam_stands_below_the_measurements(tmp_path, echo):
    exam, labels = echo
    measures = measure(exam, labels)
    unlike = Flag(Grade.LOOK_TWICE, "it is unlike the images of the training", "unlike-training", exam.images[0].name)
    path = written(tmp_path, exam, replace(measures, flags=(*measures.flags, unlike)))
    comments = [item.TextValue for item in dcmread(path).ContentSequence if item.ValueType == "TEXT"]
    of_values = {flag.text for quantity in measures.quantities for flag in quantity.flags}
    assert comments[-1] == f"look twice: {unlike.text} ({exam.images[0].name})"
    assert not [text for text in of_values if any(text in comment for comment in comments)]
    assert complaints(path) == []
    assert unlike.text[:12] in run("dsrdump", path).stdout


def test_private_codes_are_explained_and_the_evidence_is_listed(tmp_path, either):
    exam, labels = either
    read = dcmread(written(tmp_path, exam, measure(exam, labels)))
    assert read.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == PRIVATE_SCHEME
    (study,) = read.CurrentRequestedProcedureEvidenceSequence
    named = {
        item.ReferencedSOPInstanceUID
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }
    frames = exam.images[0].image.source.header.frames
    assert named == {frame.file.header.SOPInstanceUID for row in frames for frame in row}
    assert study.StudyInstanceUID == read.StudyInstanceUID


def test_outlines_of_a_person_name_the_program_that_measured_them(tmp_path, echo):
    exam, labels = echo
    path = written(tmp_path, exam, measure(exam, labels), author="")
    assert texts_in(path, 0)["Algorithm Name"] == "CardioTrace"


def test_the_same_report_is_the_same_file(tmp_path, echo):
    exam, labels = echo
    measures = measure(exam, labels)
    assert written(tmp_path, exam, measures).read_bytes() == written(tmp_path, exam, measures).read_bytes()
