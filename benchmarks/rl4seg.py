r"""What RL4Seg is worth on fresh phantoms of the target: its policy after each iteration, and the judge's word for it.

    cardiotrace adapt rl4seg recipes/rl4seg-phantom.toml --out RUN
    python -m benchmarks.rl4seg RUN [--patients 40] [--seed 901] [--cache FOLDER] [--picture FILE]

Iteration 0 is source only. Every policy answers the same phantoms of the target's vendor, of a seed that no training
has seen; scores are those on the network's grid, without post-processing and after mending (stray pixels and holes).
Differences to source only with intervals of a bootstrap over patients. Of the last policy, how far the judge's expected
errors go with true ones. Times are those of the run's own logs. A run may still go on: what is finished is shown.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from cardiotrace.clinical.anatomy.criterion import Axis
from cardiotrace.clinical.anatomy.limits import preset
from cardiotrace.core.catalog import Choice
from cardiotrace.core.terms import Structure
from cardiotrace.datasets.catalog import DATASETS
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.learning.predict import predict_planes
from cardiotrace.learning.rl4seg.answer import Anatomy
from cardiotrace.learning.rl4seg.iteration import IterationFolder
from cardiotrace.learning.rl4seg.reward_network import Judge
from cardiotrace.learning.rl4seg.stage import make_reward_network
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import Recipe, read_recipe
from cardiotrace.learning.training.run import trained_model
from cardiotrace.learning.training.training_log import TrainingLog
from cardiotrace.learning.training.weights import load_weights
from cardiotrace.metrics import bootstrap_interval, dice, surface_distances
from cardiotrace.workflows.services.dataset import SamplePlan, pack

REGIONS = ("LV", "LV_EPI", "LA")
HEADS = ("Dice", "HD mm", "valid %")


@dataclass(frozen=True)
class Fresh:
    """Phantoms of the target."""

    packed: PackedDataset
    anatomy: Anatomy

    @property
    def patients(self) -> list[str]:
        """Of each plane."""
        return [sample.patient for sample in self.packed.samples]

    def masks(self, classes: np.ndarray) -> list[np.ndarray]:
        """Of `REGIONS`."""
        names = self.anatomy.scheme.structures
        lv, myo, la = (classes == names.index(name) + 1 for name in (Structure.LV, Structure.MYO, Structure.LA))
        return [lv, lv | myo, la]


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rl4seg", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a run of `adapt rl4seg`")
    parser.add_argument("--patients", type=int, default=40)
    parser.add_argument("--seed", type=int, default=901)
    parser.add_argument("--cache", type=Path, help="folder of packed data")
    parser.add_argument("--picture", type=Path, help="writes reference, before and after of three frames")
    options = parser.parse_args()
    folder = RunFolder(options.run)
    recipe = read_recipe(folder.recipe)
    fresh = fresh_targets(recipe, options.patients, options.seed, options.cache)
    numbers = [number for number in range(100) if IterationFolder.of(folder, number).manifest.exists()]
    answers = {number: answers_of(recipe, folder, number, fresh) for number in numbers}
    print(f"{options.patients} phantoms, {len(fresh.packed)} planes, seed {options.seed}\n")
    print_scores({number: scored(fresh, found) for number, found in answers.items()}, fresh.patients)
    mended = {number: np.stack([fresh.anatomy.mended(one) for one in found]) for number, found in answers.items()}
    print("\nmended")
    print_scores({number: scored(fresh, found) for number, found in mended.items()}, fresh.patients)
    if numbers[-1]:
        print_judged(recipe, folder, numbers[-1], fresh, answers[numbers[-1]])
    print_times(folder, numbers)
    if options.picture is not None:
        save_picture(options.picture, fresh, answers[0], answers[numbers[-1]])


def fresh_targets(recipe: Recipe, patients: int, seed: int, cache: Path | None) -> Fresh:
    """Phantoms as the run learned from, of the target's vendor alone and of another seed."""
    assert recipe.adaptation is not None
    chosen = recipe.data.dataset
    changed = {"count": patients, "seed": seed, "vendors": [recipe.adaptation.targets[0]]}
    dataset = DATASETS.make(Choice(chosen.name, {**chosen.options, **changed}), Path())
    packed = pack(dataset, SamplePlan(recipe.preprocessing, recipe.axes), cache=cache)
    return Fresh(packed, Anatomy(dataset.scheme, Axis.LONG, preset("published"), is_upright=True))


def answers_of(recipe: Recipe, folder: RunFolder, number: int, fresh: Fresh) -> np.ndarray:
    """What the policy of an iteration says of each plane; of one that was stopped what was kept."""
    kept = max(each for each in range(number + 1) if IterationFolder.of(folder, each).policy.best.exists())
    run = IterationFolder.of(folder, kept).policy
    network = trained_model(
        read_recipe(run.recipe), run, channels=fresh.packed.images.shape[1], classes=fresh.anatomy.scheme.class_count
    )
    everything = np.arange(len(fresh.packed))
    return predict_planes(network, fresh.packed, everything, recipe.preprocessing)


def scored(fresh: Fresh, answers: np.ndarray) -> np.ndarray:
    """(planes, Dice of `REGIONS`, then distances of them, then validity in percent)."""
    rows = []
    for sample, reference, answer in zip(fresh.packed.samples, fresh.packed.labels, answers, strict=True):
        pairs = list(zip(fresh.masks(answer), fresh.masks(np.asarray(reference)), strict=True))
        distances = [surface_distances(*pair, spacing_mm=sample.pixel_mm).hausdorff_mm for pair in pairs]
        valid = fresh.anatomy.is_valid(answer, (sample.pixel_mm[0], sample.pixel_mm[1]))
        rows.append([*(dice(*pair) for pair in pairs), *distances, 100.0 * valid])
    return np.array(rows)


def print_scores(rows: dict[int, np.ndarray], patients: Sequence[str]) -> None:
    """Each iteration, and what it differs by from source only; a structure that is missed has no distance."""
    print("| iteration | " + " | ".join([*(f"Dice {name}" for name in REGIONS), *HEADS, "missed"]) + " |")
    means = {number: headline(found) for number, found in rows.items()}
    for number, found in rows.items():
        missed = int(np.isinf(found[:, 3:6]).sum())
        told = [*found[:, :3].mean(axis=0), *np.nanmean(means[number], axis=0)]
        print(f"| {number} | " + " | ".join([*(f"{value:.3f}" for value in told), str(missed)]) + " |")
    for number in list(rows)[1:]:
        difference = means[number] - means[0]
        told = []
        for place, head in enumerate(HEADS):
            low, high = interval(difference[:, place], patients)
            told.append(f"{head} {np.nanmean(difference[:, place]):+.3f} ({low:+.3f} to {high:+.3f})")
        print(f"iteration {number} less source only: " + ", ".join(told))


def headline(rows: np.ndarray) -> np.ndarray:
    """(planes, `HEADS`)."""
    distances = np.where(np.isinf(rows[:, 3:6]), np.nan, rows[:, 3:6])
    return np.stack([rows[:, :3].mean(axis=1), distances.mean(axis=1), rows[:, 6]], axis=1)


def interval(difference: np.ndarray, patients: Sequence[str]) -> tuple[float, float]:
    """95 % interval of a mean, patients drawn with replacement."""
    known = np.isfinite(difference)
    names = np.array(patients)[known]
    rows = [difference[known][names == name] for name in sorted(set(names.tolist()))]
    return bootstrap_interval([row.mean() for row in rows], weights=[len(row) for row in rows])


def print_judged(recipe: Recipe, folder: RunFolder, number: int, fresh: Fresh, answers: np.ndarray) -> None:
    """How far expected errors go with true ones, on the last policy."""
    place = IterationFolder.of(folder, number)
    done = place.read()
    assert done is not None
    channels = fresh.packed.images.shape[1]
    network = make_reward_network(recipe, channels=channels, classes=fresh.anatomy.scheme.class_count)
    load_weights(network, place.reward.best)
    images = torch.from_numpy(recipe.preprocessing.normalise(fresh.packed.unit_images(np.arange(len(answers)))))
    outlines = torch.from_numpy(answers.astype(np.int64))
    chunks = zip(images.split(8), outlines.split(8), strict=True)
    error = 1 - torch.cat([Judge(network, done.temperature).rewards(*some) for some in chunks]).numpy()
    wrong = answers != fresh.packed.labels
    labelled = (answers > 0).sum(axis=(1, 2)).clip(min=1)
    expected, true = error.sum(axis=(1, 2)) / labelled, wrong.sum(axis=(1, 2)) / labelled
    correlation = float(np.corrcoef(expected, true)[0, 1])
    print(f"\njudge on iteration {number}: share of the labelled pixels that it expects to be wrong", end=" ")
    print(f"{expected.mean():.3f}, that is {true.mean():.3f}; correlation over planes {correlation:.2f}")
    print(f"  mean of what it expects where wrong {error[wrong].mean():.2f}, where right {error[~wrong].mean():.4f}")


def print_times(folder: RunFolder, numbers: Sequence[int]) -> None:
    """Seconds of an epoch."""
    print("\nseconds an epoch, median")
    for number in numbers:
        for name in ("reward", "policy"):
            log: RunFolder = getattr(IterationFolder.of(folder, number), name)
            rows = TrainingLog(log.journal).rows() if log.journal.exists() else []
            if rows:
                seconds = np.median([row["seconds"] for row in rows])
                print(f"  iteration {number} {name}: {seconds:.1f} ({len(rows)} epochs)")


def save_picture(path: Path, fresh: Fresh, before: np.ndarray, after: np.ndarray) -> None:
    """Reference, source only and adapted of the planes that gained most, as much as most, and least."""
    from PIL import Image as Pillow

    from cardiotrace.core.geometry import NO_GEOMETRY
    from cardiotrace.core.image import Image
    from cardiotrace.core.label import LabelMap
    from cardiotrace.report.framing import LabelledFrame
    from cardiotrace.report.overlay import OverlayStyle, draw_overlay

    gains = scored(fresh, after)[:, :3].mean(axis=1) - scored(fresh, before)[:, :3].mean(axis=1)
    order = np.argsort(gains)
    style = OverlayStyle(width=320, height=320, has_legend=False, has_scale=False)
    side = style.width + 4
    sheet = Pillow.new("RGB", (3 * side - 4, 3 * side - 4), (255, 255, 255))
    for down, index in enumerate((order[-1], order[len(order) // 2], order[0])):
        image = Image(np.asarray(fresh.packed.images[index])[None], NO_GEOMETRY)
        told = (("reference", fresh.packed.labels[index]), ("source only", before[index]), ("RL4Seg", after[index]))
        for across, (name, classes) in enumerate(told):
            values = fresh.anatomy.values(np.asarray(classes))[None, None]
            shown = LabelledFrame(image, LabelMap(values, fresh.anatomy.scheme, NO_GEOMETRY))
            sheet.paste(draw_overlay(shown, caption=name, style=style), (across * side, down * side))
    sheet.save(path)


if __name__ == "__main__":
    main()
