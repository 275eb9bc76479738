"""KEY=VALUE words."""

import pytest

from cardiotrace.cli.settings import settings
from cardiotrace.core.errors import UsageError


@pytest.mark.parametrize(
    ("word", "value"),
    [
        ("k=2", 2),
        ("k=2.5", 2.5),
        ("k=true", True),
        ("k=unet1", "unet1"),
        ('k="2"', "2"),
        ("k=a=b", "a=b"),
        ('k=[{name="resize", height=64}]', [{"name": "resize", "height": 64}]),
        ("k=", ""),
    ],
)
def test_values_are_toml_or_bare_text(word, value):
    assert settings([word]) == {"k": value}


@pytest.mark.parametrize("word", ["k", "=2"])
def test_words_that_are_no_settings(word):
    with pytest.raises(UsageError, match="expected KEY=VALUE"):
        settings([word])
