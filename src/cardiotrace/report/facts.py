"""What a report says of patient, images and program before it comes to numbers."""

from collections.abc import Iterable, Mapping

import numpy as np

from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.identity import Identity
from cardiotrace.core.terms import Modality, View
from cardiotrace.core.trust import ImageTrust
from cardiotrace.report.words import ENGLISH, Words

Facts = list[tuple[str, str]]

_TOLD = ("date", "quality", "pathology", "reference_ejection_fraction_percent")
"""Facts of data sets that a report tells; others might say who the patient is."""
_CARDIAC = frozenset(("reference_ejection_fraction_percent",))


def facts_of(exam: Exam, words: Words = ENGLISH) -> Facts:
    """Names and words of what is known of an exam; what is not known is left out, but for the pixel size.

    Args:
        exam: the exam as it was read.
        words: the language.
    """
    patient, rates = exam.patient, [image.image.acquisition.heart_rate_bpm for image in exam.images]
    years = "" if patient.age_years is None else words("fact.years", number=words.decimals(f"{patient.age_years:g}"))
    facts = [
        ("sex", words.found(f"fact.{patient.sex}") or (patient.sex or "")),
        ("age", years),
        ("height", _number(patient.height_cm, "cm", words)),
        ("weight", _number(patient.weight_kg, "kg", words)),
        *_stated(exam),
        ("frame_rate", _frame_rate(exam, words)),
        ("heart_rate", _range(rates, words("fact.per_minute"), words)),
        ("scanner", _scanner(exam)),
        ("pixel_size", pixel_sizes(exam.images, words)),
    ]
    return [(words(f"fact.{name}"), text) for name, text in facts if text]


def trust_facts(exam: Exam, measures: Measures, trust: Mapping[str, ImageTrust], words: Words = ENGLISH) -> Facts:
    """What a model expects of its labels in the frames that were measured, view by view; of all frames where none was.

    Args:
        exam: whose images are told of.
        measures: whose key frames they are.
        trust: by name of the image.
        words: the language.
    """
    views: dict[str, dict[str, list[float]]] = {}
    for image in exam.images:
        if image.name in trust:
            frames = [frame.frame for frame in measures.key_frames if frame.image == image.name]
            view = views.setdefault(words.view(image.image.view_name), {})
            for name, value in trust[image.name].expected_in(frames).items():
                view.setdefault(words(f"structure.{name}"), []).append(value)
    told = [
        f"{view} " + ", ".join(f"{name} {words.decimals(f'{np.mean(each):.2f}')}" for name, each in found.items())
        for view, found in views.items()
        if found
    ]
    return [(words("fact.expected_dice"), "; ".join(told))] if told else []


_IDENTITY = ("patient_name", "patient_id", "birth_date", "study_date", "accession_number", "institution")
"""Facts of an identity, in the order in which they are told."""


def identity_words(identity: Identity, words: Words = ENGLISH) -> list[str]:
    """Whose an exam is, in words, one for each fact that is stated.

    Example:
        >>> identity_words(Identity("Roe^Jane=山田^花子", "4711", disputed=("birth_date",)))
        ['Roe, Jane (山田, 花子)', 'number 4711', 'files contradict each other: birth date']
    """
    stated = {**identity.to_plain(), "patient_name": _person(identity.patient_name)}
    told = [words(f"identity.{name}", fact=stated[name]) for name in _IDENTITY if stated.get(name)]
    disputed = ", ".join(words(f"identity.{name}_disputed") for name in identity.disputed)
    return [*told, words("identity.disputed", facts=disputed)] if disputed else told


def _person(name: str) -> str:
    """A name of DICOM in words: the family's, a comma, the others; in other scripts in parentheses."""
    groups = [[part.strip() for part in group.split("^")] for group in name.split("=")]
    told = [", ".join(filter(None, (family, " ".join(filter(None, others))))) for family, *others in groups]
    first, *scripts = filter(None, told) if any(told) else [""]
    return f"{first} ({', '.join(scripts)})" if scripts else first


def _stated(exam: Exam) -> Facts:
    """What the data set says, of hearts alone what is of hearts."""
    keys = [key for key in _TOLD if key not in _CARDIAC or is_of_heart(exam)]
    return [(key, str(exam.facts.get(key) or "")) for key in keys]


def is_of_heart(exam: Exam) -> bool:
    """Whether an exam shows hearts: all but photographs, such as those of the retina."""
    return not exam.images or any(
        image.image.modality is not Modality.PHOTOGRAPH and image.image.view is not View.FUNDUS for image in exam.images
    )


def pixel_sizes(images: Iterable[ExamImage], words: Words = ENGLISH) -> str:
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
        views.setdefault(_pixel_size(image, words), []).append(words.view(image.image.view_name))
    if len(views) < 2:
        return next(iter(views), "")
    return "; ".join(f"{', '.join(dict.fromkeys(names))} {text}" for text, names in views.items())


def _pixel_size(image: ExamImage, words: Words) -> str:
    cine, geometry = image.image, image.image.geometry
    if cine.spacing_mm is None:
        return words("known.unknown")
    depth, height, width = (words.decimals(f"{length:.3g}") for length in cine.spacing_mm)
    size, known = words("fact.pixels", height=height, width=width), words(f"known.{geometry.pixel_size}")
    if cine.grid_shape[1] == 1:
        return f"{size} ({known})"
    if np.isnan(cine.spacing_mm[0]):
        return f"{size} ({known}), {words('fact.slices_unknown')}"
    apart = f"{words('fact.slices', distance=depth)} ({words(f'known.{geometry.slice_distance}')})"
    if geometry.pixel_size is geometry.slice_distance:
        return f"{size}, {apart}"
    return f"{size} ({known}), {apart}"


def _frame_rate(exam: Exam, words: Words) -> str:
    per_second = words("fact.per_second")
    if exam.frame_rate_hz:
        return f"{exam.frame_rate_hz:.0f} {per_second}"
    stated = _range((image.image.acquisition.frame_rate_hz for image in exam.images), per_second, words)
    return stated or _range((_rate_of_times(image) for image in exam.images), per_second, words)


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


def _range(values: Iterable[float | None], unit: str, words: Words) -> str:
    """One number for all, or from the least to the greatest."""
    known = sorted({round(value) for value in values if value is not None and np.isfinite(value)})
    if not known:
        return ""
    several = len(known) > 1
    return f"{words('fact.range', low=known[0], high=known[-1]) if several else known[0]} {unit}"


def _number(value: float | None, unit: str, words: Words) -> str:
    return "" if value is None else f"{words.decimals(f'{value:g}')} {unit}"
