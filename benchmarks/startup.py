"""Whole commands from a cold process: wall time (median) and peak memory.

python -m benchmarks startup
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

RUNS = 7
COMMAND = (sys.executable, "-m", "cardiotrace")


def timed(command: list[str]) -> tuple[float, float]:
    """Median wall seconds and largest peak memory (MB) of a command over several runs."""
    seconds, peaks = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        seconds.append(time.perf_counter() - start)
        peaks.append(usage.ru_maxrss / 1024)
        if os.waitstatus_to_exitcode(status):
            raise RuntimeError(f"failed: {' '.join(command)}")
    return statistics.median(seconds), max(peaks)


def run() -> list[dict[str, Any]]:
    """Import, help, and the analysis of one CAMUS patient."""
    bare, _ = timed([sys.executable, "-c", "pass"])
    rows = []

    def add(name: str, command: list[str], limit: float) -> None:
        seconds, peak = timed(command)
        rows.append(
            {"name": name, "value": seconds, "unit": "s", "ratio": limit / seconds, "versus": f"{limit} s allowed"}
        )
        rows.append(
            {
                "name": f"{name}, peak memory",
                "value": peak,
                "unit": "MB",
                "ratio": 600 / peak,
                "versus": "600 MB allowed",
            }
        )

    add("import cardiotrace", [sys.executable, "-c", "import cardiotrace"], 0.3)
    add("cardiotrace --help", [*COMMAND, "--help"], 0.6)
    add("cardiotrace analyse --help", [*COMMAND, "analyse", "--help"], 1.5)
    patient = Path(os.environ.get("CARDIOTRACE_DATA", "../shared/data")) / "camus/database_nifti/patient0100"
    if patient.exists():
        with tempfile.TemporaryDirectory() as folder:
            add(
                "cardiotrace analyse, one CAMUS patient (ED and ES)",
                [*COMMAND, "analyse", str(patient), "--out", folder, "--overwrite"],
                3.0,
            )
    rows.append({"name": "python itself", "value": bare, "unit": "s", "ratio": None, "versus": ""})
    return rows


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:55s} {row['value']:9.3f} {row['unit']}")
