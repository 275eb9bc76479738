"""The words of a file's name, and what each reads as: the one grammar of names, for whoever asks a name anything."""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
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
    may_be_stack: bool = False
    """Says of an image that it moves, and is said of single stacks of cine-MRI as well."""

    @property
    def is_telling(self) -> bool:
        """Whether it says something of the image, and not whose it is."""
        return self.kind in (Kind.VIEW, Kind.LONG_AXIS, Kind.PHASE, Kind.MODALITY, Kind.MOVING)


class NamedMotion(StrEnum):
    """What a name says of an image over time."""

    VIDEO = "video"
    """It moves."""
    CINE = "cine"
    """It is of a cine recording: the whole of it, or one stack."""
    UNSAID = "unsaid"
    """Nothing, or that it shows one instant."""


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
    # Said of the patient: "systolic dysfunction" is no image at end-systole.
    illness = "dys?function|function|heart|failure|hf|blood|pressure|bp|murmur|strain"
    yield f"(?:dia|sy)stolic{_GAP}(?:{illness})", Word("", Kind.PATIENT)
    yield f"(?:(?:end|tele){_GAP})?diastol(?:e|ic)", Word("", Kind.PHASE, phase=Phase.ED)
    yield f"(?:(?:end|tele){_GAP})?systol(?:e|ic)", Word("", Kind.PHASE, phase=Phase.ES)
    yield f"half{_GAP}sequence", Word("", Kind.MOVING)
    yield f"cine{_GAP}mri?", Word("", Kind.MODALITY, modality=Modality.MR)


# Nothing that goes on: there is no "sax" in "Saxon".
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
    "cine": Word("", Kind.MOVING, modality=Modality.MR, is_clear=False, may_be_stack=True),
    **{
        word: Word("", Kind.MODALITY, modality=modality)
        for modality, words in (
            (Modality.US, "echo tte tee toe ultrasound ultrasonic sonography pocus echocardiography echocardiogram"),
            (Modality.MR, "mri cmr bssfp ssfp trufi truefisp fiesta cmri"),
            (Modality.PHOTOGRAPH, "photograph retina retinal"),
        )
        for word in words.split()
    },
    **dict.fromkeys(("sequence", "video", "film", "loop", "movie", "clip", "4d"), Word("", Kind.MOVING)),
    **dict.fromkeys(("seq", "beat"), Word("", Kind.MOVING, may_be_stack=True)),
    **dict.fromkeys(_NOISE.split(), Word("", Kind.NOISE)),
}
_COUNTERS = {
    **dict.fromkeys(("frame", "frm", "fr", "f", "t", "time", "phase", "ph", "instant", "page"), Counting.FRAME),
    **dict.fromkeys(("slice", "slc", "sl", "z", "level", "plane"), Counting.SLICE),
    **dict.fromkeys(
        ("image", "img", "im", "picture", "pic", "series", "ser", "se", "scan", "acq", "run", "file"), Counting.UNSAID
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
    standing = (_Standing(words, place) for place in range(len(words)))
    # What does not count names the patient and is never dropped: files that differ in it must not become one
    # person's.
    return [at.word if _counts(at) else Word(at.word.text, Kind.PATIENT) for at in standing]


def motion_in(name: str) -> NamedMotion:
    """What a name says of movement; a name with a phase or the number of a frame speaks of one instant.

    Example:
        >>> motion_in("patient0001_4CH_sequence"), motion_in("p1_cine"), motion_in("p1_cine_ED")
        (<NamedMotion.VIDEO: 'video'>, <NamedMotion.CINE: 'cine'>, <NamedMotion.UNSAID: 'unsaid'>)
    """
    words = read_words(name)
    if any(word.kind is Kind.PHASE or _is_frame_number(word) for word in words):
        return NamedMotion.UNSAID
    moving = [word for word in words if word.kind is Kind.MOVING]
    if not moving:
        return NamedMotion.UNSAID
    return NamedMotion.CINE if all(word.may_be_stack for word in moving) else NamedMotion.VIDEO


def _is_frame_number(word: Word) -> bool:
    # A single letter before a number may as well be a weighting: T1, T2.
    return word.counting is Counting.FRAME and word.text[:2].isalpha()


def _words(name: str) -> Iterator[Word]:
    """Words as they read by themselves."""
    text, place = _lower(name), 0
    while place < len(text):
        if not _is_of_word(text[place]):
            place += 1
            continue
        end, word = _expression_at(text, place)
        yield from [replace(word, text=name[place:end])] if word else _single(name[place:end])
        place = end


def _expression_at(text: str, place: int) -> tuple[int, Word | None]:
    """Where the expression or the run of letters and digits ends that begins at a place, and what the former is."""
    for pattern, word in _EXPRESSIONS:
        if match := pattern.match(text, place):
            return match.end(), word
    return next((end for end in range(place, len(text)) if not _is_of_word(text[end])), len(text)), None


def _is_of_word(character: str) -> bool:
    """Whether it is a letter, a digit, or a mark on a letter: vowels in many scripts, accents on some file systems."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _lower(name: str) -> str:
    """The name in lower case, letter by letter, so that places stay: some letters become two."""
    return "".join(letter.lower() if len(letter.lower()) == 1 else letter for letter in name)


def _single(text: str) -> Iterator[Word]:
    """What a run of letters and digits reads as; several words where they are glued to each other."""
    for read in (_listed, _numbered, _phase_of_beat, _glued):
        if words := read(text):
            yield from words
            return
    yield Word(text, Kind.COUNTER if text.lower() in _COUNTERS else Kind.PATIENT)


def _listed(text: str) -> list[Word]:
    """A word of the table."""
    known = _SINGLE.get(text.lower())
    return [] if known is None else [replace(known, text=text)]


def _numbered(text: str) -> list[Word]:
    """A number, by itself or right behind a word that counts."""
    found = re.fullmatch(r"([a-z]*)(\d+)", text.lower())
    if found is None or (found[1] and found[1] not in _COUNTERS) or len(found[2]) >= _LONGEST:
        return []
    counting = _COUNTERS.get(found[1], Counting.UNSAID)
    return [Word(text, Kind.NUMBERED, index=int(found[2]), counting=counting)]


def _phase_of_beat(text: str) -> list[Word]:
    """A phase with the number of its beat: ED2."""
    found = re.fullmatch(r"(ed|es)\d{1,2}", text.lower())
    return [] if found is None else [replace(_SINGLE[found[1]], text=text)]


def _glued(text: str) -> list[Word]:
    """A view inside a run, with what stands before and behind it."""
    found = _GLUED.fullmatch(text.lower())
    if found is None:
        return []
    before = list(_single(text[: len(found["before"])])) if found["before"] else []
    parts = [found[name] for name in ("first", "view", "phase", "number") if found[name]]
    # Two letters that are glued to a view are no initials.
    return before + [replace(word, is_clear=True) for part in parts for word in _words(part)]


def _joined(words: Sequence[Word]) -> Iterator[Word]:
    """Words with "frame 12" as one, and "patient 12" as one."""
    place = 0
    while place < len(words):
        both = _one_expression(*words[place : place + 2])
        word = words[place]
        yield both or (replace(word, kind=Kind.NOISE) if word.kind is Kind.COUNTER else word)
        place += 1 if both is None else 2


def _one_expression(word: Word, following: Word | None = None) -> Word | None:
    """A word and the bare number behind it as one; None where they are not."""
    # A number that is already glued to its own word, such as "frame12", stays with that.
    if following is None or following.kind is not Kind.NUMBERED or not following.text.isdecimal():
        return None
    if word.kind is Kind.COUNTER:
        return replace(following, text=f"{word.text}{following.text}", counting=_COUNTERS[word.text.lower()])
    if word.text.lower() in PEOPLE:
        return Word(f"{word.text}_{following.text}", Kind.PATIENT)
    return None


_LONGEST = 10
"""Digits of the longest number that counts something; longer ones name somebody."""


@dataclass(frozen=True)
class _Standing:
    """A word in its place among the others."""

    words: Sequence[Word]
    place: int

    @property
    def word(self) -> Word:
        return self.words[self.place]

    @property
    def before(self) -> Sequence[Word]:
        return self.words[: self.place]

    @property
    def behind(self) -> Sequence[Word]:
        return self.words[self.place + 1 :]

    @property
    def is_alone(self) -> bool:
        return len(self.words) == 1

    @property
    def is_last(self) -> bool:
        """Whether nothing but numbers and noise stands behind it."""
        return all(other.kind in (Kind.NUMBERED, Kind.NOISE) for other in self.behind)

    @property
    def is_beside_telling(self) -> bool:
        """Whether the next word on either side, noise passed over, says something of the image."""
        sides = (reversed(self.before), self.behind)
        nearest = (next((other for other in side if other.kind is not Kind.NOISE), None) for side in sides)
        return any(other is not None and other.is_telling for other in nearest)


def _counts(at: _Standing) -> bool:
    """Whether a word is what it reads as, by the place it stands at."""
    rule = _RULES.get(at.word.kind, _counts_doubtful)
    return rule(at)


def _counts_noise(at: _Standing) -> bool:
    """Noise counts where it does not begin a name; before a number it may be a site: LA_012."""
    return at.place > 0 or at.is_alone or at.behind[0].kind is not Kind.NUMBERED


def _counts_number(at: _Standing) -> bool:
    """A bare number is the patient's before the words that tell of the image, the image's behind them or at the end."""
    if not at.word.text.isdecimal():
        return True
    if any(other.is_telling and other.is_clear for other in at.before):
        return True
    return at.is_last and all(other.kind is not Kind.NUMBERED for other in at.behind)


def _counts_doubtful(at: _Standing) -> bool:
    """Two letters count beside a word that tells of the image, at the end, or alone; clear words everywhere."""
    if at.word.is_clear or at.word.kind is Kind.MOVING or at.is_alone:
        return True
    return at.is_beside_telling or (at.is_last and at.place > 0)


def _counts_phase(at: _Standing) -> bool:
    """A phase counts also inside a name without any view, or at its beginning where nobody is named: ED_001."""
    if _counts_doubtful(at):
        return True
    kinds = {other.kind for other in at.words}
    return Kind.VIEW not in kinds and (at.place > 0 or Kind.PATIENT not in kinds)


_RULES: dict[Kind, Callable[[_Standing], bool]] = {
    Kind.NOISE: _counts_noise,
    Kind.NUMBERED: _counts_number,
    Kind.PHASE: _counts_phase,
}
