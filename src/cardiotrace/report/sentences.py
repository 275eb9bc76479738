"""The sentences of flags in the language of the page: one table, `sentences.toml`."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from cardiotrace.core.flag import Flag
from cardiotrace.report.words import LANGUAGES, Words

_PLACE = re.compile(r"\\\{(\w+)\\\}")


@dataclass(frozen=True)
class Sentence:
    """What a rule may say."""

    english: str
    """With places, as "a stroke volume of {ml} ml"."""
    others: Mapping[str, str]
    """The same by language."""

    @property
    def pattern(self) -> re.Pattern[str]:
        """What finds the sentence, with whatever fills its places, behind the views and phases that head it."""
        filled = _PLACE.sub(lambda found: f"(?P<{found[1]}>.+?)", re.escape(self.english))
        return re.compile(f"(?P<heading_>(?:[^:]+: )*?){filled}")


@cache
def sentence_table() -> Mapping[str, tuple[Sentence, ...]]:
    """What each rule may say, by its name."""
    found = _read()["sentences"]
    return {
        rule: tuple(Sentence(said.pop("en"), said) for said in map(dict, sentences))
        for rule, sentences in found.items()
    }


@cache
def part_table() -> Mapping[str, Mapping[str, str]]:
    """Words that may fill a place, by their English."""
    return dict(_read()["parts"])


def flag_sentence(flag: Flag, words: Words) -> tuple[str, str]:
    """The sentence of a flag, and the language that it is in: English where the table has no other.

    Example:
        >>> from cardiotrace.core.flag import Grade
        >>> text = "A4C ES: a stroke volume of 4.5 ml is outside 6-180 ml"
        >>> flag = Flag(Grade.LOOK_TWICE, text, "stroke-volume-extreme")
        >>> flag_sentence(flag, Words("fr"))
        ("A4C TS : un volume d'éjection de 4,5 ml est hors de 6–180 ml", 'fr')
        >>> flag_sentence(flag, Words())[1]
        'en'
    """
    for sentence in sentence_table().get(flag.rule, ()):
        said, found = sentence.others.get(words.language), sentence.pattern.fullmatch(flag.text)
        if said is not None and found is not None:
            filled = {name: _part(value, words) for name, value in found.groupdict().items()}
            return _heading(found["heading_"], words) + said.format(**filled), words.language
    return flag.text, LANGUAGES[0]


def _part(value: str, words: Words) -> str:
    """What fills a place: words of the table, else a number or a name."""
    own = part_table().get(value, {}).get(words.language)
    return own or words.decimals(value)


def _heading(english: str, words: Words) -> str:
    """Views and phases, each with a colon behind."""
    parts = (_short(part, words) for part in english.split(": ") if part)
    return "".join(f"{part}{words('language.colon')} " for part in parts)


def _short(part: str, words: Words) -> str:
    if part in part_table() and part not in ("ED", "ES"):
        return _part(part, words)
    return re.sub(r"\b(ED|ES)\b", lambda found: words(f"phase.{found[1]}_short"), part)


@cache
def _read() -> Mapping[str, Any]:
    return tomllib.loads(files("cardiotrace.report").joinpath("sentences.toml").read_text("utf-8"))
