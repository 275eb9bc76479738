"""Frames per second of U-Net 1 at 256 x 256 on all processors: ONNX Runtime against eager PyTorch.

    python -m benchmarks inference

One process per engine, taking turns, so that neither warms the other's caches.
"""

import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROUNDS, FRAMES = 5, 8

_EXPORT = """
import sys, torch
from cardiotrace.core.catalog import Choice
from cardiotrace.learning.models.catalog import ARCHITECTURES
from cardiotrace.learning.models.network import NetworkSpec
from cardiotrace.learning.export import halve_weights, to_onnx
torch.manual_seed(0)
graph = to_onnx(ARCHITECTURES.make(Choice("unet1"), NetworkSpec(1, 4)), channels=1, size=(256, 256))
halve_weights(graph)
open(sys.argv[1], "wb").write(graph.SerializeToString())
"""
_WORKER = """
import sys, time, json, numpy
kind, path, batch, frames = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
x = numpy.random.default_rng(0).standard_normal((batch, 1, 256, 256), numpy.float32)
if kind == "onnxruntime":
    from pathlib import Path
    from cardiotrace.inference.engine import OnnxRuntimeEngine
    engine = OnnxRuntimeEngine(Path(path).read_bytes())
    forward = lambda: engine.run({engine.inputs[0]: x})
else:
    import torch
    from cardiotrace.core.catalog import Choice
    from cardiotrace.learning.models.catalog import ARCHITECTURES
    from cardiotrace.learning.models.network import NetworkSpec
    torch.manual_seed(0)
    model, y = ARCHITECTURES.make(Choice("unet1"), NetworkSpec(1, 4)).eval(), torch.from_numpy(x)
    def forward():
        with torch.no_grad():
            model(y)
forward()
for line in sys.stdin:
    times = []
    for _ in range(frames):
        start = time.perf_counter(); forward(); times.append((time.perf_counter() - start) / batch)
    print(json.dumps(times), flush=True)
"""


def run() -> list[dict[str, Any]]:
    """Frames per second for single frames and for batches of eight."""
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "unet1.onnx")
        subprocess.run([sys.executable, "-c", _EXPORT, path], check=True, capture_output=True)
        return [row for batch in (1, 8) for row in _measure(path, batch)]


def _measure(path: str, batch: int) -> list[dict[str, Any]]:
    frames = str(max(2, FRAMES // batch))
    workers = {
        kind: subprocess.Popen(
            [sys.executable, "-c", _WORKER, kind, path, str(batch), frames],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for kind in ("onnxruntime", "eager")
    }
    rounds: dict[str, list[float]] = {kind: [] for kind in workers}
    for _ in range(ROUNDS):
        for kind, worker in workers.items():
            rounds[kind].append(statistics.median(_turn(worker)))
    for worker in workers.values():
        worker.communicate()
    ratio = statistics.median(eager / ours for eager, ours in zip(rounds["eager"], rounds["onnxruntime"], strict=True))
    return [
        {
            "name": f"U-Net 1, ONNX Runtime, batch {batch}",
            "value": 1 / statistics.median(rounds["onnxruntime"]),
            "unit": "frames/s",
            "ratio": ratio,
            "versus": f"eager PyTorch, {1 / statistics.median(rounds['eager']):.1f} frames/s",
        }
    ]


def _turn(worker: "subprocess.Popen[str]") -> list[float]:
    """Seconds per frame of one turn of an engine."""
    if worker.stdin is None or worker.stdout is None:
        raise RuntimeError("the worker has no pipes")
    worker.stdin.write("go\n")
    worker.stdin.flush()
    seconds: list[float] = json.loads(worker.stdout.readline())
    return seconds


if __name__ == "__main__":
    for row in run():
        print(f"{row['name']:40s} {row['value']:9.1f} {row['unit']}  {row['ratio']:6.2f}x {row['versus']}")
