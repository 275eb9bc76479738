"""Exams that are open at the desk: read once, kept in memory as long as there is room, measured after each gesture."""

import json
import shutil
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.clinical.editing.change import Subject, change_of
from cardiotrace.clinical.editing.edits import Address, Change, Edits, Kind, Said
from cardiotrace.clinical.traced_cine import TracedCine
from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Landmarks
from cardiotrace.core.label import LabelMap
from cardiotrace.core.reporter import ProgressReporter
from cardiotrace.server.desk.kept import Keeper
from cardiotrace.server.desk.wire import gesture_of, packed_plane
from cardiotrace.server.store.blobs import BlobStore
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.work.analysis import MEASURES, phases_of, read_labels, summary_of
from cardiotrace.server.work.opening import AnalysisOptions, StudyFiles
from cardiotrace.server.work.traces import measured_cine, plain_trace, traced_planes
from cardiotrace.workflows.services.analysis import Analyser, Analysis
from cardiotrace.workflows.services.editing import EditedExam, without_models
from cardiotrace.workflows.services.stored_tracing import read_tracing

_MOST_BYTES = 600 * 2**20
"""Of pixels and labels that are kept open; the exam that is worked on is open whatever its size."""
_DECIMALS = 3


@dataclass
class OpenExam:
    """One exam as somebody corrects it."""

    exam: EditedExam
    subject: Subject
    data: DataFolder
    edits: Edits = field(default_factory=Edits)
    at: str = ""
    """The last entry of the journal that `edits` holds; "" where there is none."""

    @property
    def shapes(self) -> dict[str, tuple[int, int]]:
        """Height and width of the planes of each image that has labels."""
        return {name: (found.array.shape[2], found.array.shape[3]) for name, found in self.subject.automatic.items()}

    @property
    def size(self) -> int:
        """Bytes, about: labels are held twice, the second time by what is known of them."""
        pixels = sum(image.image.frames.nbytes for image in self.subject.exam.images)
        return pixels + 2 * sum(found.array.nbytes for found in self.subject.automatic.values())

    def hold(self, entries: list[Any], at: str) -> None:
        """Take over what stands by the journal."""
        self.edits, self.at = Keeper(BlobStore(self.data.blobs)).edits(entries, self.shapes), at


class Desk:
    """The exams that are open in this process; of those that nobody asked for lately the first are closed."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._open: OrderedDict[tuple[str, str], OpenExam] = OrderedDict()
        self._most = most_bytes

    def exam(self, params: Mapping[str, Any]) -> OpenExam:
        """An exam, opened if it is not.

        Args:
            params: `document`, `analysis` and what `read_exam` takes.

        Raises:
            InputError: it cannot be read.
        """
        key = params["document"], params["analysis"]
        if key not in self._open:
            self._open[key] = read_exam(params)
        self._open.move_to_end(key)
        while len(self._open) > 1 and sum(found.size for found in self._open.values()) > self._most:
            self._open.popitem(last=False)
        return self._open[key]

    def __len__(self) -> int:
        return len(self._open)


DESK = Desk()
"""The exams of this process."""


def read_exam(params: Mapping[str, Any]) -> OpenExam:
    """An exam from its files, with what the models said of it.

    Args:
        params: `data`, `study`, `name`, `within`, `part`, `options`; `is_blank` where its labels are to be empty, for a
            reader who does not see what was found.
    """
    data = DataFolder(Path(params["data"]))
    folder = data.study(params["study"])
    options = from_plain(AnalysisOptions, params["options"], path="options")
    exam = StudyFiles(folder.files, params["name"], params["within"], params["part"]).read(options)
    exam = exam.distinct()
    labels = {image.name: found for image in exam.images if (found := read_labels(folder.automatic, image)) is not None}
    if params.get("is_blank"):
        labels = {name: replace(found, array=np.zeros_like(found.array)) for name, found in labels.items()}
    tracing = read_tracing(folder.automatic, exam, labels)
    if params.get("is_blank"):
        tracing = without_models(tracing)
    return OpenExam(EditedExam(tracing, Analyser(verb="serve")), Subject(exam, labels), data)


def edit_exam(params: Mapping[str, Any], _: ProgressReporter) -> dict[str, Any]:
    """Do one gesture, or take a change back or do it again, and measure.

    Args:
        params: those of `read_exam`; `at` (the last entry of the journal that the server holds), `becomes` (the number
            of the next), `version` (that it becomes), `held` (the changes that stand, or None where they should be
            known), `gesture` or `change`, `by`, `time`.

    Returns:
        `{"needs": "held"}` where what stands is not known here; else `change`, `blobs`, `findings`, `changed`,
        `phases`. The measures lie in the folder of the version's outputs by then.

    Raises:
        InputError: the gesture cannot be; nothing changed.
    """
    opened = DESK.exam(params)
    if opened.at != params["at"]:
        if params["held"] is None:
            return {"needs": "held"}
        opened.hold(params["held"], params["at"])
    keeper = Keeper(BlobStore(opened.data.blobs))
    if params.get("change") is not None:
        change = keeper.change(params["change"], opened.shapes)
    else:
        gesture = gesture_of(params["gesture"], opened.shapes)
        change = change_of(gesture, opened.edits, opened.subject, by=params["by"], time=params["time"])
    if change.is_nothing:
        raise InputError("that changes nothing")
    edits = opened.edits.after(change)
    labels = opened.exam.labels(edits)
    analysis = opened.exam.measured(edits, labels)
    plain = keeper.plain_change(change, opened.subject.automatic)
    write_measures(analysis, opened.data, params)
    opened.edits, opened.at = edits, params["becomes"]
    return {
        "change": plain,
        "blobs": [{"sha256": blob.sha256, "size": blob.size} for blob in keeper.written.values()],
        "findings": summary_of(analysis.measures, [image.image for image in analysis.exam.images]),
        "changed": list(changed_planes(opened, edits, labels, change)),
        "phases": {
            image.name: phases_of(image, analysis.measures) for image in analysis.exam.images if image.name in labels
        },
    }


def prepare_exam(params: Mapping[str, Any], _: ProgressReporter) -> dict[str, Any] | None:
    """Open and measure an exam as it stands, so that its next gesture is measured from there.

    Args:
        params: those of `read_exam`; `at` and `held`, as `edit_exam` takes them.

    Returns:
        `{"needs": "held"}` where what stands is not known here.
    """
    opened = DESK.exam(params)
    if opened.at != params["at"]:
        if params["held"] is None:
            return {"needs": "held"}
        opened.hold(params["held"], params["at"])
    opened.exam.measured(opened.edits)
    return None


def draw_image(params: Mapping[str, Any], _: ProgressReporter) -> None:
    """Write what is drawn over an image as its analysis left it, for `desk.drawing`.

    Args:
        params: those of `read_exam`; `image`, its name, and `target`, the file, in a folder of this analysis alone.
    """
    target = Path(params["target"])
    if target.exists():  # somebody else asked at the same time
        return
    opened = DESK.exam(params)
    image = next(each for each in opened.subject.exam.images if each.name == params["image"])
    planes = traced_planes(image, opened.subject.automatic[image.name], opened.exam.known)
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for other in target.parent.parent.iterdir():
        if other != target.parent:  # of an earlier analysis
            shutil.rmtree(other, ignore_errors=True)
    write_json_file(target, {"planes": planes})


def write_measures(analysis: Analysis, data: DataFolder, params: Mapping[str, Any]) -> None:
    """Write the measures of a version; they count once the server has written the edit into its journal."""
    folder = data.study(params["study"]).outputs(params["version"]) / params["folder"]
    folder.mkdir(parents=True, exist_ok=True)
    write_json_file(folder / MEASURES, analysis.to_plain())


def write_json_file(path: Path, value: Any) -> None:
    """Write JSON in short, all of it or nothing."""
    fresh = path.with_name(f".{path.name}-new")
    fresh.write_text(json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")))
    fresh.replace(path)


def changed_planes(
    opened: OpenExam, edits: Edits, labels: Mapping[str, LabelMap], change: Change
) -> Iterator[dict[str, Any]]:
    """Labels and traces of all planes that a change touches, as the page takes them."""
    kinds = (Kind.PLANE, Kind.LANDMARKS, Kind.VERDICT)
    places = {(a.image, a.frame, max(a.slice, 0)) for a in change.after if a.kind in kinds}
    exam = edits.exam(opened.subject.exam)
    images = {image.name: image for image in exam.images}
    for name in sorted({name for name, _, _ in places}):
        cine = measured_cine(images[name], labels[name], opened.exam.known)
        for _, frame, depth in sorted(place for place in places if place[0] == name):
            yield {
                "image": name,
                "frame": frame,
                "slice": depth,
                "labels": packed_plane(labels[name].array[frame, depth]),
                "plane": _plane(opened, edits, cine, (name, frame, depth)),
            }


def _plane(opened: OpenExam, edits: Edits, cine: TracedCine | None, place: tuple[str, int, int]) -> dict[str, Any]:
    name, frame, depth = place
    drawn = opened.subject.plane(edits, name, frame, depth)
    said = edits.value(Address(Kind.VERDICT, name, frame, depth))
    held = (Address(Kind.PLANE, name, frame, depth), Address(Kind.LANDMARKS, name, frame))
    contours = {key: points.round(_DECIMALS).tolist() for key, points in drawn.contours.items() if len(points)}
    trace = {"axis": None, "disks": None} if cine is None else plain_trace(cine.traces[frame])
    marks = edits.value(Address(Kind.LANDMARKS, name, frame))
    if trace["axis"] is not None and isinstance(marks, Landmarks):
        # So that a page that moves one end does not let go of the other.
        trace["axis"]["placed"] = [key for key in ("apex", "annulus") if getattr(marks, key) is not None]
    return {
        "contours": contours,
        **trace,
        "edited": any(address in edits.held for address in held),
        "verdict": said.verdict.value if isinstance(said, Said) else None,
    }
