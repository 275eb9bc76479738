"""The page printed by a browser that is there already: nothing that prints is installed with this package."""

import logging
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from cardiotrace.core.errors import UsageError, WorkError

_LOG = logging.getLogger(__name__)
BROWSER = "CARDIOTRACE_BROWSER"
"""Environment variable with the program to print with, a name or a path."""
_NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chromium-headless-shell"),
    *("chrome", "microsoft-edge", "msedge", "brave-browser"),
)
_PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
)
_LONGEST_S = 300
"""A browser takes a second; on a busy machine a minute."""
_OPTIONS = ("--headless", "--disable-gpu", "--no-first-run", "--no-pdf-header-footer")


def find_browser() -> Path:
    """The browser to print with: the one that the environment names, else one that is installed.

    Raises:
        UsageError: there is none; it says how to get one.
    """
    named = os.environ.get(BROWSER, "")
    if named:
        found = shutil.which(named)
        if found is None:
            raise UsageError(f"{BROWSER} names {named}, which is no program", remedy="name a Chromium or Chrome.")
        return Path(found)
    installed = [place for name in (*_NAMES, *_PLACES) if (place := shutil.which(name)) is not None]
    if not installed:
        raise UsageError(
            "no browser was found that could print the report as PDF",
            remedy=f"install Chromium or Chrome, or name one in {BROWSER}; or print report.html from any browser.",
        )
    return Path(installed[0])


def print_content(content: str, target: Path) -> None:
    """Print a page that lies nowhere yet.

    Args:
        content: HTML that needs nothing else.
        target: the PDF to be.

    Raises:
        UsageError: there is no browser.
        WorkError: the browser failed, or took more than five minutes.
    """
    find_browser()
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".page-") as folder:
        page = Path(folder) / "report.html"
        page.write_text(content, "utf-8")
        print_page(page, target)


def print_page(page: Path, target: Path) -> None:
    """Print a page that needs nothing else as a PDF file.

    Args:
        page: the HTML file.
        target: the PDF to be.

    Raises:
        UsageError: there is no browser.
        WorkError: the browser failed, or took more than five minutes.
    """
    browser = find_browser()
    # A profile of its own: an open browser of the user's is neither asked nor changed.
    with tempfile.TemporaryDirectory(prefix="cardiotrace-") as profile:
        command = [str(browser), *_OPTIONS, f"--user-data-dir={profile}", f"--print-to-pdf={target.resolve()}"]
        if _is_root():
            command.append("--no-sandbox")  # its sandbox refuses to run for root, as in a container
        _LOG.debug("%s", " ".join(command))
        try:
            done = subprocess.run(
                [*command, page.resolve().as_uri()], capture_output=True, timeout=_LONGEST_S, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise WorkError(f"{browser.name} could not print the page ({error})", where=target) from None
    if done.returncode or not target.is_file():
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        why = lines[-1] if lines else f"status {done.returncode}"
        raise WorkError(f"{browser.name} could not print the page ({why})", where=target)


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
