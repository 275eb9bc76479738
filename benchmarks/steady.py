"""Whether deciding frames that jump anew helps: films of phantoms in poor contact, with and without frames half lost.

    python -m benchmarks.steady [--model NAME] [--count 8] [--jump 0.1]

Each phantom beats for 30 frames, imaged badly. Once it is taken as it is, once in three frames the left half of the
sector is as dark as where a rib lies under the probe. Printed is the Dice of the left ventricle without and with the
step `steady-frames`: mean over frames, the worst frame, and how many frames were decided anew.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cardiotrace.core.catalog import Choice
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure
from cardiotrace.inference.predictor import Predictor, open_predictor
from cardiotrace.metrics import Region, measure_frames
from cardiotrace.phantoms.echo.exam import IMAGE_NAME, echo_exam
from cardiotrace.phantoms.echo.phantom import EchoPhantom
from cardiotrace.postprocessing import Postprocessing

LV = Region("LV", (Structure.LV,))
LOST = (7, 15, 22)
"""Frames half of which is dark."""
FIRST_SEED = 300


@dataclass(frozen=True)
class Row:
    """Dice of one film without and with the step."""

    without: np.ndarray
    steadied: np.ndarray
    decided: int


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="camus-4ch-small")
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--jump", type=float, default=0.1)
    options = parser.parse_args()
    plain = open_predictor(options.model)
    others = [choice for choice in plain.spec.postprocessing.choices if choice.name != "steady-frames"]
    without = _with_steps(plain, others)
    steady = _with_steps(plain, [*others, Choice("steady-frames", {"jump": options.jump})])
    films: dict[str, list[Row]] = {"as it is": [], "three frames half lost": []}
    for seed in range(FIRST_SEED, FIRST_SEED + options.count):
        made = echo_exam(EchoPhantom(frame_count=30, seed=seed, spacing_mm=0.6, quality="poor"))
        cine, reference = made.exam.images[0].image, made.labels[IMAGE_NAME]
        for name, image in zip(films, (cine, _half_lost(cine)), strict=True):
            films[name].append(_row(without, steady, image, reference))
    print("\n".join(_table(films)))


def _with_steps(predictor: Predictor, steps: list[Choice]) -> Predictor:
    return predictor.described_by(replace(predictor.spec, postprocessing=Postprocessing(steps)))


def _half_lost(cine: Image) -> Image:
    frames = cine.frames.copy()
    half = frames.shape[3] // 2
    frames[list(LOST), ..., :half] = frames[list(LOST), ..., :half] // 8
    return replace(cine, frames=frames)


def _row(without: Predictor, steady: Predictor, cine: Image, reference: LabelMap) -> Row:
    found = steady.segment(cine)
    decided = [flag for flag in found.warnings if flag.rule == "steadied"]
    count = sum(text.strip(",").isdigit() for flag in decided for text in flag.text.split())
    return Row(_dice(without.segment(cine).labels, reference), _dice(found.labels, reference), count)


def _dice(labels: LabelMap, reference: LabelMap) -> np.ndarray:
    return np.array([frame["LV"].dice for frame in measure_frames(labels, reference, (LV,))])


def _table(films: dict[str, list[Row]]) -> Iterator[str]:
    yield "| films | frames decided anew | mean Dice without | with | worst frame without | with |"
    yield "|---|---:|---:|---:|---:|---:|"
    for name, rows in films.items():
        before = np.concatenate([row.without for row in rows])
        after = np.concatenate([row.steadied for row in rows])
        decided = sum(row.decided for row in rows)
        yield (
            f"| {name} | {decided} of {len(before)} | {before.mean():.3f} | {after.mean():.3f} |"
            f" {before.min():.3f} | {after.min():.3f} |"
        )


if __name__ == "__main__":
    main()
