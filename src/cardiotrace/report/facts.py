"""What a report says of patient, images and program before it comes to numbers."""

from collections.abc import Iterable

import numpy as np

from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.geometry import Known
from cardiotrace.core.identity import Identity
from cardiotrace.core.terms import Modality, View

Facts = list[tuple[str, str]]

KNOWN_WORDS = {
    Known.FILE: "from the file",
    Known.DATA_SET: "from the data set",
    Known.GIVEN: "given by the user",
    Known.NAME: "from the file's name",
    Known.ASSUMED: "assumed",
    Known.UNKNOWN: "unknown",
}
_SEXES = {"F": "female", "M": "male"}
_TOLD = {
    "date": "Date",
    "quality": "Image quality",
    "pathology": "Group",
    "reference_ejection_fraction_percent": "Ejection fraction stated by the data set, %",
}
"""Facts of data sets that a report tells; others might say who the patient is."""
_CARDIAC = frozenset(("reference_ejection_fraction_percent",))


def facts_of(exam: Exam) -> Facts:
    """Names and words of what is known of an exam; what is not known is left out, but for the pixel size.

    Args:
        exam: the exam as it was read.
    """
    patient = exam.patient
    facts = [
        ("Sex", _SEXES.get(patient.sex or "", patient.sex or "")),
        ("Age", _number(patient.age_years, "years")),
        ("Height", _number(patient.height_cm, "cm")),
        ("Weight", _number(patient.weight_kg, "kg")),
        *_stated(exam),
        ("Frame rate", _frame_rate(exam)),
        ("Heart rate", _range((image.image.acquisition.heart_rate_bpm for image in exam.images), "/min")),
        ("Scanner", _scanner(exam)),
        ("Pixel size", pixel_sizes(exam.images)),
    ]
    return [(name, text) for name, text in facts if text]


_IDENTITY = {
    "patient_name": "{}",
    "patient_id": "number {}",
    "birth_date": "born {}",
    "study_date": "study of {}",
    "accession_number": "accession number {}",
    "institution": "{}",
}


def identity_words(identity: Identity) -> list[str]:
    """Whose an exam is, in words, one for each fact that is stated.

    Example:
        >>> identity_words(Identity("Roe^Jane=山田^花子", "4711", disputed=("birth_date",)))
        ['Roe, Jane (山田, 花子)', 'number 4711', 'files contradict each other: birth date']
    """
    stated = {**identity.to_plain(), "patient_name": _person(identity.patient_name)}
    words = [form.format(stated[name]) for name, form in _IDENTITY.items() if stated.get(name)]
    disputed = ", ".join(name.replace("_", " ") for name in identity.disputed)
    return [*words, f"files contradict each other: {disputed}"] if disputed else words


def _person(name: str) -> str:
    """A name of DICOM in words: the family's, a comma, the others; in other scripts in parentheses."""
    groups = [[part.strip() for part in group.split("^")] for group in name.split("=")]
    told = [", ".join(filter(None, (family, " ".join(filter(None, others))))) for family, *others in groups]
    first, *scripts = filter(None, told) if any(told) else [""]
    return f"{first} ({', '.join(scripts)})" if scripts else first


def _stated(exam: Exam) -> Facts:
    """What the data set says, of hearts alone what is of hearts."""
    keys = [key for key in _TOLD if key not in _CARDIAC or is_of_heart(exam)]
    return [(_TOLD[key], str(exam.facts.get(key) or "")) for key in keys]


def is_of_heart(exam: Exam) -> bool:
    """Whether an exam shows hearts: all but photographs, such as those of the retina."""
    return not exam.images or any(
        image.image.modality is not Modality.PHOTOGRAPH and image.image.view is not View.FUNDUS for image in exam.images
    )


def view_words(view_name: str) -> str:
    """What a report calls a view.

    Example:
        >>> view_words("A4C"), view_words("FUNDUS"), view_words("unknown")
        ('A4C', 'retina', 'view unknown')
    """
    return {View.FUNDUS.value: "retina", View.UNKNOWN.value: "view unknown"}.get(view_name, view_name)


def pixel_sizes(images: Iterable[ExamImage]) -> str:
    """Sizes of pixels and how they are known, once for all images alike; "" without images.

    Example:
        >>> from cardiotrace.core.geometry import Geometry
        >>> from cardiotrace.core.image import Image
        >>> cine = Image(np.zeros((1, 9, 8, 8), np.uint8), Geometry.of_spacing((8.0, 1.4, 1.4)))
        >>> pixel_sizes([ExamImage("a", cine)])
        '1.4 x 1.4 mm, slices 8 mm apart (from the file)'
    """
    views: dict[str, list[str]] = {}
    for image in images:
        views.setdefault(_pixel_size(image), []).append(view_words(image.image.view_name))
    if len(views) < 2:
        return next(iter(views), "")
    return "; ".join(f"{', '.join(dict.fromkeys(names))} {text}" for text, names in views.items())


def _pixel_size(image: ExamImage) -> str:
    cine, geometry = image.image, image.image.geometry
    if cine.spacing_mm is None:
        return KNOWN_WORDS[Known.UNKNOWN]
    depth, height, width = cine.spacing_mm
    size = f"{height:.3g} x {width:.3g} mm"
    if cine.grid_shape[1] == 1:
        return f"{size} ({KNOWN_WORDS[geometry.pixel_size]})"
    if np.isnan(depth):
        return f"{size} ({KNOWN_WORDS[geometry.pixel_size]}), distance of slices unknown"
    apart = f"slices {depth:.3g} mm apart ({KNOWN_WORDS[geometry.slice_distance]})"
    if geometry.pixel_size is geometry.slice_distance:
        return f"{size}, {apart}"
    return f"{size} ({KNOWN_WORDS[geometry.pixel_size]}), {apart}"


def _frame_rate(exam: Exam) -> str:
    if exam.frame_rate_hz:
        return f"{exam.frame_rate_hz:.0f} /s"
    stated = _range((image.image.acquisition.frame_rate_hz for image in exam.images), "/s")
    return stated or _range((_rate_of_times(image) for image in exam.images), "/s")


def _rate_of_times(image: ExamImage) -> float | None:
    times = image.image.times_ms
    if times is None or len(times) < 2 or not times[-1] > times[0]:
        return None
    return 1000 * (len(times) - 1) / float(times[-1] - times[0])


def _scanner(exam: Exam) -> str:
    told = []
    for image in exam.images:
        made = image.image.acquisition
        field = None if made.field_strength_t is None else f"{made.field_strength_t:g} T"
        told.append(" ".join(word for word in (made.vendor, made.scanner, field) if word))
    return "; ".join(dict.fromkeys(word for word in told if word))


def _range(values: Iterable[float | None], unit: str) -> str:
    """One number for all, or from the least to the greatest."""
    known = sorted({round(value) for value in values if value is not None and np.isfinite(value)})
    if not known:
        return ""
    return f"{known[0]} {unit}" if len(known) == 1 else f"{known[0]} to {known[-1]} {unit}"


def _number(value: float | None, unit: str) -> str:
    return "" if value is None else f"{value:g} {unit}"
