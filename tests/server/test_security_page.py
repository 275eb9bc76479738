"""The page on security names tests that there are."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_every_named_test_is_there():
    page = (ROOT / "docs/reference/security.md").read_text()
    named = re.findall(r"`((?:tests/)?[\w/]+\.py)(?:::(\w+))?`", page)
    assert len(named) > 25
    for file, function in named:
        path = ROOT / file if file.startswith("tests/") else ROOT / "tests/server" / file
        assert path.exists(), file
        assert not function or f"def {function}(" in path.read_text(), f"{file}::{function}"
