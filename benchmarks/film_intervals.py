"""How often intervals that were counted on stills hold the truth of films, and of phantoms of other scanners.

    python -m benchmarks.film_intervals MODEL [--hearts 40] [--seed 91] [--rates 25 50]

Each phantom heart is imaged over one whole beat in the four-chamber view, at the rates in turn; half of them as the
scanners of CAMUS would, the others as scanners that no real image was matched to. The film is measured as films of
patients are: its instants are found on the curve of the model's own labels. The same heart is measured as two stills
at its named end-diastole and end-systole. Truth of the reading error are the phantom's own labels, measured in the
same way; of the whole error, the ejection fraction of the heart in space. "Usual" are intervals as they would be of an
image that is like those that the model was tried on.
"""

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from cardiotrace.clinical.interval import Error
from cardiotrace.clinical.intervals.filling import TracedBy, with_intervals
from cardiotrace.clinical.measure import measure
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Phase
from cardiotrace.evaluation.out_of_fold import CALIBRATED
from cardiotrace.evaluation.table import to_text
from cardiotrace.phantoms.choice import PATIENTS_PER_SEED, PhantomConfig, draw_patient
from cardiotrace.phantoms.echo.exam import IMAGE_NAME, echo_exam
from cardiotrace.phantoms.echo.vendor import QUALITIES, VENDORS
from cardiotrace.workflows.services.tracing import Models, trace_exam

MATCHED = "camus"
"""The style of scanner that was matched to real images."""


@dataclass(frozen=True)
class Held:
    """One interval of one heart."""

    scanner: str
    shown: str
    """Film or stills."""
    quantity: str
    error: Error
    off: float
    """Measured less true."""
    holds: bool
    width: float
    holds_usual: bool
    """The same of the interval as it would be of a usual image."""
    width_usual: float
    unlikeness: float


def hearts(count: int, seed: int, rates: list[float]) -> Iterator[tuple[str, float, Any]]:
    """Name of the scanners' kind, frames a second, and a phantom exam of one beat."""
    for number in range(1, count + 1):
        vendors = (MATCHED,) if number % 2 else tuple(name for name in VENDORS if name != MATCHED)
        config = PhantomConfig("echo", PATIENTS_PER_SEED, seed=seed, vendors=vendors, qualities=tuple(QUALITIES))
        phantom: Any = draw_patient(config, number).phantom
        rate = rates[number // 2 % len(rates)]
        frames = round(phantom.cycle.duration_ms * rate / 1000)
        yield "matched" if number % 2 else "others", rate, echo_exam(replace(phantom, frame_count=frames))


def film(exam: Exam, labels: dict[str, LabelMap]) -> tuple[Exam, dict[str, LabelMap]]:
    """The beat without named instants."""
    return replace(exam, images=tuple(replace(image, phases={}) for image in exam.images)), labels


def stills(exam: Exam, labels: dict[str, LabelMap]) -> tuple[Exam, dict[str, LabelMap]]:
    """Its end-diastole and its end-systole as images of their own."""
    (whole,) = exam.images
    images, found = [], {}
    for phase in (Phase.ED, Phase.ES):
        at, name = whole.phases[phase], phase.value
        frame = replace(whole.image, frames=whole.image.frames[at : at + 1], times_ms=None)
        images.append(ExamImage(name, frame, {phase: 0}))
        found[name] = replace(labels[IMAGE_NAME], array=labels[IMAGE_NAME].array[at : at + 1])
    return Exam(exam.name, tuple(images), facts=exam.facts), found


@dataclass(frozen=True)
class Measured:
    """One exam as a model and as the phantom's own labels have it."""

    scanner: str
    shown: str
    quality: str
    stated: float
    """Ejection fraction of the heart in space."""
    measures: Measures
    truth: Measures
    seen: Mapping[str, TracedBy]


def measured(
    scanner: str, shown: str, exam: Exam, labels: dict[str, LabelMap], stated: float, models: Models
) -> Measured:
    """Trace and measure one exam."""
    tracing = trace_exam(exam, models)
    measures, truth = measure(exam, tracing.labels, doubts=tracing.doubts), measure(exam, labels)
    return Measured(scanner, shown, exam.facts.get("quality", ""), stated, measures, truth, tracing.traced_with)


def held(found: Measured) -> list[Held]:
    """The intervals of one exam against its truth."""
    told = with_intervals(found.measures, found.seen, quality=found.quality)
    as_usual = {name: replace(each, unlikeness=None) for name, each in found.seen.items()}
    usual = with_intervals(found.measures, as_usual, quality=found.quality)
    frames = {(each.image, each.frame) for each in found.measures.key_frames}
    unlike = max((_unlike(found.seen[name], frame) for name, frame in frames), default=np.nan)
    rows = []
    for item, other in zip(told, usual, strict=True):
        if item.key not in CALIBRATED:
            continue
        for one, plain in zip(item.intervals, other.intervals, strict=True):
            true = found.stated if one.of is Error.WHOLE else _value(found.truth, item.key, item.view)
            if np.isfinite(true):
                rows.append(
                    Held(
                        found.scanner, found.shown, item.key, one.of, item.value - true, one.low <= true <= one.high,
                        one.high - one.low, plain.low <= true <= plain.high, plain.high - plain.low, unlike,
                    )
                )  # fmt: skip
    return rows


def _unlike(seen: TracedBy, frame: int) -> float:
    return float("nan") if seen.unlikeness is None else float(seen.unlikeness[frame])


def _value(measures: Measures, key: str, view: str) -> float:
    found = next((item for item in measures if item.key == key and item.view == view and item.is_usable), None)
    return float("nan") if found is None else found.value


def table(rows: list[Held]) -> list[dict[str, Any]]:
    """By kind of scanner, film or stills, quantity and error."""
    keys = dict.fromkeys((row.scanner, row.shown, row.quantity, row.error) for row in rows)
    found = []
    for scanner, shown, quantity, error in sorted(
        keys, key=lambda key: (key[0], CALIBRATED.index(key[2]), key[3], key[1])
    ):
        own = [r for r in rows if (r.scanner, r.shown, r.quantity, r.error) == (scanner, shown, quantity, error)]
        found.append(
            {
                "scanners": scanner, "shown": shown, "quantity": quantity, "error": str(error), "n": len(own),
                "off": f"{np.mean([abs(r.off) for r in own]):.1f}",
                "covered, usual": f"{np.mean([r.holds_usual for r in own]):.0%}",
                "width, usual": f"{np.mean([r.width_usual for r in own]):.1f}",
                "covered": f"{np.mean([r.holds for r in own]):.0%}",
                "width": f"{np.mean([r.width for r in own]):.1f}",
                "unlikeness": f"{np.nanmean([r.unlikeness for r in own]):.2f}",
            }
        )  # fmt: skip
    return found


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--hearts", type=int, default=40)
    parser.add_argument("--seed", type=int, default=91)
    parser.add_argument("--rates", type=float, nargs="+", default=[25.0, 50.0])
    given = parser.parse_args()
    models = {name: Models(name) for name in given.models}
    rows: dict[str, list[Held]] = {name: [] for name in models}
    for scanner, _, made in hearts(given.hearts, given.seed, given.rates):
        for shown, (exam, labels) in {
            "film": film(made.exam, made.labels),
            "stills": stills(made.exam, made.labels),
        }.items():
            for name, each in models.items():
                stated = made.truth.ejection_fraction_percent
                rows[name] += held(measured(scanner, shown, exam, labels, stated, each))
    for name, own in rows.items():
        print(f"{name}\n")
        print(to_text(table(own), "markdown"))


if __name__ == "__main__":
    main()
