"""The container's recipe; it is built for real by `python container/check.py FOLDER`."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_SPEC = importlib.util.spec_from_file_location("container_check", ROOT / "container" / "check.py")
check = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(check)
TEXT = (ROOT / "container" / "Dockerfile").read_text()


def test_the_recipe_has_no_fault():
    assert check.faults(TEXT) == []


@pytest.mark.parametrize(
    ("was", "becomes", "fault"),
    [
        ("USER cardiotrace\n", "", "root"),
        ("python:3.11-slim-bookworm AS build", "python AS build", "version"),
        ("HEALTHCHECK", "LABEL", "well"),
        ("COPY . .", "ADD . .", "ADD"),
    ],
)
def test_a_worse_recipe_is_told(was, becomes, fault):
    assert was in TEXT
    assert any(fault in told for told in check.faults(TEXT.replace(was, becomes)))


def test_what_it_starts_is_a_command_line_that_is_understood(tmp_path):
    from cardiotrace.server.settings import ServeConfig

    _, run = check.stages(check.instructions(TEXT))
    words = next(rest for word, rest in run if word == "ENTRYPOINT")
    assert '"--host", "0.0.0.0", "--insecure-network"' in words
    config = ServeConfig(data=tmp_path, host="0.0.0.0", insecure_network=True, names=("localhost", "127.0.0.1"))
    assert not config.is_local
