"""The measures of an exam as a FHIR bundle: one report, one observation a value, and the program as their device.

It names nobody: whoever sends it adds the subject, whom only the sender knows. What has no public code has its plain
name as text, which FHIR allows; a value that is not usable has a reason in place of its number.
"""

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from cardiotrace import __version__
from cardiotrace.clinical.quantity import Measures, Quantity
from cardiotrace.core.exam import Exam
from cardiotrace.core.flag import LEFT_OUT
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.io.dicom.code import Code
from cardiotrace.io.dicom.derived import MAKER, PROGRAM
from cardiotrace.io.dicom.segmentation import Author
from cardiotrace.report.coding import method_code, quantity_code, site_code, unit_code
from cardiotrace.report.structured_report import ReportedExam, exam_flag_text, flag_text

_SYSTEMS = {
    "LN": "http://loinc.org",
    "SCT": "http://snomed.info/sct",
    "DCM": "http://dicom.nema.org/resources/ontology/DCM",
}
_NOTE = "http://hl7.org/fhir/5.0/StructureDefinition/extension-DiagnosticReport.note"
"""R4 has no notes of a report; R5 has, and this is how R4 holds them (FHIR, Extensions for converting versions)."""
_WORDS, _COUNT = {*map(str, View), *map(str, Phase)}, re.compile(r"\d{0,3}")
"""Names of images that are nobody's, and that sentences hold in another sense."""
_UCUM = "http://unitsofmeasure.org"
_ABSENT = "http://terminology.hl7.org/CodeSystem/data-absent-reason"
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_REPORTS = {
    Modality.US: Code("42148-7", "LN", "Echocardiography Report"),
    Modality.MR: Code("241620005", "SCT", "Cardiac MRI"),
}

Resource = dict[str, Any]


def fhir_bundle(exam: Exam, measures: Measures, authors: Mapping[str, Author]) -> Resource:
    """Measures as plain data of a FHIR R4 bundle; the same measures give the same bundle.

    Args:
        exam: whose measures they are.
        measures: what was measured.
        authors: who drew the outlines, by name of the image.

    Source: HL7 FHIR R4: Bundle, DiagnosticReport, Observation, Device.
    """
    reported = ReportedExam(exam, measures, authors)
    device = _entry(_device())
    observations = [_entry(_observation(reported, item, device["fullUrl"])) for item in measures.quantities]
    report = _entry(_report(reported, [item["fullUrl"] for item in observations]))
    return {"resourceType": "Bundle", "type": "collection", "entry": [report, *observations, device]}


def _entry(resource: Resource) -> Resource:
    """A resource under an address that follows from what it says."""
    told = json.dumps(resource, sort_keys=True)
    return {"fullUrl": uuid.uuid5(uuid.NAMESPACE_OID, told).urn, "resource": resource}


def _device() -> Resource:
    return {
        "resourceType": "Device",
        "manufacturer": MAKER,
        "deviceName": [{"name": PROGRAM, "type": "model-name"}],
        "version": [{"value": __version__}],
    }


def _report(reported: ReportedExam, results: Sequence[str]) -> Resource:
    code = _REPORTS.get(reported.exam_modality)
    notes = [{"url": _NOTE, "valueAnnotation": {"text": text}} for text in _exam_notes(reported)]
    return {
        "resourceType": "DiagnosticReport",
        **({"extension": notes} if notes else {}),
        "status": "preliminary",
        "code": {"text": "Measurements of the heart"} if code is None else _concept(code),
        "result": [{"reference": address} for address in results],
    }


def _exam_notes(reported: ReportedExam) -> list[str]:
    """What speaks of the exam as a whole. Names of files may be a patient's: images are numbered, others counted."""
    left_out = [flag for flag in reported.exam_flags if flag.rule == LEFT_OUT]
    notes = [exam_flag_text(flag) for flag in reported.exam_flags if flag.rule != LEFT_OUT]
    numbers = {image.name: f"image {number}" for number, image in enumerate(reported.exam.images, start=1)}
    telling = sorted((name for name in numbers if name not in _WORDS and not _COUNT.fullmatch(name)), key=len)
    named = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in reversed(telling)) or "(?!)")
    notes = [named.sub(lambda found: numbers[found[0]], text) for text in notes]
    return [*notes, *([f"note: left out when the exam was read: {len(left_out)}"] if left_out else [])]


def _observation(reported: ReportedExam, quantity: Quantity, device: str) -> Resource:
    made: Resource = {
        "resourceType": "Observation",
        "status": "preliminary",
        "category": [{"coding": [{"system": _CATEGORY, "code": "imaging"}]}],
        "code": _concept(quantity_code(quantity, reported.modality(quantity))),
        "bodySite": _concept(site_code(quantity)),
        "device": {"reference": device},
    }
    method = method_code(quantity)
    if method is not None:
        made["method"] = _concept(method)
    if quantity.is_usable:
        made["valueQuantity"] = _value(quantity)
    else:
        made["dataAbsentReason"] = {"coding": [{"system": _ABSENT, "code": "error"}]}
    notes = _notes(reported, quantity)
    return made | ({"note": [{"text": text} for text in notes]} if notes else {})


def _value(quantity: Quantity) -> Resource:
    unit = unit_code(quantity.unit)
    value = float(f"{quantity.value:.6g}")
    return {"value": value, "unit": unit.meaning, "system": _UCUM, "code": unit.value}


def _notes(reported: ReportedExam, quantity: Quantity) -> list[str]:
    """View, interval, model and flags, for none of which an observation has a place of its own."""
    notes = [f"view {quantity.view}"] if quantity.view else []
    if quantity.interval is not None and quantity.is_usable:
        low, high = (f"{limit:.6g}" for limit in quantity.interval)
        of = f" ({quantity.intervals[0].share:.0%}, {quantity.intervals[0].of})" if quantity.intervals else ""
        notes.append(f"interval {low} to {high} {unit_code(quantity.unit).meaning}{of}")
    author = reported.author(quantity)
    if author.name:
        notes.append(f"outlines by {author.name}, version {author.version}")
    return [*notes, *map(flag_text, quantity.flags)]


def _concept(code: Code) -> Resource:
    if code.scheme not in _SYSTEMS:
        return {"text": code.meaning}
    coding = {"system": _SYSTEMS[code.scheme], "code": code.value, "display": code.meaning}
    return {"coding": [coding], "text": code.meaning}
