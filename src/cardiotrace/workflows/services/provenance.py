"""Where numbers came from: which files, read how, traced by what."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from cardiotrace import __version__
from cardiotrace.core.config import to_plain
from cardiotrace.core.exam import Exam, ExamImage
from cardiotrace.core.flag import AcceptedFlag, Flag, Grade
from cardiotrace.workflows.services.tracing import TracingModel

_MOST_NAMES = 3
"""Of images that one flag lists."""


@dataclass(frozen=True)
class UsedModel:
    """A model that traced images."""

    name: str
    sha256: str
    """Of the whole file, as `sha256sum` prints it."""
    licence: str = ""

    @classmethod
    def of(cls, model: TracingModel) -> "UsedModel":
        """The entry of a model that was used."""
        return cls(model.spec.name, model.sha256, model.spec.licence)


@dataclass(frozen=True)
class ReadImage:
    """An image as it was read: view, sizes and times, and how each of them is known."""

    name: str
    file: str
    """Name of the file or folder, without the folders above it; empty for an image that was in no file."""
    view: str
    modality: str
    shape: tuple[int, int, int, int]
    """(time, depth, height, width)."""
    spacing_mm: tuple[float | None, ...] | None
    """(depth, height, width); None where it is not known."""
    pixel_size: str
    """How it is known; the words are those of `core.geometry.Known`."""
    slice_distance: str
    orientation: str
    times: str
    duration_ms: float | None
    """From the first frame to the last, where the times are known."""
    notes: tuple[str, ...] = ()
    """What was assumed or changed in reading it."""
    doubts: tuple[str, ...] = ()
    """Where the file contradicts itself."""
    labels: str = ""
    """What labelled it: the name of a model or of a file; empty where nothing did."""


@dataclass(frozen=True)
class EditedImage:
    """What a person changed in an image."""

    name: str
    by: tuple[str, ...] = ()
    """Who did, as far as they said."""
    frames: tuple[int, ...] = ()
    """Frames whose labels were changed."""
    landmarks: tuple[int, ...] = ()
    """Frames whose long axis was placed."""
    phases: Mapping[str, int] = field(default_factory=dict)
    """Key frames that were chosen, by the name of the phase."""
    rejected: tuple[int, ...] = ()
    """Frames that were refused."""
    reasons: tuple[str, ...] = ()
    """Why they were."""


@dataclass(frozen=True)
class Provenance:
    """All that is needed to know where the numbers of an exam came from.

    Example:
        >>> Provenance(verb="measure", given={"spacing_mm": (0.3, 0.3)}).to_plain()["given"]
        {'spacing_mm': [0.3, 0.3]}
    """

    verb: str = ""
    """What was done: "analyse", "measure", "demo"; empty from Python."""
    models: tuple[UsedModel, ...] = ()
    """None where a person drew the labels."""
    images: tuple[ReadImage, ...] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    """What the user said in place of what files and models say."""
    left_out: tuple[str, ...] = ()
    """Files of the exam that were not used, each with the reason."""
    version: str = __version__
    """Of the program."""
    edited: tuple[EditedImage, ...] = ()
    """What a person changed of the labels; nothing where they stand as they were made."""
    accepted: tuple[AcceptedFlag, ...] = ()
    """Flags that a person looked at and let stand."""

    def to_plain(self) -> dict[str, Any]:
        """As JSON holds it. No path is in it, nor when it was made: the same input gives the same file."""
        plain: dict[str, Any] = to_plain(self, with_none=True)
        for said_by_a_person in ("edited", "accepted"):
            if not plain[said_by_a_person]:
                del plain[said_by_a_person]
        return {"program": "cardiotrace", **{key: plain[key] for key in ("version", *plain)}}


def provenance_of(
    exam: Exam,
    labelled_by: Mapping[str, str],
    *,
    verb: str = "",
    models: Iterable[TracingModel] = (),
    given: Mapping[str, Any] | None = None,
) -> Provenance:
    """Provenance of the measures of an exam.

    Args:
        exam: as it was read.
        labelled_by: for each labelled image the name of the model or the label file.
        verb: what was done.
        models: those that traced.
        given: what the user said in place of what files and models say.
    """
    images = tuple(_read_image(image, labelled_by.get(image.name, "")) for image in exam.images)
    used = tuple(UsedModel.of(model) for model in models)
    return Provenance(verb, used, images, dict(given or {}), exam.left_out)


def reading_flags(exam: Exam, *, of_sizes: bool = True) -> list[Flag]:
    """What was assumed, contradictory or left out when the exam was read, as flags; the same of several images once.

    Args:
        exam: as it was read.
        of_sizes: whether contradicting sizes are among them; measuring raises flags of its own of these.
    """
    flags = [Flag(Grade.NOTE, text, "left-out") for text in exam.left_out]
    said: dict[tuple[Grade, str, str], list[str]] = {}
    for image in exam.images:
        for grade, rule, texts in (
            (Grade.LOOK_TWICE, "doubt", (*(image.image.geometry.doubts if of_sizes else ()), *image.image.doubts)),
            (Grade.NOTE, "reading", image.image.notes),
        ):
            for text in texts:
                said.setdefault((grade, rule, text), []).append(image.name)
    for (grade, rule, text), names in said.items():
        who = ", ".join(names) if len(names) <= _MOST_NAMES else f"{len(names)} images"
        flags.append(Flag(grade, f"{who}: {text}", rule, names[0] if len(names) == 1 else ""))
    return flags


def given_in(settings: Any) -> dict[str, Any]:
    """The fields of a dataclass of settings that are not as they are by default, as plain data.

    Example:
        >>> from cardiotrace.core.exam import Patient
        >>> given_in(Patient(sex="F"))
        {'sex': 'F'}
    """
    usual = type(settings)()
    given = {item.name: getattr(settings, item.name) for item in fields(settings)}
    changed = {name: value for name, value in given.items() if value != getattr(usual, name)}
    return {
        name: given_in(value) if is_dataclass(value) else to_plain(value, with_none=True)
        for name, value in changed.items()
    }


def _read_image(image: ExamImage, labelled_by: str) -> ReadImage:
    cine = image.image
    geometry = cine.geometry
    spacing = None if cine.spacing_mm is None else tuple(None if mm != mm else mm for mm in cine.spacing_mm)
    times = cine.times_ms
    return ReadImage(
        name=image.name,
        file="" if cine.source is None else cine.source.path.name,
        view=cine.view_name,
        modality=cine.modality.value,
        shape=cine.grid_shape,
        spacing_mm=spacing,
        pixel_size=geometry.pixel_size.value,
        slice_distance=geometry.slice_distance.value,
        orientation=geometry.orientation.value,
        times=cine.times.value,
        duration_ms=None if times is None else float(f"{times[-1] - times[0]:.6g}"),
        notes=cine.notes,
        doubts=(*geometry.doubts, *cine.doubts),
        labels=labelled_by,
    )
