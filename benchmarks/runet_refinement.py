"""What the second U-Net of a trained RU-Net adds to the first, and how much `dilation` and `shift` matter.

    python -m benchmarks.runet_refinement --run runs/camus-runet --data PATH --out runs/camus-runet/refinement

Both outputs are scored on the testing part of the run's split (or another, `--part`), after the recipe's
post-processing, as table III of the paper does: outliers, Dice, distances, with the test of each difference by
patients. Then the same weights are asked with other dilations and thresholds. That is a sensitivity in use: nothing
is trained again, so it says less than the paper, whose two settings were trained apart. Written are output1.json,
output2.json, sensitivity.json, refinement.md.

Source: Leclerc et al. 2019, IEEE International Ultrasonics Symposium, p. 1160.
"""

import argparse
import copy
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from torch import Tensor, nn

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import Split, read_split
from cardiotrace.evaluation import CaseTable, compare
from cardiotrace.evaluation.compare import holm
from cardiotrace.evaluation.evaluate import evaluate_predictor
from cardiotrace.evaluation.limits import OutlierLimits, combined, preset
from cardiotrace.evaluation.outlier import fit_limits, verdicts
from cardiotrace.evaluation.table import Rows, table_to_json, to_text
from cardiotrace.inference.predictor import Predictor
from cardiotrace.io import write_json, write_text
from cardiotrace.learning.models.runet import RUNet
from cardiotrace.learning.predict import TorchEngine
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.learning.training.run import trained_model
from cardiotrace.workflows.export import describe
from cardiotrace.workflows.services.dataset import cases_of, open_dataset

Part = Literal["testing", "validation"]
REGIONS = ("LV", "LV_EPI")
SCORES = ("dice", "mean_absolute_mm", "hausdorff_mm")
DILS = (1, 5, 11, 21, 30)
SHIFTS = (0.3, 0.5, 0.7, 0.9)
PUBLISHED: Rows = [
    {
        "output": f"{output} as published",
        "images": 2000,
        "geometrical outliers": geometrical,
        "anatomical outliers": anatomical,
        "LV mean_absolute_mm": endo[0],
        "LV hausdorff_mm": endo[1],
        "LV_EPI mean_absolute_mm": epi[0],
        "LV_EPI hausdorff_mm": epi[1],
    }
    for output, geometrical, anatomical, endo, epi in (
        ("first", "403 (20 %)", "116 (5.8 %)", ("1.8 ± 1.2", "5.9 ± 3.6"), ("2.0 ± 1.1", "6.5 ± 3.9")),
        ("final", "306 (15 %)", "33 (1.7 %)", ("1.7 ± 1.0", "5.6 ± 3.3"), ("1.9 ± 1.1", "6.0 ± 4.1")),
    )
]
"""Table III: dilation 30, shift 0.7, ten folds, both views, no post-processing is spoken of, no Dice is given."""


@dataclass(frozen=True)
class Trained:
    """A finished RU-Net and what it is asked about."""

    network: RUNet
    predict: Callable[[nn.Module], Predictor]
    """Puts a network in the place of the trained one."""
    training: list[Case]
    asked: list[Case]

    def scored(self, network: nn.Module) -> CaseTable:
        """The part that was asked for, segmented by a network, without the left atrium, which the paper leaves out."""
        return evaluate_predictor(self.predict(network), self.asked).where(lambda row: row.region in REGIONS)


class Remembered(nn.Module):
    """A network that is asked about the same images again and again; it answers each but once."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        self._answers: dict[bytes, Tensor] = {}

    def forward(self, images: Tensor) -> Tensor:
        key = images.numpy().tobytes()
        if key not in self._answers:
            self._answers[key] = self.network(images)
        return self._answers[key]


def main(arguments: Sequence[str] | None = None) -> None:
    """Score both outputs, then the grid; print and write the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.runet_refinement",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run of the architecture runet")
    parser.add_argument("--data", type=Path, help="the data set; by default below CARDIOTRACE_DATA")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", choices=("testing", "validation"), default="testing", help="of the run's split")
    parser.add_argument("--dils", type=int, nargs="*", default=DILS, help="dilations to ask with, pixels")
    parser.add_argument("--shifts", type=float, nargs="*", default=SHIFTS, help="first thresholds to ask with")
    options = parser.parse_args(arguments)
    trained = read_trained(RunFolder(options.run), options.data, part=options.part)
    options.out.mkdir(parents=True, exist_ok=True)
    limits = limits_of(trained.training)
    outputs = {"first": trained.scored(trained.network.stages[0]), "final": trained.scored(trained.network)}
    for number, table in enumerate(outputs.values(), start=1):
        write_text(options.out / f"output{number}.json", table_to_json(table))
    parts = [refinement_text(outputs, limits)]
    print(parts[0], flush=True)
    grid = sensitivity(trained, limits, options.dils, options.shifts)
    write_json(options.out / "sensitivity.json", grid)
    parts.append("Other `dilation` and `shift` in use, not trained again:\n\n" + to_text(grid, "markdown"))
    print(parts[1], flush=True)
    write_text(options.out / "refinement.md", "\n".join(parts))


def read_trained(folder: RunFolder, data: Path | None, *, part: Part = "testing") -> Trained:
    """A run with its network, its first U-Net remembering its answers, and the cases of its split.

    Args:
        folder: of the run.
        data: the data set; None takes the one below CARDIOTRACE_DATA.
        part: of the split to score.

    Raises:
        InputError: the run is of another architecture or has nobody to test on.
    """
    recipe = read_recipe(folder.recipe)
    if recipe.architecture.name != "runet":
        raise InputError(f"is a run of {recipe.architecture.name}, not of runet", where=folder.path)
    dataset: Dataset = open_dataset(recipe.data.dataset, data)
    split: Split = read_split(folder.split)
    asked: Sequence[str] = getattr(split, part)
    if not asked:
        raise InputError(
            f"the split of this run has no {part} part",
            where=folder.split,
            remedy="train on a fold, or ask for another.",
        )
    channels = recipe.preprocessing.channels(dataset.channels)
    network = cast(RUNet, trained_model(recipe, folder, channels=channels, classes=dataset.scheme.class_count))
    network.stages[0] = Remembered(network.stages[0])
    # What runs is the network itself: the description needs no file behind it.
    spec = describe(recipe, dataset, split, folder)
    return Trained(
        network,
        lambda asked: Predictor(spec, TorchEngine(asked)),
        cases_of(dataset, split.training),
        cases_of(dataset, asked),
    )


def asked_with(network: RUNet, *, dilation: int, shift: float) -> RUNet:
    """The same weights with another dilation and first threshold."""
    other = copy.copy(network)
    other.config = replace(network.config, dilation=dilation, shift=shift)
    other.sides = (dilation, *network.sides[1:])
    return other


def limits_of(cases: Sequence[Case]) -> OutlierLimits:
    """The paper's distances, and the least simplicity and convexity of each region over reference labels."""
    return combined([preset("leclerc-2019"), fit_limits(cases)]).of_regions(REGIONS)


def outliers(table: CaseTable, limits: OutlierLimits) -> dict[tuple[str, int], tuple[bool, bool]]:
    """Of each frame, whether an outline is too far from the reference, and whether it has a shape of no reference."""
    return {
        (found.row.case, found.row.frame): (bool(found.geometrical), bool(found.anatomical))
        for found in verdicts(table, limits)
    }


def refinement_text(outputs: Mapping[str, CaseTable], limits: OutlierLimits) -> str:
    """Table III beside the published one, the tests of the differences, and the limits, as Markdown."""
    rows = [{"output": name, **_row(table, limits)} for name, table in outputs.items()]
    least = [{"region": name, **vars(limit)} for name, limit in limits.shapes.items()]
    return "\n".join(
        [
            to_text([*rows, *PUBLISHED], "markdown"),
            "Differences, by patient:\n",
            to_text(_differences(outputs), "markdown"),
            "Frames that are outliers in one output only:\n",
            to_text(_exchanged(*(outliers(table, limits) for table in outputs.values())), "markdown"),
            "Least shapes of the training references:\n",
            to_text(least, "markdown"),
        ]
    )


def sensitivity(trained: Trained, limits: OutlierLimits, dils: Sequence[int], shifts: Sequence[float]) -> Rows:
    """Dice and outliers with each dilation and threshold; the pair that was trained with is marked."""
    config = trained.network.config
    rows: Rows = []
    for dilation, shift in itertools.product(dils, shifts):
        table = trained.scored(asked_with(trained.network, dilation=dilation, shift=shift))
        is_trained = (dilation, shift) == (config.dilation, config.shift)
        rows.append(
            {
                "dilation": dilation,
                "shift": shift,
                "trained with": "yes" if is_trained else "",
                **{f"{region} dice": _mean_dice(table, region) for region in REGIONS},
                **_counts(table, limits),
            }
        )
    return rows


def _row(table: CaseTable, limits: OutlierLimits) -> dict[str, Any]:
    """One line of table III."""
    cells = {
        f"{item.region} {item.score}": f"{item.summary.mean:.3f} ± {item.summary.sd:.3f}"
        if item.score == "dice"
        else f"{item.summary.mean:.2f} ± {item.summary.sd:.2f}"
        for item in table.summaries(scores=SCORES)
    }
    return {**_counts(table, limits), **cells}


def _counts(table: CaseTable, limits: OutlierLimits) -> dict[str, Any]:
    found = list(outliers(table, limits).values())
    geometrical, anatomical = (sum(pair[kind] for pair in found) for kind in (0, 1))
    return {
        "images": len(found),
        "geometrical outliers": f"{geometrical} ({100 * geometrical / len(found):.1f} %)",
        "anatomical outliers": f"{anatomical} ({100 * anatomical / len(found):.1f} %)",
    }


def _mean_dice(table: CaseTable, region: str) -> float:
    return float(np.mean([row.score("dice") for row in table.rows if row.region == region]))


def _differences(outputs: Mapping[str, CaseTable]) -> Rows:
    """Final minus first, Wilcoxon's test over patients, Holm's correction over all of them."""
    backwards = dict(reversed(list(outputs.items())))
    made = [item for score in SCORES for item in compare(backwards, score=score, regions=REGIONS)]
    corrected = holm([item.p_value for item in made])
    return [
        {
            "region": item.region,
            "score": item.score,
            "patients": item.count,
            f"{item.first} - {item.second}": item.mean_difference,
            "p": item.p_value,
            "p, Holm": p_holm,
        }
        for item, p_holm in zip(made, corrected, strict=True)
    ]


def _exchanged(
    first: Mapping[tuple[str, int], tuple[bool, bool]], final: Mapping[tuple[str, int], tuple[bool, bool]]
) -> Rows:
    """How many outliers the second U-Net mended and made, with the exact test that it is as likely to do either."""
    from scipy.stats import binomtest

    rows: Rows = []
    for kind, name in enumerate(("geometrical", "anatomical")):
        mended = sum(first[key][kind] and not final[key][kind] for key in first)
        made = sum(final[key][kind] and not first[key][kind] for key in first)
        p = float(binomtest(mended, mended + made).pvalue) if mended + made else 1.0
        rows.append({"outliers": name, "mended": mended, "made": made, "p (McNemar, exact)": p})
    return rows


if __name__ == "__main__":
    main()
