"""The bundle has the shape that FHIR R4 asks for, says what was measured, and names nobody."""

import json
import uuid
from dataclasses import replace

import pytest

from cardiotrace import __version__
from cardiotrace.clinical import measure
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.io.dicom.segmentation import Author
from cardiotrace.report.fhir import fhir_bundle
from tests.fake.dicom_exam import BIRTH, PATIENT_ID, film, stack, write_stack, write_ultrasound

# Of HL7 FHIR R4: elements that a resource may have here, and those that it must.
ALLOWED = {
    "DiagnosticReport": {"resourceType", "extension", "status", "code", "result"},
    "Observation": {
        *("resourceType", "status", "category", "code", "bodySite", "device", "method", "note"),
        *("valueQuantity", "dataAbsentReason"),
    },
    "Device": {"resourceType", "manufacturer", "deviceName", "version"},
}
REQUIRED = {"DiagnosticReport": {"status", "code"}, "Observation": {"status", "code"}, "Device": set()}


def bundle_of(exam, measures):
    made = fhir_bundle(exam, measures, {image.name: Author("tiny-net") for image in exam.images})
    return json.loads(json.dumps(made, allow_nan=False))


@pytest.fixture
def echo(tmp_path):
    return film(write_ultrasound(tmp_path / "us"))


@pytest.mark.parametrize("kind", ["echo", "mri"])
def test_its_shape_is_that_of_the_standard(tmp_path, kind):
    made = film(write_ultrasound(tmp_path)) if kind == "echo" else stack(write_stack(tmp_path))
    exam, labels = made
    bundle = bundle_of(exam, measure(exam, labels))
    assert (bundle["resourceType"], bundle["type"]) == ("Bundle", "collection")
    addresses = [entry["fullUrl"] for entry in bundle["entry"]]
    assert len(set(addresses)) == len(addresses)
    for address in addresses:
        assert uuid.UUID(address.removeprefix("urn:uuid:")).version == 5
    for resource in (entry["resource"] for entry in bundle["entry"]):
        kind = resource["resourceType"]
        assert set(resource) <= ALLOWED[kind]
        assert set(resource) >= REQUIRED[kind]
        for key in ("code", "bodySite", "method"):
            if key in resource and kind != "Device":
                assert resource[key]["text"]
                for coding in resource[key].get("coding", []):
                    assert set(coding) == {"system", "code", "display"}
                    assert coding["system"].startswith("http://")
    first = bundle["entry"][0]["resource"]
    assert first["resourceType"] == "DiagnosticReport"
    assert [item["reference"] for item in first["result"]] == addresses[1:-1]


def test_a_value_has_its_code_unit_method_and_place(echo):
    exam, labels = echo
    measures = measure(exam, labels)
    found = bundle_of(exam, measures)["entry"][1]["resource"]
    value = float(f"{measures.quantities[0].value:.6g}")
    assert found["valueQuantity"] == {
        "value": value, "unit": "Percent", "system": "http://unitsofmeasure.org", "code": "%"
    }  # fmt: skip
    assert found["code"]["coding"][0]["code"] == "79993-2"
    assert found["method"]["coding"][0]["code"] == "125208"
    assert found["bodySite"]["coding"][0]["code"] == "87878005"
    assert [note["text"] for note in found["note"]][:2] == ["view A4C", "outlines by tiny-net, version " + __version__]


def test_a_private_name_is_text_alone(tmp_path):
    exam, labels = stack(write_stack(tmp_path))
    bundle = bundle_of(exam, measure(exam, labels))
    named = [entry["resource"].get("code", {}) for entry in bundle["entry"]]
    assert {"text": "Left ventricular mass"} in named


def test_a_value_that_is_not_usable_has_a_reason_and_no_number(echo):
    exam, labels = echo
    measures = measure(exam, labels)
    bad = replace(measures.quantities[0], value=173.0, flags=(Flag(Grade.NOT_USABLE, "cannot be"),))
    found = bundle_of(exam, replace(measures, quantities=(bad,)))
    observation = found["entry"][1]["resource"]
    assert "valueQuantity" not in observation
    assert observation["dataAbsentReason"]["coding"][0]["code"] == "error"
    assert observation["note"][-1]["text"] == "not usable: cannot be"
    assert "173" not in json.dumps(found["entry"][1])


def test_what_speaks_of_the_exam_stands_with_the_report_and_names_no_file(echo):
    exam, labels = echo
    exam = replace(exam, images=(replace(exam.images[0], name="Smith Anna A4C"),))
    measures = measure(exam, {"Smith Anna A4C": next(iter(labels.values()))})
    flags = (
        Flag(Grade.LOOK_TWICE, "it is unlike the images that the model was trained on", "unlike", "Smith Anna A4C"),
        Flag(Grade.NOTE, "Smith Anna A4C: labels were corrected by M. Roy, frames 3", "edited", "Smith Anna A4C"),
        Flag(Grade.NOTE, "Smith Anna.txt: is no image", "left-out"),
    )
    of_a_value = replace(measures.quantities[0], flags=(Flag(Grade.NOTE, "it stands with its value"),))
    bundle = bundle_of(exam, replace(measures, quantities=(of_a_value,), flags=(*flags, *of_a_value.flags)))
    report = bundle["entry"][0]["resource"]
    assert [note["valueAnnotation"]["text"] for note in report["extension"]] == [
        "look twice: it is unlike the images that the model was trained on (image 1)",
        "note: image 1: labels were corrected by M. Roy, frames 3",
        "note: left out when the exam was read: 1",
    ]
    assert "Smith" not in json.dumps(bundle)


def test_it_names_nobody_and_is_the_same_each_time(echo):
    exam, labels = replace(echo[0], name="name-of-a-folder"), echo[1]
    measures = measure(exam, labels)
    told = json.dumps(bundle_of(exam, measures))
    assert told == json.dumps(bundle_of(exam, measures))
    source = exam.images[0].image.source.header.frames[0][0].file.header
    for word in (PATIENT_ID, BIRTH, str(source.StudyInstanceUID), exam.name):
        assert word not in told
    assert "subject" not in told
