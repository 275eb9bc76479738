"""A rule that nobody raises would stand on the page about trust and guard nothing."""

from pathlib import Path

import pytest

import cardiotrace
from cardiotrace.clinical.rule import RULES

SOURCE = Path(cardiotrace.__file__).parent
TEXTS = [path.read_text(encoding="utf-8") for path in SOURCE.rglob("*.py")]


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_raised_somewhere(name: str) -> None:
    assert any(f'"{name}"' in text for text in TEXTS), name
