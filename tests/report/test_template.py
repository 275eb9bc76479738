import importlib.util
import sys
from pathlib import Path

import pytest

from cardiotrace.report import template


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where Python would keep the compiled modules of the package, empty; the environment is made anew in it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    template._environment.cache_clear()
    found = Path(importlib.util.cache_from_source(template.__file__)).parent
    found.mkdir(parents=True)
    yield found
    template._environment.cache_clear()


def compiled(folder: Path) -> list[Path]:
    return list(folder.glob("*.jinja-cache"))


def test_a_template_is_compiled_by_the_first_process_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = template._environment().get_template("page.html.jinja")
    assert len(compiled(folder)) == 1
    template._environment.cache_clear()  # as another process begins

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("compiled again")

    monkeypatch.setattr("jinja2.environment.Environment.compile", refuse)
    second = template._environment().get_template("page.html.jinja")
    assert second.blocks.keys() == first.blocks.keys()


def test_without_a_folder_to_write_into_pages_are_made_all_the_same(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    environment = template._environment()
    folder.rmdir()
    assert environment.get_template("page.html.jinja") is not None
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    template._environment.cache_clear()
    folder.mkdir()
    assert template._environment().get_template("page.html.jinja") is not None
    assert compiled(folder) == []
