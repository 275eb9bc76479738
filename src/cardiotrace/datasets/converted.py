"""Exams as this program converts them: a NIfTI file for each image, and beside them one record of all that is known.

NIfTI holds a single interval between frames, single precision, and neither view nor how anything is known. The record
holds these, so that what is read back is what was converted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from cardiotrace.core.config import from_plain, known_only, to_plain
from cardiotrace.core.contract import EXAM
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Exam, ExamImage, Patient
from cardiotrace.core.geometry import Geometry, Known
from cardiotrace.core.identity import Identity
from cardiotrace.core.image import Acquisition, Image
from cardiotrace.core.plain import read_json
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.io import read_image, write_image, write_json

RECORD = "exam.json"
"""Name of the record in the folder of an exam."""
NAME = "a converted exam"
"""What messages call such a folder."""
_SUFFIX = ".nii.gz"
_SAME_MM = 0.01
"""How far apart a file and the record may place a voxel: single precision keeps a thousandth of a millimetre."""
_SAME_STEP = 1e-3
"""Share of their mean by which intervals between frames may differ and be called even."""
_AGAIN = "convert the exam again."


@dataclass(frozen=True, kw_only=True)
class RecordedImage:
    """What is known of an image."""

    name: str
    file: str
    """In the folder of the record."""
    view: View
    modality: Modality
    shape: tuple[int, ...]
    """(time, depth, height, width[, 3])."""
    type: str
    """Of its pixels."""
    affine: tuple[tuple[float, ...], ...]
    """4 x 4, from (depth, height, width, 1) of a voxel's centre, counted from 0, to RAS+, mm."""
    spacing_mm: tuple[float | None, ...] | None
    """(depth, height, width); None where it is not known."""
    pixel_size: Known
    """How it is known."""
    slice_distance: Known
    orientation: Known
    times_ms: tuple[float, ...] | None
    """Of each frame, from the first; None where nothing tells."""
    times: Known
    """How they are known."""
    frame_interval_ms: float | None = None
    """Between two frames in the mean, as the NIfTI file has it."""
    is_evenly_timed: bool | None = None
    """Whether the frames lie as far apart as the NIfTI file says of all of them."""
    heart_rate_bpm: float | None = None
    r_waves_ms: tuple[float, ...] = ()
    """On the clock of the frames."""
    frame_rate_hz: float | None = None
    vendor: str | None = None
    scanner: str | None = None
    field_strength_t: float | None = None
    region: tuple[int, int, int, int] | None = None
    """As `Acquisition` has it."""
    phases: Mapping[str, int] = field(default_factory=dict)
    """Index of the frame of each named phase."""
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    geometry_doubts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ExamRecord:
    """What is known of an exam; whose it is only where that was asked for."""

    patient: Patient = field(default_factory=Patient)
    images: tuple[RecordedImage, ...] = ()
    frame_rate_hz: float | None = None
    facts: Mapping[str, str] = field(default_factory=dict)
    """Date, and whatever else is the same for all images."""
    left_out: tuple[str, ...] = ()
    """What is no image of the exam, each with the reason."""
    identity: Identity | None = None


def is_converted(folder: Path) -> bool:
    """Whether a folder holds an exam that this program converted."""
    path = folder / RECORD
    if not path.is_file():
        return False
    try:
        stated = read_json(path)
    except InputError:
        return False
    return isinstance(stated, dict) and str(stated.get(EXAM.key, "")).startswith(EXAM.words or "")


def write_exam(exam: Exam, folder: Path, identity: Identity | None = None) -> tuple[str, ...]:
    """Write an exam as `read_converted` reads it: a file for each image, and the record.

    Args:
        exam: with images of unique names.
        folder: exists.
        identity: whose it is, where the record is to say it.

    Returns:
        Names of what was written.

    Raises:
        WorkError: it cannot be written.
    """
    for image in exam.images:
        # Without its source every image lies in its file as it lies here: rows down, slices and instants in order.
        write_image(replace(image.image, source=None), folder / f"{image.name}{_SUFFIX}")
    record = ExamRecord(
        patient=exam.patient,
        images=tuple(map(_recorded, exam.images)),
        frame_rate_hz=exam.frame_rate_hz,
        facts=exam.facts,
        left_out=exam.left_out,
        identity=identity,
    )
    write_json(folder / RECORD, EXAM.stamp(to_plain(record, with_none=True)))
    return (*(image.file for image in record.images), RECORD)


def read_converted(folder: Path, name: str) -> Exam:
    """The exam that was converted into a folder.

    Args:
        folder: that of the record.
        name: of the exam.

    Raises:
        InputError: the record cannot be understood, or a file is missing, or another than the one it tells of.
    """
    record = _read_record(folder / RECORD)
    images = tuple(_image(item, folder) for item in record.images)
    return Exam(name, images, record.patient, record.frame_rate_hz, record.facts, record.left_out)


def recorded_identity(folder: Path) -> Identity | None:
    """Whose the exam is that was converted into a folder, where its record was asked to say it.

    Raises:
        InputError: the record cannot be understood.
    """
    return _read_record(folder / RECORD).identity


def _read_record(path: Path) -> ExamRecord:
    try:
        stated = EXAM.read(read_json(path), where=path)
        patient, images, whose = stated.get("patient", {}), stated.get("images", ()), stated.get("identity")
        known = known_only(ExamRecord, stated) | {
            "patient": known_only(Patient, patient),
            "images": [known_only(RecordedImage, item) for item in images],
            "identity": None if whose is None else known_only(Identity, whose),
        }
        return from_plain(ExamRecord, known)
    except InputError as error:
        raise InputError(f"is no record of an exam: {error.what}", where=path, remedy=error.remedy) from None
    except (TypeError, AttributeError) as error:
        raise InputError(f"is no record of an exam ({error})", where=path, remedy=_AGAIN) from None


def _recorded(image: ExamImage) -> RecordedImage:
    cine, geometry, acquisition = image.image, image.image.geometry, image.image.acquisition
    steps = np.diff(cine.times_ms) if cine.times_ms is not None and len(cine.times_ms) > 1 else None
    interval = None if steps is None else float(steps.mean())
    is_even = None if steps is None or interval is None else bool(np.allclose(steps, interval, rtol=_SAME_STEP, atol=0))
    return RecordedImage(
        name=image.name,
        file=f"{image.name}{_SUFFIX}",
        view=cine.view,
        modality=cine.modality,
        shape=tuple(cine.frames.shape),
        type=cine.frames.dtype.name,
        affine=tuple(map(tuple, geometry.affine.tolist())),
        spacing_mm=None if cine.spacing_mm is None else tuple(None if mm != mm else mm for mm in cine.spacing_mm),
        pixel_size=geometry.pixel_size,
        slice_distance=geometry.slice_distance,
        orientation=geometry.orientation,
        times_ms=None if cine.times_ms is None else tuple(cine.times_ms.tolist()),
        times=cine.times,
        frame_interval_ms=interval,
        is_evenly_timed=is_even,
        heart_rate_bpm=acquisition.heart_rate_bpm,
        r_waves_ms=acquisition.r_waves_ms,
        frame_rate_hz=acquisition.frame_rate_hz,
        vendor=acquisition.vendor,
        scanner=acquisition.scanner,
        field_strength_t=acquisition.field_strength_t,
        region=acquisition.region,
        phases={phase.value: frame for phase, frame in image.phases.items()},
        notes=cine.notes,
        doubts=cine.doubts,
        geometry_doubts=geometry.doubts,
    )


def _image(item: RecordedImage, folder: Path) -> ExamImage:
    """An image from its file, with what the record tells."""
    path = folder / item.file
    if Path(item.file).name != item.file or len(item.shape) not in (4, 5):
        raise InputError(f"is no record of an exam: it places an image at {item.file}", where=folder / RECORD)
    stored = read_image(
        path,
        view=item.view,
        modality=item.modality,
        third_axis="time" if item.shape[1] == 1 else "depth",
        channels=3 if len(item.shape) == 5 else None,
    )
    affine = np.array(item.affine, np.float64)
    _require_same(item, stored, affine, path)
    geometry = Geometry(affine, item.pixel_size, item.slice_distance, item.orientation, item.geometry_doubts)
    image = replace(
        stored,
        geometry=geometry,
        times_ms=None if item.times_ms is None else np.array(item.times_ms, np.float64),
        times=item.times,
        acquisition=Acquisition(
            item.heart_rate_bpm,
            item.r_waves_ms,
            item.frame_rate_hz,
            item.vendor,
            item.scanner,
            item.field_strength_t,
            item.region,
        ),
        notes=item.notes,
        doubts=item.doubts,
    )
    phases = {Phase(word): frame for word, frame in item.phases.items() if word in list(Phase)}
    return ExamImage(item.name, image, phases)


def _require_same(
    item: RecordedImage, stored: Image, affine: "np.ndarray[tuple[int, ...], np.dtype[np.float64]]", path: Path
) -> None:
    """Refuse a file that was exchanged or changed since: what the record says would be wrong of it.

    Raises:
        InputError: it was.
    """
    if stored.frames.shape != item.shape:
        raise InputError(f"has shape {stored.frames.shape}, {RECORD} says {item.shape}", where=path, remedy=_AGAIN)
    if affine.shape != (4, 4):
        raise InputError("states no affine map of 4 x 4 numbers", where=path.with_name(RECORD), remedy=_AGAIN)
    last = np.array([*(length - 1 for length in item.shape[1:4]), 1.0])
    corners = [last * mask for mask in np.array(np.meshgrid([0, 1], [0, 1], [0, 1], [1])).reshape(4, -1).T]
    apart = max(float(np.linalg.norm((affine - stored.geometry.affine) @ corner)) for corner in corners)
    if not apart <= _SAME_MM:
        raise InputError(
            f"lies {apart:.3g} mm from where {RECORD} says: one of them was changed", where=path, remedy=_AGAIN
        )
