"""How sure a model's numbers are, from the held-out patients of a cross-validation."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import numpy as np

from cardiotrace.clinical.intervals.calibration import ErrorCalibration, IntervalCalibration
from cardiotrace.clinical.intervals.conformal import fewest_cases
from cardiotrace.core.errors import InputError, UsageError
from cardiotrace.core.exam import Case
from cardiotrace.core.progress import counted
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.core.text import some
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.split import read_split
from cardiotrace.evaluation.interval_fit import (
    CalibrationCase,
    Coverage,
    Referral,
    What,
    chosen,
    coverage,
    fitted,
    held_out_spreads,
    referral,
)
from cardiotrace.evaluation.out_of_fold import CALIBRATED, OutOfFold, PixelSample, phase_correlation, predicted_patient
from cardiotrace.inference.model_file import Model, read_spec, seal
from cardiotrace.inference.predictor import Predictor, open_predictor
from cardiotrace.inference.zoo import load_model
from cardiotrace.learning.training.folder import RunFolder
from cardiotrace.learning.training.recipe import read_recipe
from cardiotrace.metrics.reliability import Reliability, best_temperature, tempered
from cardiotrace.workflows.configs import CalibrateConfig
from cardiotrace.workflows.services.dataset import OFFICIAL, cases_of, open_dataset
from cardiotrace.workflows.services.figure_folder import figures_in, require_ours
from cardiotrace.workflows.services.model_place import require_model_place, write_model


@dataclass(frozen=True)
class CalibratedQuantity:
    """One quantity: its calibration, and what re-splits by patient say of it."""

    calibration: ErrorCalibration
    signs: str
    """What the width follows."""
    found: Coverage
    mean_absolute_error: float
    """Of the measured value, in its unit."""
    referral: Referral


@dataclass(frozen=True)
class Pixels:
    """Reliability of probabilities, before and after scaling by a temperature that other patients chose."""

    before: Reliability
    after: Reliability


@dataclass(frozen=True)
class Calibrated:
    """What came out."""

    patients: int
    folds: int
    quantities: tuple[CalibratedQuantity, ...]
    refused: tuple[str, ...]
    """Quantities without a calibration, each with the reason."""
    temperature: float
    whole: Pixels
    """Of all of the images."""
    band: Pixels
    """At borders of the references."""
    correlation: float
    """Of displacements of the outline at end-diastole and end-systole."""
    out: Path | None = None
    """The calibrated model."""


def calibrate(config: CalibrateConfig, reporter: ProgressReporter = SILENT) -> Calibrated:
    """Label the testing part of every fold with the fold's own model; count how far truths lie from what is measured.

    Raises:
        InputError: no fold is finished, too few patients are held out, or the data cannot be used.
        UsageError: a fold tests patients that it learned from, the models do not fit, or another file lies in the
            place of the result.
        WorkError: nothing can be written.
    """
    if config.out is not None:
        require_model_place(config.out)
    if config.plots is not None:
        require_ours(config.plots, option="--plots")
    model = load_model(config.model)
    model.spec.require_labels()
    folds = finished_folds(config.run)
    is_same_network = _is_same_network(folds[0], model)
    dataset = open_dataset(read_recipe(folds[0].recipe).data.dataset, config.data)
    held_out = held_out_patients(folds, None if config.all_patients else _kept_apart(dataset))
    if config.part:
        own = patients_of_part(dataset, config.part)
        held_out = {fold: [name for name in names if name in own] for fold, names in held_out.items()}
    total = sum(map(len, held_out.values()))
    if total < fewest_cases(config.coverage):
        raise InputError(
            f"{total} held-out patients are too few for intervals that cover {config.coverage:.0%}:"
            f" {fewest_cases(config.coverage)} are needed",
            where=config.run,
            remedy="let more folds be finished, or ask for less with --coverage.",
        )
    patients = [
        patient
        for fold, names in held_out.items()
        for patient in _predicted(fold, names, dataset, model, config, reporter)
    ]
    with reporter.stage("fitting"):
        found = _calibrated(patients, config, is_same_network=is_same_network)
    found = replace(found, folds=len(folds))
    if config.out is not None:
        write_model(config.out, _sealed(model, found, config, dataset, is_same_network=is_same_network), reporter)
        found = replace(found, out=config.out)
    if config.plots is not None:
        _draw(found, config.plots)
    return found


def finished_folds(folder: Path) -> list[RunFolder]:
    """The folds of a cross-validation that have a model, in order of their numbers.

    Raises:
        InputError: there are none.
    """
    paths = sorted(folder.glob("fold-[0-9]*"), key=lambda path: (len(path.name), path.name))
    finished = [run for path in paths if (run := RunFolder(path)).model.exists() and run.split.exists()]
    if not finished:
        raise InputError(
            "holds no finished fold", where=folder, remedy="run `cardiotrace crossval` first, with this as its --out."
        )
    return finished


def held_out_patients(folds: Sequence[RunFolder], kept_apart: set[str] | None = None) -> dict[RunFolder, list[str]]:
    """The patients of each fold whom its model never saw.

    Args:
        folds: of a cross-validation.
        kept_apart: patients who are not to be used; None for nobody.

    Raises:
        InputError: a split leaks a patient from training into testing.
        UsageError: a model is of another fold than its folder, or two folds test the same patient.
    """
    found: dict[RunFolder, list[str]] = {}
    seen: set[str] = set()
    for fold in folds:
        split = read_split(fold.split)
        # A split that leaks is refused where it is read. Patients that it tests are strangers to a model only if the
        # model was made with it.
        made = read_spec(fold.model).training.fold
        if made is not None and made != _number(fold):
            raise UsageError(
                f"its model was trained as fold {made}: it may have learned from the patients that are tested here",
                where=fold.path,
                remedy="put each model back into the folder that it was trained in.",
            )
        if twice := sorted(seen & {*split.testing}):
            raise UsageError(
                f"another fold tests {some(twice)}, too: one patient would count twice",
                where=fold.path,
                remedy="give the folder of one cross-validation.",
            )
        seen.update(split.testing)
        found[fold] = [name for name in split.testing if name not in (kept_apart or ())]
    return found


def patients_of_part(dataset: Dataset, part: str) -> set[str]:
    """The patients of one of the data sets that a joined one is made of.

    Raises:
        InputError: none of its patients is of it.
    """
    names: dict[str, set[str]] = {}
    for case in dataset.cases():
        names.setdefault(case.groups.get("dataset", dataset.name), set()).add(case.patient)
    if part not in names:
        raise InputError(f"{dataset.name} has no part {part!r}", remedy=f"give one of {', '.join(sorted(names))}.")
    return names[part]


def _number(fold: RunFolder) -> int:
    return int(fold.path.name.removeprefix("fold-"))


def _kept_apart(dataset: Dataset) -> set[str]:
    """Patients whom the published split keeps for validation and testing: a calibration is held against them."""
    official = dataset.splits().get(OFFICIAL)
    return set() if official is None else {*official.validation, *official.testing}


def _predicted(
    fold: RunFolder,
    names: Sequence[str],
    dataset: Dataset,
    model: Model,
    config: CalibrateConfig,
    reporter: ProgressReporter,
) -> Iterator[OutOfFold]:
    """The patients of a fold, one by one."""
    predictor = open_predictor(fold.model)
    _require_alike(predictor, model, fold)
    cases = [case for case in cases_of(dataset, names) if case.read_labels is not None]

    def patient_of(case: Case) -> str:
        return case.patient

    with reporter.stage(f"labelling the testing part of {fold.path.name}") as on_progress:
        grouped = [list(group) for _, group in groupby(sorted(cases, key=patient_of), key=patient_of)]
        for group in counted(grouped, on_progress):
            augmented = config.test_time_augmentation
            yield predicted_patient(predictor, group, fold=_number(fold), test_time_augmentation=augmented)


def _require_alike(predictor: Predictor, model: Model, fold: RunFolder) -> None:
    """Refuse to tell of a model what was found of networks that label something else."""
    own, other = predictor.spec, model.spec
    if own.scheme.values != other.scheme.values or not set(own.views) & set(other.views):
        raise UsageError(
            f"its model labels other structures or views than {other.name}",
            where=fold.path,
            remedy="calibrate a model with folds of its own recipe.",
        )


def _is_same_network(fold: RunFolder, model: Model) -> bool:
    """Whether a model is made as those of the folds are, so that their probabilities mean the same."""
    own, other = read_spec(fold.model), model.spec
    return (own.architecture, own.preprocessing.choices) == (other.architecture, other.preprocessing.choices)


def _calibrated(patients: Sequence[OutOfFold], config: CalibrateConfig, *, is_same_network: bool) -> Calibrated:
    correlation = phase_correlation(patients)
    quantities, refused = [], []
    for what in _whats(patients, config.coverage):
        cases = [case for patient in patients if (case := patient.case(what, correlation)) is not None]
        try:
            quantities.append(_quantity(cases, what, config.resplits, is_same_network=is_same_network))
        except InputError as error:
            refused.append(f"{what.quantity}, {what.view}, {what.error}: {error.what}")
    band = PixelSample.together(patient.band for patient in patients)
    return Calibrated(
        len(patients),
        0,
        tuple(quantities),
        tuple(refused),
        round(best_temperature(band.probabilities, band.labels), 3),
        _reliability(patients, lambda patient: patient.whole),
        _reliability(patients, lambda patient: patient.band),
        correlation,
    )


def _whats(patients: Sequence[OutOfFold], share: float) -> list[What]:
    """Everything that any patient has a truth for, in the order of `CALIBRATED`."""
    found = {(place, error): None for item in patients for error, values in item.truths.items() for place in values}
    ordered = sorted(found, key=lambda pair: (CALIBRATED.index(pair[0][0]), pair[0][1], pair[1]))
    return [What(*place, error, share) for place, error in ordered]


def _quantity(
    cases: Sequence[CalibrationCase], what: What, resplits: int, *, is_same_network: bool
) -> CalibratedQuantity:
    errors = np.array([case.truth - case.measured for case in cases])
    if len(cases) * 2 // 3 < fewest_cases(what.share):
        fewest = -(-fewest_cases(what.share) * 3 // 2)
        raise InputError(f"{len(cases)} patients are too few: {fewest} are needed to calibrate and to look")
    # A tenth of them tells choices apart, as all of these are judged on the same parts.
    signs = chosen(cases, what, resplits=max(1, resplits // 10), is_same_network=is_same_network)
    found = coverage(cases, what, signs, resplits=resplits)
    calibration = fitted(cases, what, signs)
    return CalibratedQuantity(
        replace(calibration, covered=round(found.covered, 4), width=round(found.width, 3)),
        signs.name,
        found,
        float(np.abs(errors).mean()),
        referral(errors, held_out_spreads(cases, what, signs)),
    )


def _reliability(patients: Sequence[OutOfFold], of: Callable[[OutOfFold], PixelSample]) -> Pixels:
    """Before and after scaling; the temperature of each part is chosen on the others."""
    # Of a single fold its patients are parted, so that nobody is scaled by himself.
    parts: dict[int, list[OutOfFold]] = {}
    several = len({patient.fold for patient in patients}) > 1
    for number, patient in enumerate(patients):
        parts.setdefault(patient.fold if several else number % 2, []).append(patient)
    before: list[Reliability] = []
    after: list[Reliability] = []
    for part, own in parts.items():
        others = PixelSample.together(item.band for key, items in parts.items() if key != part for item in items)
        temperature = best_temperature(others.probabilities, others.labels)
        pixels = PixelSample.together(map(of, own))
        before.append(_counted(pixels, 1.0))
        after.append(_counted(pixels, temperature))
    return Pixels(sum(before[1:], before[0]), sum(after[1:], after[0]))


def _counted(pixels: PixelSample, temperature: float) -> Reliability:
    said = tempered(pixels.probabilities, temperature)
    return Reliability.of(said.max(axis=0), said.argmax(axis=0) == pixels.labels)


def _sealed(
    model: Model, found: Calibrated, config: CalibrateConfig, dataset: Dataset, *, is_same_network: bool
) -> bytes:
    """The model's file with what was found in its description."""
    recipe = read_recipe(finished_folds(config.run)[0].recipe)
    basis = (
        f"{found.patients} patients of {config.part or dataset.name} held out of {found.folds} folds of {recipe.name}"
        f" ({_sizes(recipe.preprocessing.choices)})"
    )
    if not is_same_network:
        basis += ", other networks than this one: its own errors may be smaller or larger"
    intervals = IntervalCalibration(
        tuple(each.calibration for each in found.quantities), found.correlation, config.test_time_augmentation, basis
    )
    # A threshold is a decision on probabilities as they are: those stay what it was chosen on.
    # Another network has a temperature of its own.
    is_kept = model.spec.calibration.threshold is None and is_same_network
    temperature = found.temperature if is_kept else 1.0
    calibration = replace(model.spec.calibration, intervals=intervals, temperature=temperature)
    return seal(model.content, replace(model.spec, calibration=calibration))


def _sizes(choices: Sequence[object]) -> str:
    """How large the images were, where the recipe says it."""
    for choice in choices:
        options: Mapping[str, object] = getattr(choice, "options", {})
        if {"height", "width"} <= options.keys():
            return f"{options['height']} x {options['width']}"
    return "images as they are"


def _draw(found: Calibrated, folder: Path) -> None:
    from cardiotrace.report.reliability import draw_referral, draw_reliability

    with figures_in(folder, option="--plots") as place:
        pixels = {"all pixels": found.whole, "at borders": found.band}
        draw_reliability({name: (each.before, each.after) for name, each in pixels.items()}, place / "reliability.png")
        curves = {
            each.calibration.error.value: each.referral
            for each in found.quantities
            if each.calibration.quantity == CALIBRATED[0]
        }
        if curves:
            draw_referral(
                {name: (curve.referred, curve.error) for name, curve in curves.items()}, place / "referral.png"
            )
