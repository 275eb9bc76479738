"""The words of a file's name, and what each reads as."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from cardiotrace.core.terms import Modality, Phase, View


class Counting(StrEnum):
    """What a number in a name counts."""

    FRAME = "frame"
    """Instants: frame12, t03."""
    SLICE = "slice"
    """Planes of a stack: slice05, z3."""
    UNSAID = "unsaid"
    """A bare number, or one behind a word that says nothing."""


class Kind(StrEnum):
    """What a word of a name is, as far as the word alone tells."""

    VIEW = "view"
    LONG_AXIS = "long axis"
    """Says that the left ventricle is cut lengthwise, and not in which plane."""
    PHASE = "phase"
    MODALITY = "modality"
    MOVING = "moving"
    NUMBERED = "numbered"
    COUNTER = "counter"
    """A word that a number may follow."""
    NOISE = "noise"
    PATIENT = "patient"


@dataclass(frozen=True)
class Word:
    """One word of a name, or several that are one expression."""

    text: str
    kind: Kind
    view: View = View.UNKNOWN
    modality: Modality = Modality.UNKNOWN
    phase: Phase = Phase.OTHER
    is_clear: bool = True
    """Whether it can mean but one thing."""
    index: int | None = None
    counting: Counting = Counting.UNSAID


_CHAMBERS = {"2": View.TWO_CHAMBER, "3": View.THREE_CHAMBER, "4": View.FOUR_CHAMBER, "5": View.FIVE_CHAMBER}
_NUMERALS = {"2": "two", "3": "three", "4": "four", "5": "five"}
_GAP = "[^a-z0-9]*"
_CHAMBER_WORD = f"(?:chambers?(?:{_GAP}view)?|chv?|cv)"


def _expressions() -> Iterator[tuple[str, Word]]:
    """Patterns of what can mean but one thing, the longest first, each with the word that it is."""
    yield (
        f"parasternal{_GAP}long{_GAP}axis|parasternal{_GAP}lax|pslax|plax",
        Word("", Kind.VIEW, View.PLAX, Modality.US),
    )
    yield (
        f"parasternal{_GAP}short{_GAP}axis|parasternal{_GAP}sax|pssax|psax",
        Word("", Kind.VIEW, View.SAX, Modality.US),
    )
    yield f"short{_GAP}ax(?:is)?|sax", Word("", Kind.VIEW, View.SAX)
    yield f"apical{_GAP}long{_GAP}axis|aplax|alax", Word("", Kind.VIEW, View.THREE_CHAMBER)
    yield f"long{_GAP}ax(?:is)?|lax", Word("", Kind.LONG_AXIS)
    yield "rvot", Word("", Kind.VIEW, View.RVOT)
    yield "fundus", Word("", Kind.VIEW, View.FUNDUS, Modality.PHOTOGRAPH)
    for digit, view in _CHAMBERS.items():
        number = f"(?:{digit}|{_NUMERALS[digit]})"
        apical = (
            f"apical{_GAP}{number}{_GAP}(?:{_CHAMBER_WORD}|c)|apical{number}|ap{_GAP}{number}(?:{_CHAMBER_WORD}|c)?"
        )
        yield f"{apical}|a{digit}(?:{_CHAMBER_WORD}|c)", Word("", Kind.VIEW, view, Modality.US)
        yield f"{number}{_GAP}{_CHAMBER_WORD}", Word("", Kind.VIEW, view)
        yield f"apical{_GAP}{number}", Word("", Kind.VIEW, view, Modality.US, is_clear=False)
    within = "early|mid|late|proto|meso|atrial|pre|post|iso"
    yield f"(?:{within}){_GAP}(?:dia|sy)stol(?:e|ic)", Word("", Kind.NOISE)  # instants of no name
    illness = "dys?function|function|heart|failure|hf|blood|pressure|bp|murmur|strain"
    yield f"(?:dia|sy)stolic{_GAP}(?:{illness})", Word("", Kind.PATIENT)
    yield f"(?:(?:end|tele){_GAP})?diastol(?:e|ic)", Word("", Kind.PHASE, phase=Phase.ED)
    yield f"(?:(?:end|tele){_GAP})?systol(?:e|ic)", Word("", Kind.PHASE, phase=Phase.ES)
    yield f"half{_GAP}sequence", Word("", Kind.MOVING)
    yield f"cine{_GAP}mri?", Word("", Kind.MODALITY, modality=Modality.MR)


_EXPRESSIONS = tuple((re.compile(f"(?:{pattern})(?![a-z0-9])"), word) for pattern, word in _expressions())
_GLUED = re.compile(
    r"(?P<before>.*?)(?P<first>ed|es)?(?P<view>a[2345]ch?|ap[2345](?:ch?)?|[2345]ch|psax|plax|sax)"
    r"(?P<phase>ed|es)?(?P<number>\d{1,4})?"
)
"""A view inside a word, at its end or before phase and number: p012A4C, A4CED, EDA4C, SAX01."""
_NOISE = (
    "la lv rv ra base basal mid apex papillary focus focused zoom zoomed still view to and rest stress pre post"
    " contrast new copy final"
)
"""Words that describe an image and name nobody."""
_SINGLE: dict[str, Word] = {
    **{
        word: Word("", Kind.PHASE, phase=phase, is_clear=False)
        for word, phase in (("ed", Phase.ED), ("dia", Phase.ED), ("es", Phase.ES), ("sys", Phase.ES))
    },
    **{f"{digit}c": Word("", Kind.VIEW, view, is_clear=False) for digit, view in _CHAMBERS.items()},
    "sa": Word("", Kind.VIEW, View.SAX, is_clear=False),
    "us": Word("", Kind.MODALITY, modality=Modality.US, is_clear=False),
    "mr": Word("", Kind.MODALITY, modality=Modality.MR, is_clear=False),
    "cine": Word("", Kind.MOVING, modality=Modality.MR, is_clear=False),
    **{
        word: Word("", Kind.MODALITY, modality=modality)
        for modality, words in (
            (Modality.US, "echo tte tee toe ultrasound ultrasonic sonography pocus echocardiography echocardiogram"),
            (Modality.MR, "mri cmr bssfp ssfp trufi truefisp fiesta cmri"),
            (Modality.PHOTOGRAPH, "photograph retina retinal"),
        )
        for word in words.split()
    },
    **dict.fromkeys(
        ("sequence", "seq", "video", "loop", "movie", "video", "clip", "4d", "beat"), Word("", Kind.MOVING)
    ),
    **dict.fromkeys(_NOISE.split(), Word("", Kind.NOISE)),
}
_COUNTERS = {
    **dict.fromkeys(("frame", "frm", "fr", "f", "t", "time", "phase", "ph", "instant", "page"), Counting.FRAME),
    **dict.fromkeys(("slice", "slc", "sl", "z", "level", "plane"), Counting.SLICE),
    **dict.fromkeys(
        ("image", "img", "im", "image", "pic", "series", "ser", "se", "scan", "acq", "run", "file"), Counting.UNSAID
    ),
}
PEOPLE = (
    *("patient", "pat", "pt", "p", "case", "subject", "subj", "sub", "s", "id", "person", "proband", "volunteer"),
    *("vol", "study", "exam", "participant"),
)
"""Words before the number of a person."""


def read_words(name: str) -> list[Word]:
    """The words of a name in order; a doubtful one whose place does not speak for it is one of the patient's."""
    parted = re.sub(r"(?<=[a-z][a-z])(?=[A-Z])", " ", name)  # SmithA4C, EndDiastole
    words = list(_joined(list(_words(parted))))
    return [word if _counts(words, place) else Word(word.text, Kind.PATIENT) for place, word in enumerate(words)]


def _words(name: str) -> Iterator[Word]:
    """Words as they read by themselves."""
    text, place = name.lower(), 0
    while place < len(text):
        if not text[place].isalnum():
            place += 1
            continue
        found = ((pattern.match(text, place), word) for pattern, word in _EXPRESSIONS)
        match, word = next(((match, word) for match, word in found if match), (None, None))
        end = match.end() if match else place + len(re.match(r"[^\W_]+", text[place:])[0])  # type: ignore[index]
        yield from [replace(word, text=name[place:end])] if word else _single(name[place:end])
        place = end


def _single(text: str) -> Iterator[Word]:
    """What a run of letters and digits reads as; several words where they are glued to each other."""
    lower = text.lower()
    if lower in _SINGLE:
        yield replace(_SINGLE[lower], text=text)
        return
    counted = re.fullmatch(r"([a-z]*)(\d+)", lower)
    if counted is not None and (not counted[1] or counted[1] in _COUNTERS) and len(counted[2]) < _LONGEST:
        yield Word(text, Kind.NUMBERED, index=int(counted[2]), counting=_COUNTERS.get(counted[1], Counting.UNSAID))
        return
    beat = re.fullmatch(r"(ed|es)\d{1,2}", lower)  # of which beat
    if beat is not None:
        yield replace(_SINGLE[beat[1]], text=text)
        return
    glued = _GLUED.fullmatch(lower)
    if glued is None:
        yield Word(text, Kind.COUNTER if lower in _COUNTERS else Kind.PATIENT)
        return
    if glued["before"]:
        yield from _single(text[: len(glued["before"])])
    for part in ("first", "view", "phase", "number"):
        if glued[part]:
            known = [replace(word, is_clear=True) for word in _words(glued[part])]
            yield from known


def _joined(words: Sequence[Word]) -> Iterator[Word]:
    """Words with "frame 12" as one, and "patient 12" as one."""
    place = 0
    while place < len(words):
        word, following = words[place], words[place + 1] if place + 1 < len(words) else None
        is_bare = following is not None and following.kind is Kind.NUMBERED and following.text.isdecimal()
        if following is not None and is_bare and word.kind is Kind.COUNTER:
            yield replace(following, text=f"{word.text}{following.text}", counting=_COUNTERS[word.text.lower()])
            place += 2
        elif following is not None and is_bare and word.text.lower() in PEOPLE:
            yield Word(f"{word.text}_{following.text}", Kind.PATIENT)
            place += 2
        else:
            yield replace(word, kind=Kind.NOISE) if word.kind is Kind.COUNTER else word
            place += 1


_LONGEST = 10
"""Digits of the longest number that counts something; longer ones name somebody."""
SAYING = (Kind.VIEW, Kind.LONG_AXIS, Kind.PHASE, Kind.MODALITY, Kind.MOVING)


def _counts(words: Sequence[Word], place: int) -> bool:
    """Whether a word is what it reads as, by the place it stands at.

    Two letters count beside another word of this kind, at the end, or alone; a phase also inside a name without any
    view, or where nobody is named (ED_001). Noise counts where it does not begin a name. A bare number is the
    patient's before such words, and a number of an image behind them or at the end.
    """
    word = words[place]
    telling = [other for other in words if other is word or other.kind is not Kind.NOISE]
    beside = telling[max(telling.index(word) - 1, 0) : telling.index(word) + 2]
    is_last = all(other.kind in (Kind.NUMBERED, Kind.NOISE) for other in words[place + 1 :])
    if word.kind is Kind.NOISE:
        return place > 0 or len(words) == 1 or words[1].kind is not Kind.NUMBERED
    if word.kind is Kind.NUMBERED and word.text.isdecimal():
        is_behind = any(other.kind in SAYING and other.is_clear for other in words[:place])
        return is_behind or (is_last and all(other.kind is not Kind.NUMBERED for other in words[place + 1 :]))
    if word.is_clear or word.kind is Kind.MOVING or len(words) == 1:
        return True
    if any(other.kind in SAYING and other is not word for other in beside) or (is_last and place > 0):
        return True
    has_view = any(other.kind is Kind.VIEW for other in words)
    names_nobody = all(other.kind is not Kind.PATIENT for other in words)
    return word.kind is Kind.PHASE and not has_view and (place > 0 or names_nobody)
