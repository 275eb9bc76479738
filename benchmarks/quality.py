r"""How well a model's file tells what is to be expected of its labels, and which images are unlike all it was tried on.

    python -m benchmarks.quality table FOLDS [--data PATH] [--kind echo|cine]
    python -m benchmarks.quality seal MODEL.onnx [--data PATH] [--kind echo|cine] [--folds FOLDS] [--out FILE]

`table` takes the folder of a cross-validation (`fold-1`, ... with `model.onnx`, `split.json`): expected and true Dice
of all testing patients, each by the network of his fold and by a regression of other patients; then, with the network
of the first fold, how images that it must not be trusted on are told from its testing patients. Minutes of one
processor.

`seal` writes both into a model file, whatever its state, and the card beside it: on the validation part of the official
split of CAMUS; or, for an ensemble of folds, on the testing patients of the first of FOLDS, expected Dice then being
fitted on the testing patients of all of them.
"""

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.unlike_images import CORRUPTIONS, corrupted, strangers_of_cine, strangers_of_echo
from cardiotrace.core.catalog import Choice
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Phase
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.quality import FOLDS, HeldOutFrame, folds_of, held_out_frames, out_of_fold
from cardiotrace.evaluation.table import to_text
from cardiotrace.evaluation.unlikeness import bank_of, held_out_distances, limit_of
from cardiotrace.inference import Predictor
from cardiotrace.inference.evidence import Rows
from cardiotrace.inference.model_file import open_seal, read_model
from cardiotrace.inference.plane_signs import SIGN_COUNT
from cardiotrace.report.card import model_card
from cardiotrace.workflows.quality import featured, known_rows, with_trust

EVERY = 6
"""Of the testing images, every so manieth is corrupted."""
PHANTOMS = 3
POOR = 0.05
"""The share of all tracings that are called the poorest."""
_OPTIONS: dict[str, dict[str, Any]] = {"echo": {"views": ["4CH"]}, "cine": {}}
_NAMES = {"echo": "camus", "cine": "acdc"}
LOOKS = {
    "deepest layer": slice(None, -SIGN_COUNT),
    "grey values": slice(-SIGN_COUNT, None),
    "both": slice(None),
}


@dataclass(frozen=True)
class Strange:
    """One image of a kind that is to be told, or not."""

    kind: str
    is_like: bool
    """Whether the model was made for such."""
    patient: str
    """The testing patient whose image was corrupted; "" of other images."""
    rows: Rows
    """Of its first frame."""


def cases_of(root: Path, kind: str, patients: Sequence[str]) -> list[Case]:
    """Labelled stills of some patients."""
    dataset = DATASETS.make(Choice(_NAMES[kind], _OPTIONS[kind]), root / _NAMES[kind])
    stills = [case for case in dataset.cases() if case.read_labels is not None and case.phase is not Phase.OTHER]
    return [case for case in stills if case.patient in set(patients)]


def folds_in(folder: Path) -> list[Path]:
    """Finished folds, in order."""
    return sorted(path.parent for path in folder.glob("fold-*/model.onnx"))


def tested(root: Path, kind: str, folder: Path) -> list[list[HeldOutFrame]]:
    """What the network of each fold says of its testing patients."""
    found = []
    for fold in folds_in(folder):
        cases = cases_of(root, kind, read_split(fold / "split.json").testing)
        found.append(held_out_frames(_network(fold), cases))
    return found


def _network(fold: Path) -> Predictor:
    return featured(read_model(fold / "model.onnx"))


def quality_rows(frames: Sequence[HeldOutFrame], structures: Sequence[str]) -> list[dict[str, Any]]:
    """Expected against true Dice, both of patients that the regression has not seen."""
    rows = []
    for name, pairs in out_of_fold(frames, structures).items():
        expected, true = pairs.T
        soft = _soft_dice(frames, list(structures).index(name), name)
        limit, poor = np.quantile(expected, 0.05), true <= np.quantile(true, POOR)
        rows.append(
            {
                "structure": name,
                "images": len(true),
                "Dice": f"{true.mean():.3f}",
                "error of its median": f"{np.abs(np.median(true) - true).mean():.3f}",
                "of the soft Dice": f"{soft:.3f}",
                "of the expected Dice": f"{np.abs(expected - true).mean():.3f}",
                "correlation": f"{np.corrcoef(expected, true)[0, 1]:.2f}",
                "poorest twentieth flagged": f"{(expected[poor] < limit).mean():.0%}",
            }
        )
    return rows


def _soft_dice(frames: Sequence[HeldOutFrame], index: int, name: str) -> float:
    """Mean absolute error of 2 sum(p m) / (sum(p) + sum(m)) as it is."""
    told = [(frame.evidence.sums[index], frame.dice[name]) for frame in frames if name in frame.dice]
    return float(np.mean([abs(2 * sums[2] / (sums[0] + sums[1]) - dice) for sums, dice in told if sums[1]]))


def strange_rows(root: Path, kind: str, fold: Path) -> Iterator[Strange]:
    """Corrupted images, and images of other kinds."""
    predictor = _network(fold)

    def rows(image: Image) -> Rows:
        told = (each.rows for each in predictor.segment(image, keep_evidence=True).evidence if each is not None)
        return next(told, np.zeros((0, 0), np.float32))

    cases = cases_of(root, kind, read_split(fold / "split.json").testing)[::EVERY]
    for number, case in enumerate(cases):
        image = case.read_image()
        for seed, (name, change) in enumerate(CORRUPTIONS.items()):
            yield Strange(name, False, case.patient, rows(corrupted(image, change, 100 * number + seed)))
    strangers = strangers_of_echo if kind == "echo" else strangers_of_cine
    for stranger in strangers(root, phantoms=PHANTOMS):
        try:
            yield Strange(stranger.kind, stranger.is_like, "", rows(stranger.image))
        except InputError as error:
            print(f"{stranger.kind} {stranger.name}: {error.what}")


def unlike_rows(
    frames: Sequence[HeldOutFrame], strange: Sequence[Strange], known: Sequence[Rows]
) -> list[dict[str, Any]]:
    """Area under the curve of each kind by each look, and the share beyond the limit."""
    strange = [item for item in strange if item.rows.size]
    looks = {look: _distances(frames, strange, known, columns) for look, columns in LOOKS.items()}
    own, others = looks["both"]
    limit = limit_of(own)
    table = []
    for kind in dict.fromkeys(item.kind for item in strange):
        chosen = [index for index, item in enumerate(strange) if item.kind == kind]
        note = " (as the model was made for)" if strange[chosen[0]].is_like else ""
        row: dict[str, Any] = {"image": kind + note, "n": len(chosen)}
        row |= {look: f"{_auc(others[chosen], own):.3f}" for look, (own, others) in looks.items()}
        table.append(row | {"flagged": f"{(others[chosen] > limit).mean():.0%}"})
    return table


def _distances(
    frames: Sequence[HeldOutFrame], strange: Sequence[Strange], known: Sequence[Rows], columns: slice
) -> tuple[np.ndarray, np.ndarray]:
    """Of testing patients and of strange images, each to known planes and to those of other patients alone."""
    patients, rows = [frame.patient for frame in frames], [frame.evidence.rows[:, columns] for frame in frames]
    known = [each[:, columns] for each in known]
    folds = folds_of(patients).tolist()
    fold_of: dict[str, int] = dict(zip(patients, folds, strict=True))
    banks = {
        fold: bank_of([*known, *(each for each, own in zip(rows, folds, strict=True) if own != fold)])
        for fold in (None, *range(FOLDS))
    }
    others = [banks[fold_of.get(item.patient)].distance(item.rows[:, columns]) for item in strange]
    return held_out_distances(rows, patients, known), np.array(others)


def _auc(odd: np.ndarray, usual: np.ndarray) -> float:
    above = odd[:, None] > usual[None]
    return float((above + 0.5 * (odd[:, None] == usual[None])).mean())


def show(root: Path, kind: str, folder: Path) -> None:
    """Print both tables."""
    frames = tested(root, kind, folder)
    first = folds_in(folder)[0]
    structures = _network(first).spec.label_scheme.structures
    print(to_text(quality_rows([frame for fold in frames for frame in fold], structures), "markdown"))
    strange = list(strange_rows(root, kind, first))
    known = known_rows(_network(first), cases_of(root, kind, read_split(first / "split.json").training))
    print(to_text(unlike_rows(frames[0], strange, known), "markdown"))


def seal_anew(root: Path, kind: str, path: Path, folds: Path | None, out: Path) -> None:
    """Write both into a model file, and say what they are."""
    if folds is None:
        dataset = DATASETS.make(Choice(_NAMES[kind], _OPTIONS[kind]), root / _NAMES[kind])
        split, predicted = dataset.splits()["official"], []
        held_out = split.validation
    else:
        split = read_split(folds_in(folds)[0] / "split.json")
        held_out = split.testing
        predicted = [frame for fold in tested(root, kind, folds) for frame in fold]
    learned = cases_of(root, kind, split.training)
    sealed = with_trust(read_model(path), cases_of(root, kind, held_out), learned=learned, predicted=predicted)
    out.write_bytes(sealed)
    out.with_suffix(".md").write_text(model_card(open_seal(sealed), file_name=out.name))
    for name, model in read_model(out).spec.calibration.quality.items():
        print(
            f"{name}: mean absolute error {model.error:.3f} on {model.frames} images, flagged below {model.lowest:.2f}"
        )
    print(f"{out}: {len(sealed) - path.stat().st_size if path != out else 0} bytes more")


def main() -> None:
    """Choose what is done."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["table", "seal"])
    parser.add_argument("place", type=Path)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOTRACE_DATA", ".")))
    parser.add_argument("--kind", choices=list(_NAMES), default="echo")
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.what == "table":
        show(given.data, given.kind, given.place)
    else:
        seal_anew(given.data, given.kind, given.place, given.folds, given.out or given.place)


if __name__ == "__main__":
    main()
