"""Make the classifier that proposes views, and tell how often it is right on patients that it has not seen.

    python -m benchmarks.view_classifier --data PATH --out OUT [--fold N]

Pictures (`benchmarks.view_pictures`) are those of all real patients at hand, of phantoms, and of much that is no view.
Patients are dealt to three folds; three networks each say what the patients of one fold show (OUT/fold-N.npz, which a
second call takes as they are; --fold makes one of them and ends). The least probability at which a view is named is
chosen for each view on all of these answers: at most half a percent of the real images, and of the made ones, may get
that view wrongly. In the table each fold is judged at the probabilities that the other two would have chosen. The
model that is sealed has learned from all; model, card and table are written to OUT.
About half an hour of one core, and five minutes for the pictures, which are kept in OUT/pictures.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float, Int

from benchmarks.view_pictures import (
    CLASSES,
    PREPROCESSING,
    SIDE,
    Amounts,
    Picture,
    overlays,
    pictures,
    staged_file,
)
from cardiotrace.core.catalog import Choice
from cardiotrace.core.terms import View
from cardiotrace.inference.model_file import open_seal, seal
from cardiotrace.inference.sample import softmax
from cardiotrace.inference.spec import ModelSpec, SchemeSpec, TrainingSpec, ViewClass
from cardiotrace.inference.view_classifier import ViewProposal, of_planes
from cardiotrace.learning.export import export_network
from cardiotrace.learning.training.environment import commit
from cardiotrace.learning.view.network import WIDTHS, ViewNetwork
from cardiotrace.learning.view.training import Lesson, ViewTraining, train_view_network
from cardiotrace.report.card import model_card

NAME = "view-classifier"
FOLDS = 3
MOST_WRONG = 0.005
"""Share of the images that may wrongly get one view, where its least probability is chosen."""
CANDIDATES = np.round(np.arange(0.5, 1.0, 0.01), 2)
LICENCE = (
    "CC BY-NC-SA 4.0; research use (M&Ms, M&Ms-2, DRIVE); public reference set of Kingston University, for research;"
    " phantoms, free of terms"
)
CITATION = (
    "Leclerc S, et al. Deep Learning for Segmentation Using an Open Large-Scale Dataset in 2D Echocardiography. IEEE"
    " Trans Med Imaging 2019;38:2198-2210. Bernard O, et al. Deep Learning Techniques for Automatic MRI Cardiac"
    " Multi-Structures Segmentation and Diagnosis: Is the Problem Solved? IEEE Trans Med Imaging 2018;37:2514-2525."
    " Radau P, et al. Evaluation Framework for Algorithms Segmenting Short Axis Cardiac MRI. MIDAS J 2009."
)

EMPHASIS = {"A2C": 1.5, "A4C": 1.5, "PLAX": 0.5, "PSAX": 0.5, "SAX": 2.0}
"""How often a class is drawn where not once: those that are taken for others are harder to learn."""
NONE_EMPHASIS = 3.0


def folds_of(shown: Sequence[Picture]) -> Int[np.ndarray, " pictures"]:
    """Fold of each picture: patients in random order, dealt one by one, source by source."""
    rng = np.random.default_rng(0)
    by_source: dict[str, list[str]] = defaultdict(list)
    seen = set()
    sizes = Counter(each.source for each in shown)
    # Sources of few pictures first, so that a patient of several is dealt with those.
    for picture in sorted(shown, key=lambda each: (sizes[each.source], each.name)):
        if picture.patient not in seen:
            seen.add(picture.patient)
            by_source[picture.source].append(picture.patient)
    dealt = {}
    for start, patients in enumerate(by_source.values()):
        for place, index in enumerate(rng.permutation(len(patients)).tolist()):
            dealt[patients[index]] = (start + place) % FOLDS
    return np.array([dealt[picture.patient] for picture in shown])


def learned(shown: Sequence[Picture], config: ViewTraining) -> ViewNetwork:
    """A network that has learned from all of the pictures."""
    counts = [len(picture.stored) for picture in shown]

    def each(of: Callable[[Picture], object]) -> list[object]:
        return [of(picture) for picture, count in zip(shown, counts, strict=True) for _ in range(count)]

    lesson = Lesson(
        planes=np.concatenate([picture.stored for picture in shown]),
        kinds=np.array(each(lambda picture: picture.kind)),
        sources=[str(value) for value in each(lambda picture: picture.source)],
        patients=[str(value) for value in each(lambda picture: picture.patient)],
        is_echo=[bool(value) for value in each(lambda picture: picture.is_echo)],
        overlays=overlays(200),
        emphasis=[NONE_EMPHASIS, *(EMPHASIS.get(each.name, 1.0) for each in CLASSES)],
    )

    def tell(step: int, loss: float) -> None:
        if step % 25 == 0:
            print(f"  step {step}, loss {loss:.2f}", flush=True)

    return train_view_network(lesson, len(CLASSES) + 1, PREPROCESSING, SIDE, config, tell)


def answers(network: ViewNetwork, shown: Sequence[Picture]) -> Iterator[Float[np.ndarray, "planes classes"]]:
    """Probability of each class in each plane of each picture."""
    with torch.inference_mode():
        for picture in shown:
            yield softmax(network(torch.from_numpy(picture.seen).float().unsqueeze(1)).numpy())


@dataclass(frozen=True)
class Answer:
    """One picture, and what was said of it."""

    picture: Picture
    probabilities: Float[np.ndarray, " classes"]

    def proposal(self, classes: Sequence[ViewClass]) -> ViewProposal:
        """What is proposed, each class from its own least probability on."""
        return ViewProposal(tuple(classes), self.probabilities, is_stack=self.picture.is_stack)

    def named(self, classes: Sequence[ViewClass]) -> int:
        """Class that is proposed, 0 for none."""
        found = self.proposal(classes).proposed
        return 0 if found is None else list(classes).index(found) + 1


def with_lowest(given: Sequence[Answer]) -> tuple[ViewClass, ...]:
    """The classes, each with the least probability at which few of the real and of the made pictures get it wrongly."""
    likeliest = [(each, each.proposal(CLASSES)) for each in given]
    return tuple(replace(one, lowest=_lowest_for(one, kind, likeliest)) for kind, one in enumerate(CLASSES, start=1))


def _lowest_for(one: ViewClass, kind: int, likeliest: Sequence[tuple[Answer, ViewProposal]]) -> float:
    lowest = float(CANDIDATES[0])
    for is_real in (True, False):
        group = [(each, found) for each, found in likeliest if each.picture.is_real is is_real]
        wrong = [found.probability for each, found in group if found.likeliest == one and each.picture.kind != kind]
        allowed = int(MOST_WRONG * len(group))
        if len(wrong) > allowed:
            # The smallest candidate that no more than are allowed of the wrong ones reach.
            worst = sorted(wrong, reverse=True)[allowed]
            above = CANDIDATES[worst < CANDIDATES]
            lowest = max(lowest, float(above[0]) if len(above) else float(CANDIDATES[-1]))
    return lowest


@dataclass(frozen=True)
class Row:
    """Pictures of one class from one source."""

    source: str
    shows: str
    is_real: bool
    patients: int
    images: int
    right: int
    """Named what they show; of what is no view, named nothing."""
    wrong: int
    """Named a view that they do not show."""
    named_4ch: int


def rows_of(given: Sequence[tuple[Answer, Sequence[ViewClass]]]) -> list[Row]:
    """A row for each source and class, real ones first; each answer with the probabilities that it is judged at."""
    groups: dict[tuple[bool, int, str], list[tuple[Answer, Sequence[ViewClass]]]] = defaultdict(list)
    for answer, classes in given:
        groups[not answer.picture.is_real, answer.picture.kind, answer.picture.source].append((answer, classes))
    rows = []
    for (made, kind, source), members in sorted(groups.items(), key=lambda item: item[0]):
        named = [answer.named(classes) for answer, classes in members]
        wrong = sum(name not in (0, kind) for name in named)
        fours = sum(name > 0 and CLASSES[name - 1].view is View.FOUR_CHAMBER for name in named)
        patients = len({answer.picture.patient for answer, _ in members})
        shows = f"{CLASSES[kind - 1].name} ({CLASSES[kind - 1].modality})" if kind else "no view"
        right = sum(name == kind for name in named)
        rows.append(Row(source, shows, not made, patients, len(members), right, wrong, fours))
    return rows


def table(rows: Sequence[Row]) -> Iterator[str]:
    """Markdown."""
    yield "| images | show | patients | images | right | nothing named | wrong view | named 4CH |"
    yield "|---|---|---:|---:|---:|---:|---:|---:|"
    for row in rows:
        missing = row.images - row.right - row.wrong if row.shows != "no view" else row.right
        right = "" if row.shows == "no view" else f"{row.right} ({100 * row.right / row.images:.1f} %)"
        yield (
            f"| {row.source} | {row.shows} | {row.patients} | {row.images} | {right} | {missing} | {row.wrong} |"
            f" {row.named_4ch} |"
        )
    for name, group in (("all real", [r for r in rows if r.is_real]), ("all made", [r for r in rows if not r.is_real])):
        images, wrong = sum(row.images for row in group), sum(row.wrong for row in group)
        yield f"| {name} |  |  | {images} |  |  | {wrong} ({100 * wrong / max(images, 1):.2f} %) |  |"


def made_model(
    shown: Sequence[Picture], config: ViewTraining, classes: Sequence[ViewClass], rows: Sequence[Row], amounts: Amounts
) -> bytes:
    """The sealed file of a network that has learned from all pictures."""
    network = learned(shown, config)
    examples = np.concatenate([picture.seen for picture in shown[::17]])[:, None]
    graph = export_network(network, PREPROCESSING, examples=torch.from_numpy(examples).float())
    versions = {name: importlib.metadata.version(name) for name in ("cardiotrace", "torch", "onnx")}
    spec = ModelSpec(
        name=NAME,
        summary="Proposes the view of an image that does not state it: apical and parasternal echo, cine-MRI.",
        scheme=SchemeSpec("none", {}),
        views=(),
        classes=len(CLASSES) + 1,
        tells_apart=tuple(classes),
        preprocessing=PREPROCESSING,
        architecture=Choice("view-network", {"widths": list(WIDTHS)}),
        training=TrainingSpec(
            data_set="CAMUS, ACDC, Sunnybrook, M&Ms, M&Ms-2, a Siemens volunteer, DRIVE, CHASE_DB1, phantoms",
            split="three folds by patient; the model itself learned from all",
            recipe={"training": asdict(config), "phantoms": asdict(amounts)},
            commit=commit(),
            seed=config.seed,
            versions=versions,
        ),
        scores={"views": [asdict(row) for row in rows]},
        licence=LICENCE,
        citation=CITATION,
        created=datetime.datetime.now(datetime.UTC).date().isoformat(),
    )
    return seal(graph, spec)


def main() -> None:
    """Train, judge, seal, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("CARDIOTRACE_DATA", ".")))
    parser.add_argument("--out", type=Path, default=Path("out/views"))
    parser.add_argument("--fold", type=int, help="make one fold, from 1, and end")
    parser.add_argument("--steps", type=int, default=ViewTraining.steps)
    given = parser.parse_args()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    config, amounts = ViewTraining(steps=given.steps), Amounts()
    shown = pictures(given.data, amounts, given.out / "pictures")
    folds = folds_of(shown)
    for fold in range(FOLDS) if given.fold is None else [given.fold - 1]:
        path = given.out / f"fold-{fold + 1}.npz"
        if not path.exists():
            print(f"fold {fold + 1} of {FOLDS}", flush=True)
            network = learned([each for each, own in zip(shown, folds, strict=True) if own != fold], config)
            judged = [each for each, own in zip(shown, folds, strict=True) if own == fold and each.is_tested]
            found = list(answers(network, judged))
            with staged_file(path) as file:
                counts = [len(each) for each in found]
                np.savez(file, names=[each.name for each in judged], counts=counts, planes=np.concatenate(found))
    if given.fold is None:
        finish(shown, folds, config, amounts, given.out)


def finish(
    shown: Sequence[Picture], folds: Int[np.ndarray, " pictures"], config: ViewTraining, amounts: Amounts, out: Path
) -> None:
    """Judge the answers of all folds, and make the model."""
    by_fold = [_read_answers(shown, out / f"fold-{fold + 1}.npz") for fold in range(FOLDS)]
    judged = []
    for fold, own in enumerate(by_fold):
        others = [answer for at, members in enumerate(by_fold) if at != fold for answer in members]
        judged += [(answer, with_lowest(others)) for answer in own]
    classes = with_lowest([answer for own in by_fold for answer in own])
    rows = rows_of(judged)
    named = ", ".join(f"{each.name} {each.lowest:.2f}" for each in classes)
    lines = [*table(rows), "", f"Least probabilities of the model: {named}."]
    print("\n".join(lines))
    (out / "table.md").write_text("\n".join(lines) + "\n")
    (out / "answers.json").write_text(json.dumps([_plain(answer) for answer, _ in judged], indent=0))
    model = made_model(shown, config, classes, rows, amounts)
    (out / f"{NAME}.onnx").write_bytes(model)
    (out / f"{NAME}.md").write_text(model_card(open_seal(model), file_name=f"{NAME}.onnx"))


def _read_answers(shown: Sequence[Picture], path: Path) -> list[Answer]:
    kept = np.load(path)
    by_name: Mapping[str, Picture] = {each.name: each for each in shown}
    planes = np.split(kept["planes"], np.cumsum(kept["counts"])[:-1])
    return [Answer(by_name[str(name)], of_planes(own)) for name, own in zip(kept["names"], planes, strict=True)]


def _plain(answer: Answer) -> dict[str, object]:
    picture = answer.picture
    return {
        "name": picture.name, "source": picture.source, "kind": picture.kind,
        "probabilities": [round(float(value), 4) for value in answer.probabilities],
    }  # fmt: skip


if __name__ == "__main__":
    main()
