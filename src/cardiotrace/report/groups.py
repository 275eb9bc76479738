"""Which groups of patients an exam is like, in sentences: research, below all that was measured."""

from collections.abc import Iterable, Iterator

from cardiotrace.clinical.groups.index import Index
from cardiotrace.clinical.groups.reading import Evidence, GroupReading, Silence
from cardiotrace.report.words import Words, digits_of, sign_of

_MOST = 3
"""Indices for and against that are told."""
_LEAST_SHARE = 0.01
"""Probability below which groups are told together."""
_LEAST_CONTRIBUTION = 0.2
"""To the log odds: indices that say less are not told."""
_SILENCES = {
    Silence.ABSENT: "absent",
    Silence.NOT_USABLE: "not_usable",
    Silence.UNLIKE: "unlike",
    Silence.FEW_SLICES: "few_slices",
}


def group_sentences(reading: GroupReading, words: Words) -> Iterator[str]:
    """What the page says, sentence by sentence.

    Args:
        reading: of the exam.
        words: the language.
    """
    yield words("groups.purpose")
    if reading.silence is not None:
        yield words(f"groups.{_SILENCES[reading.silence]}", indices=_named(reading.lacking, words))
        return
    yield words("groups.like", groups=_likely(reading, words))
    likeliest = group_words(reading.probabilities[0][0], words)
    for key, told in (("for", _told(reading, 1)), ("against", _told(reading, -1))):
        if told:
            indices = "; ".join(_evidence(each, words) for each in told)
            yield words(f"groups.{key}", group=likeliest, indices=indices)
    if reading.lacking:
        yield words("groups.without", indices=_named(reading.lacking, words))
    if reading.is_doubted:
        yield words("groups.doubted")
    yield _origin(reading, words)


def group_words(group: str, words: Words) -> str:
    """What a group is called; one that is not known here by its own name."""
    return words.found(f"group.{group}") or group


def index_words(key: str, words: Words) -> str:
    """What an index is called."""
    index = Index.of(key)
    if index.statistic:
        return words(f"groups.{index.statistic}", what=words.found(f"segment.{index.name}") or index.name)
    return words.found(f"index.{index.name}") or words.term(index.name)


def _likely(reading: GroupReading, words: Words) -> str:
    """Groups with their probabilities, the unlikely ones together."""
    shown = [(group, chance) for group, chance in reading.probabilities if chance >= _LEAST_SHARE]
    # No more than 99: what a few dozen patients told is never sure.
    parts = [f"{group_words(group, words)} {words.number(min(100 * chance, 99))} %" for group, chance in shown]
    rest = len(reading.probabilities) - len(shown)
    return ", ".join([*parts, *([words("groups.rest")] if rest else [])])


def _told(reading: GroupReading, sign: int) -> list[Evidence]:
    return [each for each in reading.evidence if sign * each.contribution >= _LEAST_CONTRIBUTION][:_MOST]


def _evidence(evidence: Evidence, words: Words) -> str:
    index = Index.of(evidence.index)
    # Segments differ by parts of a millimetre.
    digits = 1 if index.unit == "mm" else digits_of(index.unit, index.name)
    value, usual = (words.number(each, digits) for each in (evidence.value, evidence.usual))
    name = index_words(evidence.index, words)
    return words("groups.index", name=name, value=value, unit=sign_of(index.unit), usual=usual).replace("  ", " ")


def _named(keys: Iterable[str], words: Words) -> str:
    return "; ".join(index_words(key, words) for key in keys)


def _origin(reading: GroupReading, words: Words) -> str:
    made_by = reading.classifier
    known = ", ".join(group_words(group, words) for group in made_by.groups)
    facts = {"name": made_by.name, "patients": made_by.patients, "groups": known}
    if made_by.scores is None:
        return words("groups.origin", **facts)
    share = words.number(100 * made_by.scores.accuracy)
    return words("groups.origin_scored", **facts, share=share, folds=made_by.scores.folds)
