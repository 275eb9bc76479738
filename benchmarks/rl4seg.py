r"""What RL4Seg is worth on fresh phantoms of the target: its policy after each iteration, and the judge's word for it.

    cardiotrace adapt rl4seg recipes/rl4seg-phantom.toml --out RUN
    python -m benchmarks.rl4seg RUN [--patients 40] [--seed 901] [--picture FILE]

Iteration 0 is source only. Every policy answers the same phantoms of the target's vendor, of a seed that no training
has seen, as the network leaves its answers: without post-processing. Differences to source only with intervals of a
bootstrap over patients. Of the last policy, how far the judge's expected errors go with true ones. Times are those of
the run's own logs.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from cardiotrace.clinical.anatomy.criterion import Axis, Measured
from cardiotrace.clinical.anatomy.limits import PRESETS
from cardiotrace.clinical.anatomy.plane import Plane
from cardiotrace.core.catalog import Choice
from cardiotrace.core.exam import Case
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.split import read_split
from cardiotrace.inference.judge import Judge
from cardiotrace.inference.model_file import read_model
from cardiotrace.inference.predictor import Predictor
from cardiotrace.inference.spec import ModelSpec
from cardiotrace.learning.predict import TorchEngine
from cardiotrace.learning.rl4seg.iteration import IterationFolder
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.learning.training.run import trained_model
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.metrics import bootstrap_interval, dice, surface_distances
from cardiotrace.postprocessing import Postprocessing
from cardiotrace.workflows.export import describe

REGIONS = ("LV", "LV_EPI", "LA")
HEADS = ("Dice", "HD mm", "valid %")


@dataclass(frozen=True)
class Answered:
    """One plane."""

    patient: str
    dice: tuple[float, ...]
    """Of `REGIONS`."""
    hausdorff_mm: tuple[float, ...]
    is_valid: bool
    """By the published limits."""
    expected: float = float("nan")
    """Pixels that the judge expects to be wrong, as a share of those that are labelled."""
    wrong: float = float("nan")
    """Those that are."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rl4seg", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run of `adapt rl4seg`")
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--seed", type=int, default=901)
    parser.add_argument("--picture", type=Path, help="writes before and after of the frame that gained most")
    options = parser.parse_args()
    folder = RunFolder(options.run)
    cases, first = fresh_targets(folder, options.patients, options.seed), IterationFolder.of(folder, 0).policy
    recipe = read_recipe(folder.recipe)
    spec = describe(recipe, DATASETS.make(recipe.data.dataset, Path()), read_split(folder.split), first)
    numbers = [number for number in range(100) if IterationFolder.of(folder, number).policy.best.exists()]
    answers = {number: answers_of(policy(folder, number, spec), cases) for number in numbers}
    # The file is written last: of a run that still goes on there is none.
    judge = Judge.within(read_model(folder.model)) if folder.model.exists() else None
    rows = {number: scored(cases, labels) for number, labels in answers.items()}
    print(f"{options.patients} phantoms of {target_of(folder)}, {len(cases)} planes, seed {options.seed}\n")
    print_scores(rows)
    if judge is not None:
        print_judged([judged(judge, case, labels) for case, labels in zip(cases, answers[numbers[-1]], strict=True)])
    print_times(folder, numbers)
    if options.picture is not None:
        save_picture(options.picture, cases, answers[0], answers[numbers[-1]])


def target_of(folder: RunFolder) -> str:
    """Vendor of the first target."""
    adaptation = read_recipe(folder.recipe).adaptation
    assert adaptation is not None
    return adaptation.targets[0]


def fresh_targets(folder: RunFolder, patients: int, seed: int) -> list[Case]:
    """Cases of phantoms as the run learned from, of the target's vendor alone and of another seed."""
    chosen = read_recipe(folder.recipe).data.dataset
    changed = {"count": patients, "seed": seed, "vendors": [target_of(folder)]}
    return DATASETS.make(Choice(chosen.name, {**chosen.options, **changed}), Path()).cases()


def policy(folder: RunFolder, number: int, spec: ModelSpec) -> Predictor:
    """The policy of an iteration, without post-processing."""
    recipe = read_recipe(IterationFolder.of(folder, number).policy.recipe)
    network = trained_model(
        recipe, IterationFolder.of(folder, number).policy, channels=spec.channels, classes=spec.classes
    )
    return Predictor(replace(spec, postprocessing=Postprocessing()), TorchEngine(network))


def answers_of(predictor: Predictor, cases: Sequence[Case]) -> list[LabelMap]:
    """What a policy says of each case."""
    return [predictor.segment(case.read_image()).labels for case in cases]


def masks_of(labels: LabelMap) -> list[np.ndarray]:
    """Of `REGIONS`."""
    parts = {str(name): labels.array[0, 0] == value for name, value in labels.scheme.values.items()}
    return [parts["LV"], parts["LV"] | parts["MYO"], parts["LA"]]


def scored(cases: Sequence[Case], answers: Sequence[LabelMap]) -> list[Answered]:
    """Scores of each case."""
    rows = []
    for case, labels in zip(cases, answers, strict=True):
        assert case.read_labels is not None
        assert labels.spacing_mm is not None
        pairs = list(zip(masks_of(labels), masks_of(case.read_labels()), strict=True))
        spacing = labels.spacing_mm[1:]
        overlap = tuple(dice(*pair) for pair in pairs)
        distance = tuple(surface_distances(*pair, spacing_mm=spacing).hausdorff_mm for pair in pairs)
        rows.append(Answered(case.patient, overlap, distance, is_valid(labels)))
    return rows


def is_valid(labels: LabelMap) -> bool:
    """By the published limits."""
    plane = Plane.of(labels, 0, is_upright=True)
    return not plane.is_empty and not PRESETS["published"].failures(Measured.of(plane, Axis.LONG), Axis.LONG)


def judged(judge: Judge, case: Case, labels: LabelMap) -> Answered:
    """What the judge expects of an answer, and what is so."""
    assert case.read_labels is not None
    error = judge.errors(case.read_image(), labels, [0])[0][0]
    wrong = labels.array[0, 0] != case.read_labels().array[0, 0]
    labelled = max(1, np.count_nonzero(labels.array))
    return Answered(
        case.patient, (), (), is_valid(labels), float(error.sum()) / labelled, float(wrong.sum()) / labelled
    )


def numbers_of(rows: Sequence[Answered]) -> np.ndarray:
    """(planes, `HEADS`): means over the regions; a structure that was not found has no distance."""
    return np.array(
        [
            [
                np.mean(row.dice),
                np.mean(np.where(np.isfinite(row.hausdorff_mm), row.hausdorff_mm, np.nan)),
                100.0 * row.is_valid,
            ]
            for row in rows
        ]
    )


def interval(difference: np.ndarray, patients: Sequence[str]) -> tuple[float, float]:
    """95 % interval of a mean, patients drawn with replacement."""
    known = np.isfinite(difference)
    names = np.array(patients)[known]
    rows = [difference[known][names == name] for name in sorted(set(names.tolist()))]
    return bootstrap_interval([row.mean() for row in rows], weights=[len(row) for row in rows])


def print_scores(rows: dict[int, list[Answered]]) -> None:
    """Each iteration, and what it differs by from source only."""
    first = numbers_of(rows[0])
    patients = [row.patient for row in rows[0]]
    print("| iteration | " + " | ".join([*(f"Dice {name}" for name in REGIONS), *HEADS, "missed"]) + " |")
    for number, answered in rows.items():
        found = numbers_of(answered)
        regions = np.mean([row.dice for row in answered], axis=0)
        missed = sum(not np.isfinite(value) for row in answered for value in row.hausdorff_mm)
        told = [
            *(f"{value:.3f}" for value in regions),
            *(f"{value:.3f}" for value in np.nanmean(found, axis=0)),
            str(missed),
        ]
        print(f"| {number} | " + " | ".join(told) + " |")
    print("\ndifference to source only, 95 % interval")
    for number, answered in list(rows.items())[1:]:
        difference = numbers_of(answered) - first
        for place, head in enumerate(HEADS):
            low, high = interval(difference[:, place], patients)
            print(f"  iteration {number}  {head}: {np.nanmean(difference[:, place]):+.3f} ({low:+.3f} to {high:+.3f})")


def print_judged(rows: Sequence[Answered]) -> None:
    """How far expected errors go with true ones."""
    expected, wrong = (np.array([getattr(row, name) for row in rows]) for name in ("expected", "wrong"))
    correlation = float(np.corrcoef(expected, wrong)[0, 1])
    print(
        f"\njudge on the last policy: expects {100 * expected.mean():.1f} % of the labelled pixels to be wrong,",
        end=" ",
    )
    print(f"{100 * wrong.mean():.1f} % are; correlation over planes {correlation:.2f}")


def print_times(folder: RunFolder, numbers: Sequence[int]) -> None:
    """Seconds of an epoch."""
    print("\nseconds an epoch")
    for number in numbers:
        for name in ("reward", "policy"):
            log: RunFolder = getattr(IterationFolder.of(folder, number), name)
            rows = TrainingLog(log.journal).rows() if log.journal.exists() else []
            if rows:
                seconds = np.median([row["seconds"] for row in rows])
                print(f"  iteration {number} {name}: {seconds:.1f} ({len(rows)} epochs)")


def save_picture(path: Path, cases: Sequence[Case], before: Sequence[LabelMap], after: Sequence[LabelMap]) -> None:
    """Reference, source only and adapted of the planes that gained most and least, side by side."""
    from PIL import Image as Pillow

    from cardiotrace.report.framing import LabelledFrame
    from cardiotrace.report.overlay import OverlayStyle, draw_overlay

    gains = numbers_of(scored(cases, after))[:, 0] - numbers_of(scored(cases, before))[:, 0]
    order = np.argsort(gains)
    style = OverlayStyle(width=360, height=330, has_legend=False, has_scale=False)
    rows = []
    for index in (order[-1], order[len(order) // 2], order[0]):
        image: Image = cases[index].read_image()
        read = cases[index].read_labels
        assert read is not None
        told = (("reference", read()), ("source only", before[index]), ("after RL4Seg", after[index]))
        rows.append([draw_overlay(LabelledFrame(image, labels), caption=name, style=style) for name, labels in told])
    width, height = rows[0][0].size
    sheet = Pillow.new("RGB", (3 * width + 8, len(rows) * (height + 4) - 4), (255, 255, 255))
    for down, row in enumerate(rows):
        for across, picture in enumerate(row):
            sheet.paste(picture, (across * (width + 4), down * (height + 4)))
    sheet.save(path)


if __name__ == "__main__":
    main()
