"""The ways to adapt a model, by name: what is wrong ends the work before it begins, in one line."""

import sys

import pytest

from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import ConfigError, UsageError
from cardiotrace.workflows.adapters import ADAPTERS, adapter_of


def test_a_wrong_name_or_option_ends_the_work_before_it_begins():
    with pytest.raises(UsageError, match="there is no way 'magic' to adapt a model"):
        adapter_of(Choice("magic"))
    with pytest.raises(ConfigError, match="share"):
        adapter_of(Choice("statistics", {"share": 1.5}))
    with pytest.raises(ConfigError, match="steps"):
        adapter_of(Choice("styles", {"steps": 3}))


def test_without_torch_what_needs_none_is_there_and_the_rest_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    for name in ADAPTERS.names:
        if name in ("entropy", "reward"):
            with pytest.raises(UsageError, match=f"--adapt {name} needs torch, which is not installed"):
                adapter_of(Choice(name))
        else:
            assert adapter_of(Choice(name)).name == name
