"""What a series of magnetic resonance shows: cines of the heart, or something else that is told from its header.

Standard attributes are asked first (image type, sequence, echo and inversion times), then the words of the description,
which are each site's own, then how many instants there are.
"""

import re
from collections.abc import Callable, Sequence
from itertools import pairwise

from cardiotrace.core.terms import View
from cardiotrace.io.dicom.plane import Plane
from cardiotrace.io.vocabulary import read_words

MIN_PHASES = 8
"""Instants of a slice below which it is no cine: stills have one, maps up to seven or so, cines from a dozen on."""

_SAME_MS = 0.01
_STILL_MS = 20.0
_ONE_A_BEAT_S = 0.3
"""Median step between images that are taken once a beat: no heart beats faster."""

_TYPES = (
    ({"LOCALIZER"}, "a localiser"),
    ({"MPR", "CPR", "MIP", "MINIP", "PROJECTION IMAGE", "CSA MPR"}, "made of other images"),
    ({"P", "PHASE", "PHASE MAP", "VELOCITY", "VELOCITY MAP", "PCA", "FLOW_ENCODED"}, "velocities of flow"),
    ({"R", "REAL", "I", "IMAGINARY", "REAL IMAGE", "IMAGINARY IMAGE"}, "one part of complex values, no magnitude"),
    ({"T1", "T2", "T1 MAP", "T2 MAP", "T2_STAR MAP", "T2 STAR MAP", "R2 MAP", "ECV", "ADC", "MAP"}, "a map of tissue"),
    ({"PERFUSION"}, "perfusion"),
    ({"TAGGING"}, "tagged"),
)
"""Words of the image type, its component or contrast, and what they make of a series."""

TELLING_KINDS = frozenset().union(*(words for words, _ in _TYPES))
"""Words that tell images of one series apart."""

_WORDS = tuple(
    (re.compile(rf"(?<![a-z0-9])(?:{pattern})(?![a-z0-9])"), reason)
    for pattern, reason in (
        (r"locali[sz]ers?|loc|scouts?|survey|pilot|3 ?-?pl(?:ane)?", "a localiser"),
        (r"(?:q|4d)?flow|venc\d*|pc ?-?mri?|pca?|phase ?-?contrast|qf|vel(?:ocity)?", "flow"),
        (r"[a-z]+\d*d\d*_v\d+[a-z]*", "flow"),
        (r"lge|late|mde|delayed|psir|viability|enhancement", "late enhancement"),
        (r"t[12]\*?[ _-]?(?:star)?[ _-]?map\w*|map(?:s|ping)?|sh?molli|molli|sasha|t2star|t2\*", "a map of tissue"),
        (r"perf(?:usion)?|first ?-?pass", "perfusion"),
        (r"tag(?:s|ged|ging)?|grid|c?spamm", "tagged"),
        (r"haste|stir|[td]se|angio\w*|c?e?mra|navi\w*|ti ?-?scout", "no cine"),
    )
)
_AXES = (
    (re.compile(r"(?<![a-z0-9])vla(?![a-z0-9])"), View.TWO_CHAMBER),
    (re.compile(r"(?<![a-z0-9])hla(?![a-z0-9])"), View.FOUR_CHAMBER),
)
"""The long axes as nuclear medicine and some scanners call them: vertical and horizontal."""
UNUSED_VIEWS = {View.RVOT: "outflow tract of the right ventricle"}
"""Planes that are recognised, and in which nothing is measured."""


def why_left_out(planes: Sequence[Plane], places: Sequence[Sequence[Plane]]) -> str:
    """Why the planes of a series are no cine; empty where they are.

    Args:
        planes: of one series, one kind of image and one direction.
        places: the same, by where they lie.
    """
    return next((reason for rule in _RULES if (reason := rule(planes, places))), "")


def told_view(words: str) -> View:
    """The plane that description and protocol name; unknown where they name none, or several.

    Example:
        >>> told_view("cine_trufi_retro 2CH"), told_view("cine HLA"), told_view("cine_trufi_retro")
        (<View.TWO_CHAMBER: '2CH'>, <View.FOUR_CHAMBER: '4CH'>, <View.UNKNOWN: 'unknown'>)
    """
    for part in words.split(" | "):
        found: set[View] = {word.view for word in read_words(part) if word.view is not View.UNKNOWN}
        found |= {view for pattern, view in _AXES if pattern.search(_plain(part))}
        if found:
            return found.pop() if len(found) == 1 else View.UNKNOWN
    return View.UNKNOWN


def _plain(words: str) -> str:
    """Words in lower case, apart from each other."""
    return re.sub(r"[_/,;:()\[\]]+", " ", words.lower())


def _by_type(planes: Sequence[Plane], _: Sequence[Sequence[Plane]]) -> str:
    kinds = planes[0].contrast.kinds
    return next((reason for words, reason in _TYPES if words.intersection(kinds)), "")


def _by_velocity(planes: Sequence[Plane], _: Sequence[Sequence[Plane]]) -> str:
    return "flow" if planes[0].contrast.is_velocity_encoded else ""


def _by_sequence(planes: Sequence[Plane], places: Sequence[Sequence[Plane]]) -> str:
    contrast = planes[0].contrast
    if _differ([plane.contrast.inversion_ms for plane in places[0]]):
        return "a map of tissue: inversion times differ"
    if _differ([plane.contrast.echo_ms for plane in places[0]]):
        return "a map of tissue: echo times differ"
    if contrast.inversion_ms is not None or "IR" in contrast.sequences:
        return "inversion recovery, as for late enhancement and maps"
    if "SE" in contrast.sequences or "EP" in contrast.sequences:
        return "spin echo or echo-planar, no cine"
    return ""


def standard_words(words: str) -> str:
    """What the words of a series say of view and kind, in words of our own that are read alike; empty where nothing.

    Example:
        >>> standard_words("Doe^John cine HLA | retro"), standard_words("LGE psir 2ch Clinic"), standard_words("Doe")
        ('4CH', '2CH LGE', '')
    """
    view, reason = told_view(words), _reason_in(words)
    return " ".join(word for word in ("" if view is View.UNKNOWN else view.value, _OWN_WORDS.get(reason, "")) if word)


_OWN_WORDS = {
    "a localiser": "localizer",
    "flow": "flow",
    "late enhancement": "LGE",
    "a map of tissue": "mapping",
    "perfusion": "perfusion",
    "tagged": "tagging",
    "no cine": "TSE",
}
"""A word for each reason in the words of a series to leave it out."""


def _by_words(planes: Sequence[Plane], _: Sequence[Sequence[Plane]]) -> str:
    return _reason_in(planes[0].series.words)


def _reason_in(words: str) -> str:
    """Why a series of these words is no cine; empty where they do not tell."""
    whole = words.lower()
    spaced = _plain(whole)
    return next((reason for pattern, reason in _WORDS if pattern.search(whole) or pattern.search(spaced)), "")


def _by_view(planes: Sequence[Plane], _: Sequence[Sequence[Plane]]) -> str:
    return UNUSED_VIEWS.get(told_view(planes[0].series.words), "")


def _by_count(_: Sequence[Plane], places: Sequence[Sequence[Plane]]) -> str:
    most = max(map(len, places))
    if most >= MIN_PHASES:
        return ""
    return "single images, no cine" if most == 1 else f"at most {most} instants of the beat, no cine"


def _by_beat(_: Sequence[Plane], places: Sequence[Sequence[Plane]]) -> str:
    """One image in each of many beats is taken at the same instant of all of them."""
    triggers = [plane.clock.trigger_ms for plane in places[0] if plane.clock.trigger_ms is not None]
    acquired = sorted({plane.clock.acquired_s for plane in places[0] if plane.clock.acquired_s is not None})
    if len(acquired) < len(places[0]) or (triggers and max(triggers) - min(triggers) > _STILL_MS):
        return ""
    steps = sorted(later - earlier for earlier, later in pairwise(acquired))
    return "one image a beat, as in perfusion" if steps[len(steps) // 2] >= _ONE_A_BEAT_S else ""


_RULES: tuple[Callable[[Sequence[Plane], Sequence[Sequence[Plane]]], str], ...] = (
    _by_type, _by_velocity, _by_sequence, _by_words, _by_count, _by_beat, _by_view,
)  # fmt: skip


def _differ(values: Sequence[float | None]) -> bool:
    stated = [value for value in values if value is not None]
    return bool(stated) and max(stated) - min(stated) > _SAME_MS
