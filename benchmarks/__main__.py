"""Run every benchmark and write benchmarks/results.md.

python -m benchmarks [NAME ...]
python -m benchmarks flags ...    (needs data and runs: see there)
"""

import datetime
import importlib
import os
import platform
import sys
from pathlib import Path
from typing import Any

NAMES = ("startup", "inference", "frames", "metrics", "augmentation", "reading", "dicom", "training")
RESULTS = Path(__file__).parent / "results.md"


def processor() -> str:
    """Name of the processor, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or "unknown processor"
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


def as_table(rows: list[dict[str, Any]]) -> str:
    """Rows as Markdown."""
    lines = ["| what | value | ratio | against |", "| --- | ---: | ---: | --- |"]
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        lines.append(f"| {row['name']} | {row['value']:.4g} {row['unit']} | {ratio} | {row['versus']} |")
    return "\n".join(lines)


def main(names: list[str]) -> None:
    """Run the named benchmarks, all of them by default; the file is written only for all."""
    chosen = names or list(NAMES)
    head = (
        f"# Benchmarks\n\nMeasured by `make bench` on {datetime.date.today().isoformat()}: {processor()},"
        f" {os.cpu_count()} processors, no GPU, Python {platform.python_version()}. A ratio above 1 says how many times"
        " better we are than what stands behind it, measured in the same run. Where the real data are not at hand,"
        " their rows are missing."
    )
    parts = [head]
    for name in chosen:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"{name} ...", flush=True)
        table = as_table(module.run())
        print(table, flush=True)
        parts.append(f"## {name.capitalize()}\n\n{(module.__doc__ or '').splitlines()[0]}\n\n{table}")
    if not names:
        RESULTS.write_text("\n\n".join(parts) + "\n")
        print(f"written: {RESULTS}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["flags"]:
        importlib.import_module("benchmarks.flags").main(sys.argv[2:])
    else:
        main(sys.argv[1:])
