"""Frames per second of each small network at 256 x 256, one and two threads, in ONNX Runtime: against U-Net 1.

    python -m benchmarks.small [WIDTHS ...]

With widths, such as `32,48,64,96` or `4:32,48,64` (patch before the colon), those are measured instead of the default.
All take turns, frame by frame, and the ratio is the median over turns: a busy machine slows all alike.
"""

import statistics
import sys
import time
from typing import Any

import numpy as np
import onnxruntime
import torch

from cardiotrace.core.catalog import Choice
from cardiotrace.learning.export import to_onnx
from cardiotrace.learning.models.catalog import ARCHITECTURES
from cardiotrace.learning.models.describe import multiply_adds
from cardiotrace.learning.models.network import NetworkSpec

SIDE, TURNS = 256, 40
BASE = Choice("unet1")


def run(choices: tuple[Choice, ...] = (Choice("unet-small"),)) -> list[dict[str, Any]]:
    """Frames per second of each choice, with the ratio to U-Net 1 in the same turns."""
    networks = {}
    for choice in (BASE, *choices):
        torch.manual_seed(0)
        networks[label(choice)] = ARCHITECTURES.make(choice, NetworkSpec(1, 4)).eval()
    work = {name: multiply_adds(network, size=(SIDE, SIDE)) for name, network in networks.items()}
    graphs = {name: to_onnx(network, channels=1, size=(SIDE, SIDE)) for name, network in networks.items()}
    contents = {name: graph.SerializeToString() for name, graph in graphs.items()}
    return [row for threads in (1, 2) for row in _measured(contents, work, threads)]


def label(choice: Choice) -> str:
    """Name and options in a few words."""
    return " ".join([choice.name, *(f"{key}={value}" for key, value in choice.options.items())])


def _measured(contents: dict[str, bytes], work: dict[str, int], threads: int) -> list[dict[str, Any]]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    sessions = {
        name: onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        for name, content in contents.items()
    }
    image = {"images": np.random.default_rng(0).standard_normal((1, 1, SIDE, SIDE), np.float32)}
    seconds: dict[str, list[float]] = {name: [] for name in sessions}
    for turn in range(TURNS + 2):
        for name, session in sessions.items():
            start = time.perf_counter()
            session.run(None, image)
            if turn >= 2:
                seconds[name].append(time.perf_counter() - start)
    base = seconds[label(BASE)]
    return [
        {
            "name": f"{name}, {threads} thread{'s' if threads > 1 else ''}, {work[name] / 1e6:.0f} M multiply-adds",
            "value": 1 / statistics.median(values),
            "unit": "frames/s",
            "ratio": statistics.median(theirs / ours for theirs, ours in zip(base, values, strict=True)),
            "versus": f"U-Net 1; best frame {1e3 * min(values):.1f} ms, {min(base) / min(values):.2f} times",
        }
        for name, values in seconds.items()
    ]


def _choice(text: str) -> Choice:
    patch, _, widths = text.rpartition(":")
    options: dict[str, Any] = {"widths": [int(width) for width in widths.split(",")]}
    return Choice("unet-small", {"patch": int(patch), **options} if patch else options)


if __name__ == "__main__":
    for row in run(tuple(_choice(text) for text in sys.argv[1:]) or (Choice("unet-small"),)):
        print(f"{row['name']:64s} {row['value']:7.1f} {row['unit']} {row['ratio']:6.2f}x {row['versus']}")
