"""What a model file says of itself, as a page of Markdown."""

import json
import math
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cardiotrace.clinical.quantity import present_key
from cardiotrace.core.errors import ModelFileError
from cardiotrace.core.number import digits_of, fixed, mean_and_sd
from cardiotrace.core.terms import view_name
from cardiotrace.core.text import markdown_cell
from cardiotrace.datasets.split import fold_seed
from cardiotrace.inference.spec import ModelSpec, TrainingSpec, view_names
from cardiotrace.metrics import short_name

_COLUMNS = (
    "dice", "jaccard", "roc_auc", "recall", "specificity", "accuracy", "cldice", "hausdorff_mm", "mean_absolute_mm",
)  # fmt: skip
"""Scores that a card tells, in order."""
_AGREEMENT = {"correlation": 3, "bias": 1, "sd": 1, "mean_absolute_error": 1}
"""Numbers of agreement and their digits."""
_COUNTS = {"missed": "false negative", "false_negative": "false negative", "false_positive": "false positive"}
"""Words for counts; older model files say "missed", the oldest of false positives too."""
KEPT_APART, LOOKED_AT = "kept_apart", "looked_at"
"""Keys of a model's scores on patients who took no part in training, nor in any choice, or who were looked at for
choices: a list of tables, each with "data" in words, "patients" where known, mean "dice" by region, and
"mean_absolute_error" by quantity."""
REDRAWN = "redrawn"
"""Key of what a corrector draws of references."""
NO_VIEW = "no view"
"""What images show that a classifier of views must name nothing of."""
_APART_WORDS = (
    "Measured when the model was finished, on patients who took no part in its training nor in any choice made for it."
    " Expect these numbers on new patients, not those of the validation part."
)
_LOOKED_AT_WORDS = (
    "On patients who took no part in its training, but were looked at while it was made: what it learned from was"
    " mended by what they showed. Expect less on new patients."
)


def model_card(spec: ModelSpec, *, file_name: str = "") -> str:
    """The card of a model: what it is for, how it was made, how well it did, what its licence asks.

    Args:
        spec: the description that travels in the model file.
        file_name: name of the file, for the commands on the card.

    Raises:
        ModelFileError: its scores or recipe are not as this program writes them.
    """
    try:
        return _card(spec, file_name)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise ModelFileError(
            f"the model's scores or recipe are not as expected ({type(error).__name__}: {error})",
            remedy="`cardiotrace models show --json` prints them as they are.",
        ) from None


def _card(spec: ModelSpec, file_name: str) -> str:
    parts = [
        f"# {spec.name}",
        spec.summary,
        _facts(spec),
        *_view_scores(spec.scores.get("views", [])),
        *_scores(spec, file_name or f"{spec.name}.onnx"),
        *_other_patients("patients kept apart", _APART_WORDS, spec.scores.get(KEPT_APART, [])),
        *_other_patients("patients looked at", _LOOKED_AT_WORDS, spec.scores.get(LOOKED_AT, [])),
        *_limits(spec),
        *_expectations(spec),
        *_intervals(spec),
        _use(spec),
        f"## Licence and citation\n\nThe weights learned from data under **{spec.licence}**, and are given under the"
        " same terms. Research software, not a medical device.",
        *([f"> {spec.citation}"] if spec.citation else []),
    ]
    return "\n\n".join(parts) + "\n"


def _facts(spec: ModelSpec) -> str:
    made = spec.training
    rows = {
        "Views": view_names(spec),
        "Named from": _certainty(spec),
        "Structures": ", ".join(f"{name} = {value}" for name, value in spec.scheme.values.items()),
        "Architecture": spec.architecture.name,
        "Input": " then ".join(_step(choice.name, choice.options) for choice in spec.preprocessing.choices),
        f"Neighbouring {spec.neighbours_of}": f"{spec.neighbours} on each side" if spec.neighbours else "",
        "Heart found by": "" if spec.localiser is None else spec.localiser.name,
        "Threshold": "" if spec.calibration.threshold is None else f"{spec.calibration.threshold:.2f}",
        "Post-processing": " then ".join(choice.name for choice in spec.postprocessing.choices) or "none",
        "Learned from": f"{made.data_set}, split {made.split}",
        "Pseudo-labels": made.pseudo_labels,
        "Adapted by": "" if made.adaptation is None else made.adaptation.told(),
        **_origin(made),
        "Random seed": "" if made.seed is None else str(made.seed),
        "Source commit": made.commit,
        "Made with": ", ".join(f"{name} {version}" for name, version in made.versions.items()),
        "Date": spec.created,
    }
    return _table(("", ""), [(name, told) for name, told in rows.items() if told])


def _certainty(spec: ModelSpec) -> str:
    """How sure a classifier must be before it names each view."""
    lowest = ", ".join(f"{each.name} {each.lowest:.2f}" for each in spec.tells_apart)
    return f"these probabilities on: {lowest}" if lowest else ""


def _origin(made: TrainingSpec) -> dict[str, str]:
    """What a model began as; a model without epochs of its own was joined from others."""
    if made.epochs is None:
        return {"Made of": made.started_from}
    keeps_last = made.recipe.get("training", {}).get("keep") == "last"
    why = "the last, as the recipe says" if keeps_last else "the best on the validation part"
    return {"Started from": made.started_from, "Kept": f"epoch {made.epochs}, {why}"}


def _step(name: str, options: Mapping[str, Any]) -> str:
    words = {
        "resize": "resize to {height} x {width}",
        "resample": "resample to {height_mm:g} x {width_mm:g} mm",
        "crop-or-pad": "crop or pad to {height} x {width}",
    }
    around = " around the heart" if options.get("around") == "heart" else ""
    return words.get(name, name).format(**options) + around


def _scores(spec: ModelSpec, file_name: str) -> list[str]:
    measured = (
        "At native resolution, of the exported file itself; the model was chosen on these patients, so expect a"
        f" little less on new ones. {_measured_by(spec, file_name)}"
    )
    members = (
        "At native resolution, of its members, each on patients that it had not seen. The ensemble itself has"
        " learned from all of them."
    )
    testing = "At native resolution, on patients that it has not learned from."
    redrawn = "Dice of references that it had not learned from and what is drawn of their codes, at native resolution."
    parts = (
        ("validation", "the validation part", measured),
        ("members", "the members' testing parts", members),
        ("testing", "the testing part", testing),
        (REDRAWN, "shapes of the validation part", redrawn),
    )
    return [
        text
        for key, place, words in parts
        if key in spec.scores
        for text in (f"## Scores on {place}", words, *_score_tables(spec.scores[key]))
    ]


def _view_scores(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """How often a classifier named the right view, none, or a wrong one."""
    if not rows:
        return []
    groups = (("real images", True), ("phantoms and made images", False))
    words = (
        "Out of fold: a network was asked that had not seen the patient, and was judged at the probability that the"
        " other folds would have chosen. Of images of no view, right is to name none."
    )
    parts = ["## How often it is right", words]
    for name, is_real in groups:
        own = [row for row in rows if row["is_real"] is is_real]
        images, wrong = (sum(row[key] for row in own) for key in ("images", "wrong"))
        if own:
            parts += [
                f"{name.capitalize()}, {images} in all, {wrong} with a wrong view:",
                _table_of([_said(row) for row in own]),
            ]
    return parts


def _said(row: Mapping[str, Any]) -> dict[str, Any]:
    named_nothing = row["images"] - row["wrong"] - (0 if row["shows"] == NO_VIEW else row["right"])
    return {
        "from": row["source"], "show": row["shows"], "patients": row["patients"], "images": row["images"],
        "right": f"{row['right']} ({100 * row['right'] / row['images']:.1f} %)", "nothing named": named_nothing,
        "wrong view": row["wrong"],
    }  # fmt: skip


def _other_patients(whom: str, words: str, found: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the model did on patients beside those that it was chosen on."""
    if not found:
        return []
    regions = dict.fromkeys(region for item in found for region in item["dice"])
    errors = dict.fromkeys(key for item in found for key in item.get("mean_absolute_error", {}))
    rows = [
        {
            "patients of": item["data"],
            "n": item.get("patients", ""),
            **{f"Dice {region}": _number_or_nothing(item["dice"], region, 2) for region in regions},
            **{_error_head(key): _number_or_nothing(item.get("mean_absolute_error", {}), key, 1) for key in errors},
        }
        for item in found
    ]
    return [f"## Scores on {whom}", words, _table_of(rows)]


def _error_head(key: str) -> str:
    name, _, unit = present_key(key).rpartition("_")
    return f"{name.replace('_', ' ')} MAE, {unit}"


def _number_or_nothing(values: Mapping[str, float], key: str, digits: int) -> str:
    return fixed(values[key], digits) if key in values else ""


def _score_tables(scores: Mapping[str, Any]) -> list[str]:
    text = [_region_table(scores["regions"])] if scores["regions"] else []
    ejection = {present_key(key): value for key, value in scores.items()}.get(
        "left_ventricular_ejection_fraction_percent"
    )
    if ejection:
        text.append(
            f"Ejection fraction against the data set's, {ejection['n']} patients, percent: correlation"
            f" {_number(ejection.get('correlation'), 3)}, bias {_number(ejection.get('bias'), 1, signed=True)}, SD"
            f" {_number(ejection.get('sd'), 1)}, mean absolute error {_number(ejection.get('mean_absolute_error'), 1)}."
        )
    return [*text, *_traced(scores.get("against_reference_labels", {})), *_outliers(scores.get("outliers", []))]


def _traced(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Agreement of each quantity with the same measured on the reference labels."""
    if not found:
        return []
    rows = [
        (key.rsplit("_", 1)[0].replace("_", " "), key.rsplit("_", 1)[1], item["n"],
         *(_number(item.get(name), digits) for name, digits in _AGREEMENT.items()))
        for key, item in ((present_key(key), item) for key, item in found.items())
    ]  # fmt: skip
    head = ["against the reference labels", "unit", "n", "correlation", "bias", "SD", "MAE"]
    return [_table(head, rows)]


def _number(value: float | None, digits: int, *, signed: bool = False) -> str:
    """A number of the model file, in which null, or nothing, stands for what is no number."""
    return fixed(math.nan if value is None else value, digits, signed=signed)


def _outliers(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    words = {"phase": "phase", "images": "images", "geometrical": "geometrical outliers", "anatomical": "anatomical"}
    columns = [column for column in (*words, "both") if column in rows[0]]
    cells = [[_counted(row, column) for column in columns] for row in rows]
    return [_table([words.get(column, column) for column in columns], cells)]


def _counted(row: Mapping[str, Any], column: str) -> str:
    share = row.get(f"{column}_percent")
    return str(row[column]) if share is None else f"{row[column]} ({share:.1f} %)"


def _limits(spec: ModelSpec) -> list[str]:
    if not spec.calibration.shape_limits:
        return []
    rows = [
        (region, f"{limit['simplicity']:.3f}", f"{limit['convexity']:.3f}")
        for region, limit in spec.calibration.shape_limits.items()
    ]
    quantile = spec.calibration.shape_quantile
    which = f"The lowest {100 * quantile:g} %" if quantile else "The least"
    return [
        "## Limits of shapes",
        f"{which} of all references of the training and validation parts. A predicted outline below them is counted as"
        " an anatomical outlier.",
        _table(("region", "simplicity", "convexity"), rows),
    ]


def _expectations(spec: ModelSpec) -> list[str]:
    """What the model expects of its labels, and how it tells unlike images."""
    quality, unlike = spec.calibration.quality, spec.calibration.unlikeness
    parts = []
    if quality:
        rows = [
            (name, f"{model.error:.3f}", f"{model.lowest:.2f}", str(model.frames)) for name, model in quality.items()
        ]
        parts += [
            "## Expected agreement with a reader",
            "The Dice that is to be expected of its labels is told with each result, from its probabilities alone. The"
            " error is that on patients who took part neither in its training nor in the regression.",
            _table(("structure", "mean absolute error", "flagged below", "images"), rows),
        ]
    if unlike is not None:
        parts += [
            "## Unlike images",
            "A result is flagged where the image is unlike known ones, by a limit that less than"
            f" {unlike.false_alarms:.0%} of {unlike.frames} images of {unlike.patients} patients exceed that the"
            " network had not learned from.",
        ]
    return parts


def _intervals(spec: ModelSpec) -> list[str]:
    """How far truths lie from its numbers, and what its probabilities are worth."""
    found = spec.calibration.intervals
    if not found.errors:
        return []
    rows = [
        (f"{key.replace('_', ' ')}, {each.view}", unit, each.error.value, each.patients, f"{100 * each.share:g}",
         "" if each.covered is None else f"{100 * each.covered:.1f}", "" if each.width is None else f"{each.width:.1f}")
        for each in found.errors for key, _, unit in (each.quantity.rpartition("_"),)
    ]  # fmt: skip
    sentences = [
        f"Counted on {found.basis}.",
        "Reading error: against the same measured on reference outlines. Whole error: one plane against the value that"
        " the data set states.",
    ]
    if found.with_variants:
        sentences.append("They hold for means over slightly changed versions of each image.")
    sentences += [*_without_interval(spec), *_wider_intervals(spec)]
    if spec.calibration.temperature != 1:
        sentences.append(f"Probabilities are handed out at a temperature of {spec.calibration.temperature:.2f}.")
    head = ["interval of", "unit", "error", "patients", "asked, %", "covered, %", "mean width"]
    return ["## How sure its numbers are", " ".join(sentences), _table(head, rows)]


def _without_interval(spec: ModelSpec) -> Iterator[str]:
    """Views whose numbers have none, though the model traces them."""
    counted = {each.view for each in spec.calibration.intervals.errors}
    left = [name for view in spec.views if (name := view_name(view, spec.modality)) not in counted]
    if left:
        yield (
            f"There is none in {', '.join(left)}, nor of values from several views together such as biplane: no patient"
            " of whom such a truth is known was held out."
        )


def _wider_intervals(spec: ModelSpec) -> Iterator[str]:
    """How they answer images that are unlike usual ones."""
    steps = [each.widening.steps for each in spec.calibration.intervals.errors if each.widening.steps]
    if steps:
        most, farthest = max(own[-1][1] for own in steps), min(own[-1][0] for own in steps)
        yield (
            f"Where an image is unlike usual ones they are up to {most:.1f} times as wide; beyond {farthest:g} times"
            " the limit of unlikeness nobody has counted, and a flag says so."
        )


def _measured_by(spec: ModelSpec, file_name: str) -> str:
    """How to measure the scores again, where a command can say who validated."""
    data = spec.training.recipe.get("data", {})
    if data.get("validation_patients") is not None or data.get("leave_out") is not None:
        return "Measured when it was made: its recipe says how these patients were drawn."
    return f"Measured by\n\n    {_evaluation(spec, file_name)}"


def _evaluation(spec: ModelSpec, file_name: str) -> str:
    """The command that measures the scores again."""
    made = spec.training
    data = made.recipe.get("data", {"dataset": {"name": made.data_set}})
    options = {key: value for key, value in data["dataset"].items() if key != "name"}
    words = ["cardiotrace evaluate", file_name, "PATH", "--dataset", data["dataset"]["name"]]
    words += [shlex.quote(f"--option={key}={_as_toml(value)}") for key, value in options.items()]
    split = data.get("split", "official")
    if split != "official":
        words += ["--split", split]
    if split == "k-fold":
        seed = fold_seed(data.get("seed"), made.recipe.get("seed", 0))
        words += ["--folds", str(data["folds"]), "--fold", str(made.fold or 1), "--fold-seed", str(seed)]
        words += ["--stratify", *data["stratify"]] if data.get("stratify") else []
    elif made.fold is not None:
        words += ["--fold", str(made.fold)]
    return " ".join([*words, "--part validation"])


def _as_toml(value: Any) -> str:
    """A plain value on one line."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {_as_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_as_toml, value)) + "]"
    return json.dumps(value)


def _region_table(regions: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each region and group; the columns are the scores that the model file holds."""
    found = [(region, group, held) for region, groups in regions.items() for group, held in groups.items()]
    known = [held.keys() for *_, held in found]
    scores = [score for score in _COLUMNS if score in set().union(*known)]
    counts = [name for name in _COUNTS if name in set.intersection(*map(set, known))]
    return _table_of(
        [
            {
                "region": region,
                "group": group,
                **{_score_head(score): _mean_and_sd(held, score) for score in scores},
                "n": held["n"],
                **{_COUNTS[name]: held[name] for name in counts},
            }
            for region, group, held in found
        ]
    )


def _score_head(score: str) -> str:
    return short_name(score) + (" mm" if score.endswith("_mm") else "")


def _mean_and_sd(found: Mapping[str, Any], score: str) -> str:
    if score not in found:
        return ""
    return mean_and_sd(found[score]["mean"], found[score].get("sd", math.nan), digits_of(score))


def _use(spec: ModelSpec) -> str:
    if spec.tells_apart:
        return (
            "## Use\n\nIt is asked wherever an exam is read and nothing states the view of an image; `--view` overrules"
            " it, and a report says what was proposed. It labels nothing: as `--model` it is refused."
        )
    if spec.corrects is not None:
        return (
            "## Use\n\n    cardiotrace analyse EXAM --correct auto --out out\n\n"
            f"It knows {spec.corrects.count} valid shapes. Only frames whose labels fail the anatomical criteria"
            f" (`{spec.corrects.limits}`) are changed, and none where the nearest valid labels have a Dice below"
            f" {spec.corrects.lowest_dice:g} with them; a report shows before and after."
            " It sees no images: as `--model` it is refused."
        )
    if not spec.views:  # made to help other models, not to analyse exams
        return (
            f'## Use\n\nIn a recipe, `localiser = "{spec.name}"`, where a step `crop-or-pad` has `around = "heart"`:'
            " the model that is trained so carries it along. It analyses no exam by itself."
        )
    return (
        "## Use\n\n"
        f"    cardiotrace analyse EXAM --model {spec.name} --out out\n\n"
        "Images of other machines and centres than those it learned from may look different to it. Outlines must be"
        " looked at by somebody who can judge them; a report flags what looks wrong, and no flag is no proof of"
        " correctness."
    )


def _table_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Rows by heading, all with the headings of the first."""
    return _table(list(rows[0]), [list(row.values()) for row in rows])


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(markdown_cell, line)) + " |" for line in lines)
