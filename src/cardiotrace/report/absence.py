"""What was not measured, and why, as far as the exam itself tells."""

from collections.abc import Iterator

from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam
from cardiotrace.core.terms import Modality, Phase, View, view_name
from cardiotrace.report.words import Words

_BIPLANE = (View.FOUR_CHAMBER, View.TWO_CHAMBER)


def absences(exam: Exam, measures: Measures, words: Words) -> Iterator[str]:
    """What is missing among usual numbers of the heart, each with the reason; nothing where no reason is known.

    Args:
        exam: what it was looked for in.
        measures: what was found.
        words: the language.
    """
    names = {quantity.name for quantity in measures if quantity.name.startswith(("left_", "right_"))}
    if not names:
        return
    volumes = {name for name in names if name.endswith(("_volume", "_mass"))}
    if not volumes and any(image.image.spacing_mm is None for image in exam.images):
        yield words("absent.volume")
    if volumes and not any(quantity.unit.endswith("/m2") for quantity in measures):
        yield words("absent.index")
    yield from _biplane(exam, measures, words)
    if measures.not_calibrated:
        yield words(f"absent.interval_{measures.not_calibrated}")
    if not measures.curves:
        yield words("absent.motion")


def _biplane(exam: Exam, measures: Measures, words: Words) -> Iterator[str]:
    """Why echo has no biplane volume: a view is missing, or was not measured at both phases."""
    apical = {image.image.view for image in exam.images if image.image.modality is Modality.US} & set(_BIPLANE)
    if not apical or any(quantity.method.is_biplane and "volume" in quantity.name for quantity in measures):
        return
    missing = [view for view in _BIPLANE if view not in apical]
    if missing:
        yield words("absent.biplane", view=view_name(missing[0], Modality.US))
        return
    seen = {view: {found.phase for found in measures.key_frames if found.view is view} for view in _BIPLANE}
    if not all({Phase.ED, Phase.ES} <= phases for phases in seen.values()):
        yield words("absent.biplane_not")
