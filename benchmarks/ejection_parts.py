r"""Which part of the outlines makes the error of the ejection fraction from one apical plane: CAMUS, four chambers.

    cardiotrace crossval recipes/camus-small.toml --folds 5 --data PATH/camus --out RUNS \
        --set "distillation.teachers=[]" training.epochs=16 preprocessing.0.height=192 preprocessing.0.width=192
    python -m benchmarks ejection_parts RUNS --data PATH/camus

Every patient is predicted by the network of the fold that tests him, and held against the reference masks. A volume by
round disks is the sum of squared diameters times the length of the axis: one of both, or one phase of both, is taken
from the reference, the rest from the prediction.
"""

import argparse
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.long_axis_trace import LongAxisTrace, trace_long_axis
from cardiotrace.clinical.traced_cine import base_direction
from cardiotrace.core.exam import Case, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.table import Rows, to_text
from cardiotrace.inference import Predictor, open_predictor
from cardiotrace.metrics.agreement import agreement

PHASES = (Phase.ED, Phase.ES)
WORST = 0.1
"""Share of the patients with the largest errors that is left out of one row."""


@dataclass(frozen=True)
class Outline:
    """What a volume by disks is made of."""

    width_mm2: float
    """Sum of the squared diameters."""
    length_mm: float

    @classmethod
    def of(cls, trace: LongAxisTrace) -> "Outline | None":
        """None where no axis was found."""
        disks = trace.disks
        return None if disks is None else cls(float((disks.diameters**2).sum()), disks.length)


@dataclass(frozen=True)
class Pair:
    """One patient: predicted and reference outlines at both phases."""

    predicted: Mapping[Phase, Outline]
    reference: Mapping[Phase, Outline]


def pairs(runs: Path, data: Path) -> Iterator[Pair]:
    """Every patient of every fold that is there whose axis was found in all four outlines."""
    by_patient: dict[str, list[Case]] = {}
    for case in Camus(data, CamusConfig(("4CH",))).cases():
        by_patient.setdefault(case.patient, []).append(case)
    for run in sorted(runs.glob("fold-*")):
        predictor = open_predictor(run / "model.onnx")
        for patient in read_split(run / "split.json").testing:
            found = pair_of(predictor, by_patient[patient])
            if found is not None:
                yield found


def pair_of(predictor: Predictor, cases: Sequence[Case]) -> Pair | None:
    """One patient; None where a phase or an axis is missing."""
    predicted, reference = {}, {}
    for case in cases:
        assert case.read_labels is not None
        image = ExamImage(case.name, case.read_image())
        predicted[case.phase] = _outline(image, predictor.segment(image.image).labels)
        reference[case.phase] = _outline(image, case.read_labels())
    known = [{phase: each for phase, each in found.items() if each} for found in (predicted, reference)]
    return Pair(*known) if all(len(found) == len(PHASES) for found in known) else None


def _outline(image: ExamImage, labels: LabelMap) -> Outline | None:
    return Outline.of(trace_long_axis(labels, 0, towards_base=base_direction(image, labels)))


def table(found: Iterable[Pair]) -> Rows:
    """Agreement of the ejection fraction with that of the reference, by what was taken from the reference."""
    known = list(found)
    widths, lengths = (_sizes(known, name) for name in ("width_mm2", "length_mm"))
    true = _percent(widths[1], lengths[1])
    kinds = {
        "nothing": (widths[0], lengths[0]),
        "the length of the axis": (widths[0], lengths[1]),
        "the diameters": (widths[1], lengths[0]),
        "end-diastole": tuple(np.stack([each[1, 0], each[0, 1]]) for each in (widths, lengths)),
        "end-systole": tuple(np.stack([each[0, 0], each[1, 1]]) for each in (widths, lengths)),
    }
    percent = {name: _percent(*kind) for name, kind in kinds.items()}
    rows = [_row(name, each, true) for name, each in percent.items()]
    errors = np.abs(percent["nothing"] - true)
    kept = errors <= np.quantile(errors, 1 - WORST)
    return [*rows, _row(f"nothing; without the worst {WORST:.0%}", percent["nothing"][kept], true[kept])]


def _sizes(known: Sequence[Pair], name: str) -> Float[np.ndarray, "2 phases patients"]:
    """Of the prediction, then of the reference."""
    return np.array(
        [
            [[getattr(getattr(pair, kind)[phase], name) for pair in known] for phase in PHASES]
            for kind in ("predicted", "reference")
        ]
    )


def _percent(
    widths: Float[np.ndarray, "phases patients"], lengths: Float[np.ndarray, "phases patients"]
) -> Float[np.ndarray, "patients"]:
    volumes = widths * lengths
    return np.asarray(100 * (1 - volumes[1] / volumes[0]))


def _row(name: str, percent: Float[np.ndarray, "n"], true: Float[np.ndarray, "n"]) -> dict[str, str]:
    found = agreement(percent, true)
    return {
        "of the reference": name,
        "r": f"{found.correlation:.2f}",
        "bias": f"{found.bias:+.1f}",
        "SD": f"{found.sd:.1f}",
        "MAE": f"{found.mean_absolute_error:.1f}",
        "n": str(len(true)),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path)
    parser.add_argument("--data", type=Path, required=True)
    options = parser.parse_args()
    print(to_text(table(pairs(options.runs, options.data)), "markdown"))


if __name__ == "__main__":
    main()
