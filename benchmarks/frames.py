"""Frames of echo a second from pixels to cleaned labels, on all processors: the shipped four-chamber models.

    python -m benchmarks.frames [MODEL ...]

One beat of a phantom at 256 x 256 goes through each model in turn, all of it counted: preprocessing, network,
probabilities, labels, post-processing. The ratio is to the first model, the median over turns.
"""

import statistics
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np

from cardiotrace.core.image import Image
from cardiotrace.inference.predictor import open_predictor
from cardiotrace.phantoms.echo.exam import echo_exam
from cardiotrace.phantoms.echo.phantom import EchoPhantom

MODELS = ("camus-4ch-unet1", "camus-4ch-small")
TURNS, FRAMES = 5, 20


def run(models: tuple[str, ...] = MODELS) -> list[dict[str, Any]]:
    """Frames per second of each model, with the ratio to the first."""
    cine = phantom()
    predictors = {name: open_predictor(name) for name in models}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for turn in range(TURNS + 1):
        for name, predictor in predictors.items():
            start = time.perf_counter()
            predictor.segment(cine)
            if turn:  # the first one warms up
                seconds[name].append((time.perf_counter() - start) / FRAMES)
    first = seconds[models[0]]
    return [
        {
            "name": f"{name}, 256 x 256",
            "value": 1 / statistics.median(values),
            "unit": "frames/s",
            "ratio": statistics.median(base / own for base, own in zip(first, values, strict=True)),
            "versus": models[0],
        }
        for name, values in seconds.items()
    ]


def phantom() -> Image:
    """One beat in the four-chamber view, 256 x 256 pixels."""
    exam = echo_exam(EchoPhantom(frame_count=FRAMES, spacing_mm=0.7, shape=(256, 312))).exam
    cine = exam.images[0].image
    return replace(cine, frames=np.ascontiguousarray(cine.frames[..., 28:284]))  # the sides of the sector are empty


if __name__ == "__main__":
    for row in run(tuple(sys.argv[1:]) or MODELS):
        print(f"{row['name']:40s} {row['value']:7.1f} {row['unit']} {row['ratio']:6.2f}x {row['versus']}")
