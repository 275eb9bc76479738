"""Printing: by a browser where there is one, and with one line where there is none."""

import re
import stat
from pathlib import Path

import pytest

from cardiotrace.core.errors import UsageError, WorkError
from cardiotrace.report.pdf import BROWSER, find_browser, print_page


def program(path: Path, lines: str) -> Path:
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_without_a_browser_one_line_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv(BROWSER, raising=False)
    monkeypatch.setattr("cardiotrace.report.pdf._PLACES", ())
    with pytest.raises(UsageError, match="install Chromium or Chrome, or name one in CARDIOTRACE_BROWSER"):
        find_browser()
    monkeypatch.setenv(BROWSER, "no-such-browser")
    with pytest.raises(UsageError, match="names no-such-browser, which is no program"):
        find_browser()


def test_the_browser_of_the_environment_prints_with_a_profile_of_its_own(monkeypatch, tmp_path):
    told = tmp_path / "told"
    asked = program(
        tmp_path / "browser",
        f'for word in "$@"; do\n echo "$word" >> {told}\n'
        ' case $word in --print-to-pdf=*) echo pdf > "${word#*=}";; esac\ndone',
    )
    monkeypatch.setenv(BROWSER, str(asked))
    page = tmp_path / "a page.html"
    page.write_text("<p>x</p>")
    print_page(page, tmp_path / "report.pdf")
    words = told.read_text().splitlines()
    assert (tmp_path / "report.pdf").read_text() == "pdf\n"
    assert words[-1] == page.as_uri()
    (profile,) = (word for word in words if word.startswith("--user-data-dir="))
    assert not Path(profile.partition("=")[2]).exists()


def test_a_browser_that_fails_is_told_of(monkeypatch, tmp_path):
    monkeypatch.setenv(BROWSER, str(program(tmp_path / "browser", "echo first >&2; echo no display >&2; exit 3")))
    with pytest.raises(WorkError, match=r"browser could not print the page \(no display\)"):
        print_page(tmp_path / "page.html", tmp_path / "report.pdf")
    monkeypatch.setenv(BROWSER, str(program(tmp_path / "browser", "exit 0")))  # says all is well, and wrote nothing
    with pytest.raises(WorkError, match="could not print"):
        print_page(tmp_path / "page.html", tmp_path / "report.pdf")


@pytest.mark.slow
def test_a_page_is_printed_on_a4(tmp_path):
    try:
        find_browser()
    except UsageError as error:
        pytest.skip(str(error))
    page = tmp_path / "page.html"
    page.write_text("<style>@page { size: A4 } p { break-after: page }</style><p>one</p><p>two</p>last")
    print_page(page, tmp_path / "report.pdf")
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert len(re.findall(rb"/Type\s*/Page\b", content)) == 3
    for found in re.findall(rb"/MediaBox\s*\[([^\]]*)\]", content):
        assert tuple(map(float, found.split())) == pytest.approx((0, 0, 595, 842), abs=1)
