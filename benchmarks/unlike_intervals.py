r"""How much wider intervals must be where images are unlike those that a model was tried on.

    python -m benchmarks.unlike_intervals RUNS/fold-1 MODEL.onnx ... [--data PATH] [--write]

Counted on the testing patients of one fold of a cross-validation, by the fold's own network, without those whom the
official split keeps for validation: their images are damaged in ten ways and all degrees (`benchmarks.damaged_images`),
each patient's in five of them. Unlikeness is by a bank of other patients. Then, for each model, how often its
intervals hold the truth of the official validation patients whose images were damaged in the same ways: as they are,
and widened. `--write` puts the factors into the model files and the cards beside them.
"""

import argparse
import math
import os
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.damaged_images import DAMAGES, damaged
from benchmarks.quality import cases_of
from cardiotrace.clinical.intervals.calibration import ErrorCalibration
from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.image import Image
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import Split, read_split
from cardiotrace.evaluation.interval_fit import What
from cardiotrace.evaluation.out_of_fold import OutOfFold, predicted_patient
from cardiotrace.evaluation.quality import FOLDS, folds_of, held_out_frames
from cardiotrace.evaluation.table import to_text
from cardiotrace.evaluation.unlikeness import bank_of, held_out_distances, limit_of
from cardiotrace.evaluation.widening_fit import UnlikeCase, fitted_widening
from cardiotrace.inference import Predictor
from cardiotrace.inference.model_file import Model, open_seal, read_model, seal
from cardiotrace.report.card import model_card
from cardiotrace.workflows.quality import featured, known_rows

USUAL = "none"
"""The kind of images that were not damaged."""
BANDS = ((0.0, 1.0), (1.0, 2.0), (2.0, 4.0), (4.0, 6.0), (6.0, math.inf))

Seen = tuple[str, OutOfFold]
"""What was done to the images of a patient, and what the network made of them."""


def seen_patients(predictor_of: Callable[[str], Predictor], cases: Sequence[Case]) -> Iterator[Seen]:
    """Each patient as he is, and damaged in every second way.

    Args:
        predictor_of: the network for a patient, which must tell how unlike images are.
        cases: end-diastole and end-systole of each.
    """
    for number, (patient, group) in enumerate(groupby(sorted(cases, key=_patient), key=_patient)):
        own = list(group)
        if len(own) < 2:
            continue
        for kind in (USUAL, *(kind for at, kind in enumerate(DAMAGES) if (at + number) % 2 == 0)):
            shown = own if kind == USUAL else [_damaged(case, kind) for case in own]
            try:
                yield kind, predicted_patient(predictor_of(patient), shown, fold=0)
            except InputError as error:
                print(f"{patient}, {kind}: {error.what}")


def _patient(case: Case) -> str:
    return case.patient


def _damaged(case: Case, kind: str) -> Case:
    """Both images of a patient are damaged alike, the same in every run."""
    seed = zlib.crc32(f"{case.patient} {kind}".encode())
    share = float(np.random.default_rng(seed).random())

    def read() -> Image:
        return damaged(case.read_image(), kind, share, seed)

    return replace(case, read_image=read)


def fold_patients(root: Path, fold: Path, official: Split) -> list[Seen]:
    """The testing patients of a fold, each by a bank of others."""
    network, split = featured(read_model(fold / "model.onnx")), read_split(fold / "split.json")
    kept = {*official.validation, *official.testing}
    cases = cases_of(root, "echo", [name for name in split.testing if name not in kept])
    known = known_rows(network, cases_of(root, "echo", split.training))
    frames = held_out_frames(network, cases)
    patients, rows = [frame.patient for frame in frames], [frame.evidence.rows for frame in frames]
    limit, parts = limit_of(held_out_distances(rows, patients, known)), folds_of(patients)
    banks = []
    for part in range(FOLDS):
        others = [each for each, own in zip(rows, parts, strict=True) if own != part]
        told = replace(network.spec.calibration, unlikeness=replace(bank_of([*known, *others]), limit=limit))
        banks.append(network.described_by(replace(network.spec, calibration=told)))
    bank_for = dict(zip(patients, (banks[part] for part in parts), strict=True))
    return list(seen_patients(bank_for.__getitem__, cases))


def unlike_cases(error: ErrorCalibration, seen: Sequence[Seen], correlation: float) -> list[UnlikeCase]:
    """The patients of whom a value and its truth are known."""
    what = What(error.quantity, error.view, error.method, error.error, error.share)
    found = [(kind, patient.case(what, correlation), patient.unlikeness) for kind, patient in seen]
    return [UnlikeCase(case, unlikeness, kind) for kind, case, unlikeness in found if case is not None]


def rows_of(error: ErrorCalibration, cases: Sequence[UnlikeCase]) -> Iterator[dict[str, Any]]:
    """How often intervals hold by bands of unlikeness, as they are of usual images and widened."""
    for low, high in BANDS:
        own = [item for item in cases if low < item.unlikeness <= high]
        if own:
            usual, wider = (_covered(error, own, is_widened=each) for each in (False, True))
            yield {
                "interval of": f"{error.quantity}, {error.error}",
                "unlikeness": f"{low:g} to {high:g}",
                "n": len(own),
                "covered as usual": f"{usual[0]:.0%}",
                "width": f"{usual[1]:.1f}",
                "covered widened": f"{wider[0]:.0%}",
                "width widened": f"{wider[1]:.1f}",
            }


def _covered(error: ErrorCalibration, items: Sequence[UnlikeCase], *, is_widened: bool) -> tuple[float, float]:
    holds, widths = [], []
    for item in items:
        case, unlike = item.case, item.unlikeness if is_widened else math.nan
        found = error.interval(case.measured, case.signs, case.group, unlikeness=unlike)
        holds.append(found.low <= case.truth <= found.high)
        widths.append(found.high - found.low)
    return float(np.mean(holds)), float(np.mean(widths))


def with_widening(model: Model, seen: Sequence[Seen]) -> Model:
    """The model whose intervals follow unlikeness."""
    known = model.spec.calibration
    if known.unlikeness is None:
        raise InputError(f"{model.spec.name} does not tell how unlike an image is", where=model.path)
    intervals = known.intervals
    errors = tuple(
        replace(each, widening=fitted_widening(each, unlike_cases(each, seen, intervals.correlation)))
        for each in intervals.errors
    )
    calibration = replace(known, intervals=replace(intervals, errors=errors))
    return replace(model, spec=replace(model.spec, calibration=calibration))


def main() -> None:
    """Fit, show, and write where that is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("fold", type=Path)
    parser.add_argument("models", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOTRACE_DATA", ".")))
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()
    official = DATASETS.make(Choice("camus", {"views": ["4CH"]}), given.data / "camus").splits()["official"]
    seen = fold_patients(given.data, given.fold, official)
    for path in given.models:
        model = with_widening(read_model(path), seen)
        tried = cases_of(given.data, "echo", official.validation)
        show(model, list(seen_patients(partial(_always, featured(model)), tried)))
        if given.write:
            write(path, model)


def _always(predictor: Predictor, patient: str) -> Predictor:
    return predictor


def show(model: Model, tried: Sequence[Seen]) -> None:
    """Print the factors, and what they do on patients that they were not counted on."""
    intervals = model.spec.calibration.intervals
    print(f"{model.spec.name}\n")
    for error in intervals.errors:
        steps = ", ".join(f"{factor:g} up to {upto:g}" for upto, factor in error.widening.steps)
        print(f"{error.quantity}, {error.error}: {steps}")
    rows = [
        row for error in intervals.errors for row in rows_of(error, unlike_cases(error, tried, intervals.correlation))
    ]
    print(to_text(rows, "markdown"))


def write(path: Path, model: Model) -> None:
    """Seal the description anew; the network and all else stay."""
    sealed = seal(path.read_bytes(), model.spec)
    path.write_bytes(sealed)
    path.with_suffix(".md").write_text(model_card(open_seal(sealed), file_name=path.name))


if __name__ == "__main__":
    main()
