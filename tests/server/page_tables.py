"""What the page says of quantities, as the report does: `python -m tests.server.page_tables` writes it anew."""

import json
import math
from pathlib import Path
from typing import Any

from cardiotrace.clinical.method import Method
from cardiotrace.clinical.normal import NORMAL_RANGES
from cardiotrace.clinical.segment import SEGMENTS
from cardiotrace.clinical.term import TERMS, UNIT_SIGNS
from cardiotrace.report.headline import _ROWS, EJECTION
from cardiotrace.report.sentences import part_table, sentence_table
from cardiotrace.report.words import _DIGITS, Words, string_table

PATH = Path(__file__).parents[2] / "web" / "src" / "words" / "tables.json"
LANGUAGES = {language: Words(language) for language in ("en", "fr")}


def in_each(say: Any) -> dict[str, str]:
    return {language: say(words) for language, words in LANGUAGES.items()}


def section(name: str) -> dict[str, dict[str, str]]:
    """A section of the report's strings, as far as it is there in both languages."""
    found = {
        key.removeprefix(f"{name}."): strings for key, strings in string_table().items() if key.startswith(f"{name}.")
    }
    return {key: dict(strings) for key, strings in found.items() if set(strings) >= set(LANGUAGES)}


def tables() -> dict[str, Any]:
    terms = [*TERMS, *sorted(key.removeprefix("term.") for key in string_table() if key.startswith("term."))]
    return {
        "terms": {name: in_each(lambda words, name=name: words.term(name)) for name in dict.fromkeys(terms)},
        "methods": {method.value: in_each(lambda words, method=method: words.method(method)) for method in Method},
        "rules": {
            key.removeprefix("rule."): strings["fr"]
            for key, strings in string_table().items()
            if key.startswith("rule.")
        },
        "sentences": {
            rule: [[sentence.english, sentence.others["fr"]] for sentence in sentences if "fr" in sentence.others]
            for rule, sentences in sentence_table().items()
        },
        "parts": {english: others["fr"] for english, others in part_table().items() if "fr" in others},
        "curves": section("curve"),
        "segment_values": section("segment"),
        "intervals": section("interval"),
        "segments": {
            str(number): {"level": each.level.value, "wall": each.wall, "territory": each.territory}
            for number, each in SEGMENTS.items()
        },
        "signs": dict(UNIT_SIGNS),
        "digits": dict(_DIGITS),
        "headline": [EJECTION, *_ROWS],
        "ranges": [
            {
                "key": found.key,
                "sex": found.sex,
                "low": found.low,
                "high": None if math.isinf(found.high) else found.high,
                "views": list(found.set.views),
                "methods": [method.value for method in found.set.methods],
                "papillaries": found.set.papillaries,
                "source": found.set.source,
            }
            for found in NORMAL_RANGES
        ],
    }


def text() -> str:
    return json.dumps(tables(), ensure_ascii=False, indent=1) + "\n"


if __name__ == "__main__":
    PATH.write_text(text(), "utf-8")
