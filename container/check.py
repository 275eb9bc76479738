"""What can be seen of the container's recipe where no container engine runs.

    python container/check.py FOLDER

Reads the Dockerfile, and does what its first stage does in a plain folder: builds the wheel, installs it into a virtual
environment of its own, and asks the application that starts from there for its page. What needs Debian's packages and
another user (the second stage) is printed, not done.
"""

import json
import os
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RECIPE = Path(__file__).with_name("Dockerfile")
SECONDS = 120


def instructions(text: str) -> list[tuple[str, str]]:
    """Words and arguments of a Dockerfile, continued lines joined."""
    joined = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    return [(word, rest) for line in joined.splitlines() if line.strip() for word, _, rest in [line.partition(" ")]]


def stages(found: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The instructions of each stage, its FROM first."""
    result: list[list[tuple[str, str]]] = []
    for word, rest in found:
        if word == "FROM":
            result.append([])
        result[-1].append((word, rest))
    return result


def faults(text: str) -> list[str]:
    """What no recipe of ours may have."""
    build, run = stages(instructions(text))
    told = []
    if any(":" not in rest or ":latest" in rest for word, rest in (build + run) if word == "FROM"):
        told.append("an image without a version")
    words = [word for word, _ in run]
    if "USER" not in words or words.index("USER") > words.index("ENTRYPOINT"):
        told.append("it would run as root")
    if "HEALTHCHECK" not in words:
        told.append("nothing asks whether it is well")
    if any(word == "ADD" for word, _ in build + run):
        told.append("ADD unpacks and fetches: COPY does neither")
    return told


def built(folder: Path) -> Path:
    """The first stage in a plain folder; gives the environment."""
    build, _ = stages(instructions(RECIPE.read_text()))
    environment = folder / "opt" / "cardiotrace"
    for word, command in build:
        if word == "RUN":
            # The places of the image, below the folder; its Python is the one that runs this.
            here = command.replace("/opt/", f"{folder}/opt/").replace("/wheels", f"{folder}/wheels")
            here = re.sub(r"^python ", f"{sys.executable} ", here)
            print(f"RUN {here}", flush=True)
            subprocess.run(here, shell=True, cwd=ROOT, check=True)
    return environment


def asked(environment: Path, folder: Path) -> None:
    """Start the application as the second stage does, on this machine alone, and ask for page and health."""
    _, run = stages(instructions(RECIPE.read_text()))
    program, verb, *_ = json.loads(next(rest for word, rest in run if word == "ENTRYPOINT"))
    words = [environment / "bin" / program, verb, "--data", folder / "data", "--port", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            url = server.stdout.readline().strip()
            address, _, token = url.partition("?token=")
            page = urllib.request.Request(address, headers={"Authorization": f"Bearer {token}"})
            health = f"{address}api/v1/system/health"
            until = time.monotonic() + SECONDS
            while True:
                try:
                    assert json.load(urllib.request.urlopen(health, timeout=5))["status"] == "ok"
                    break
                except OSError:
                    assert time.monotonic() < until, "it did not start"
                    time.sleep(0.2)
            content = urllib.request.urlopen(page, timeout=10).read().decode()
            assert "<script" in content, "the wheel holds no page"
            print(f"page of {len(content)} bytes, and it is well", flush=True)
        finally:
            server.terminate()


def main() -> None:
    """Check, build, ask; then say what was not done."""
    if told := faults(RECIPE.read_text()):
        sys.exit("; ".join(told))
    folder = Path(sys.argv[1]).resolve()
    folder.mkdir(parents=True)
    os.environ.setdefault("PIP_DISABLE_PIP_VERSION_CHECK", "1")
    asked(built(folder), folder)
    _, run = stages(instructions(RECIPE.read_text()))
    for word, rest in run:
        if word == "RUN":
            print(f"not done here, it needs an image of its own: RUN {rest}")


if __name__ == "__main__":
    main()
