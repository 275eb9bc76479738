"""A packed cache: every prepared plane of a data set in two memory-mapped arrays and an index.

Reading compressed files again in every epoch costs a hundred times more than reading a memory map. The
cache's folder is named after a fingerprint of all that it depends on (cases, files with size and time of
change, preprocessing up to the intensity steps, label scheme), so a change makes a new one and an old one is
never used by mistake.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, UInt8
from numpy.typing import NDArray

from cardiotrace.core.config import known_only, to_plain
from cardiotrace.core.contract import PACKED
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelScheme
from cardiotrace.io.atomic import as_work_error
from cardiotrace.io.folder import staged_folder
from cardiotrace.preprocessing import Preprocessing

_LOG = logging.getLogger(__name__)

IGNORED = 255
"""Stored class of pixels outside a case's field of view: they count neither in a loss nor in a score."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class PackedPlane:
    """One prepared plane: which case, frame and slice it is."""

    case: str
    patient: str
    phase: str
    view: str
    time: int
    depth: int
    low: float
    """Value of the file that is stored as 0."""
    high: float
    """Value of the file that is stored as the largest stored value."""


@dataclass(frozen=True)
class PackedDataset:
    """Prepared planes of a data set, memory-mapped.

    Args:
        images: (planes, channels, height, width), uint8, or uint16 where the files hold more than bytes.
        labels: (planes, height, width), class indices of the scheme in order of value, or `IGNORED`.
        planes: what each plane is.
    """

    folder: Path
    images: np.ndarray[Any, Any]
    labels: UInt8[np.ndarray, "planes height width"]
    planes: tuple[PackedPlane, ...]

    def __len__(self) -> int:
        return len(self.planes)

    def indices_of(self, patients: Sequence[str]) -> NDArray[np.int64]:
        """Indices of all planes of these patients, in stored order."""
        wanted = set(patients)
        return np.flatnonzero([plane.patient in wanted for plane in self.planes])

    def unit_images(self, indices: NDArray[np.int64]) -> Float[np.ndarray, "batch channels height width"]:
        """Planes as float32 in unit range, as `preprocessing.unit_range` makes them."""
        return self.images[indices].astype(np.float32) / np.float32(np.iinfo(self.images.dtype).max)


def fingerprint(
    cases: Sequence[Case], root: Path, scheme: LabelScheme, preprocessing: Preprocessing, *, options: Any = None
) -> str:
    """Hexadecimal digest of everything the packed arrays depend on.

    Args:
        cases: labelled cases.
        root: folder that `Case.files` are relative to.
        scheme: label scheme of the stored labels.
        preprocessing: what is done to the images before they are stored.
        options: plain data: how the data set reads its files, such as in grey or in colour.

    Raises:
        InputError: a file of a case is missing.
    """
    digest = hashlib.sha256()
    # Version 2: pixels outside a case's field of view are marked. 3: labels and fields of view lie in the image's voxel
    # order; images of the heart are luma, TIFF is upright.
    settings = [PACKED.version, to_plain(scheme.values), to_plain(preprocessing.stored_choices), options]
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for case in cases:
        digest.update(json.dumps([case.name, case.patient, str(case.phase), str(case.view)]).encode())
        for file in case.files:
            try:
                status = (root / file).stat()
            except OSError as error:
                raise InputError(f"cannot be read: {error.strerror}", where=root / file) from None
            digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def packed(
    cases: Sequence[Case],
    *,
    root: Path,
    scheme: LabelScheme,
    preprocessing: Preprocessing,
    cache: Path,
    name: str = "data",
    options: Any = None,
    on_progress: Progress | None = None,
) -> PackedDataset:
    """Open the cache of these cases, making it first where there is none or it is damaged.

    Args:
        cases: labelled cases.
        root: folder that `Case.files` are relative to.
        scheme: label scheme of the stored labels.
        preprocessing: its image and geometric steps are applied before storing; intensity steps are not.
        cache: folder that holds caches; one folder is made in it.
        name: first part of the folder's name.
        options: see `fingerprint`.
        on_progress: called with (done, total) cases while packing.

    Raises:
        InputError: a case has no labels, or planes do not come out at one size.
        WorkError: the cache folder cannot be written.
    """
    folder = cache / f"{name}-{fingerprint(cases, root, scheme, preprocessing, options=options)[:16]}"
    if folder.is_dir():
        try:
            return open_packed(folder)
        except InputError as error:
            _LOG.warning("%s: made again", error)
    _write(folder, _prepared(cases, scheme, preprocessing, on_progress))
    return open_packed(folder)


def open_packed(folder: Path) -> PackedDataset:
    """Open a packed cache and verify its checksums.

    Raises:
        InputError: a file is missing or damaged.
    """
    try:
        index = PACKED.read(json.loads((folder / "index.json").read_text()), where=folder)
        arrays = {}
        for stem in ("images", "labels"):
            if _digest(folder / f"{stem}.npy") != index["sha256"][stem]:
                raise InputError(f"{stem}.npy does not match its checksum", where=folder, remedy="pack it again.")
            arrays[stem] = np.load(folder / f"{stem}.npy", mmap_mode="r")
        planes = tuple(PackedPlane(**known_only(PackedPlane, row)) for row in index["planes"])
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"is not a packed cache: {error}", where=folder, remedy="delete it and pack again.") from None
    return PackedDataset(folder, arrays["images"], arrays["labels"], planes)


@dataclass(frozen=True)
class _PreparedPlane:
    image: np.ndarray[Any, Any]
    label: UInt8[np.ndarray, "height width"]
    about: PackedPlane


def _prepared(
    cases: Sequence[Case], scheme: LabelScheme, preprocessing: Preprocessing, on_progress: Progress | None
) -> Iterator[_PreparedPlane]:
    classes = np.zeros(256, np.uint8)
    for index, structure in enumerate(scheme.structures, start=1):
        classes[scheme.values[structure]] = index
    for done, case in enumerate(cases):
        yield from _planes_of(case, classes, preprocessing)
        if on_progress is not None:
            on_progress(done + 1, len(cases))


def _planes_of(case: Case, classes: UInt8[np.ndarray, "256"], preprocessing: Preprocessing) -> Iterator[_PreparedPlane]:
    if case.read_labels is None:
        raise InputError("has no reference labels and cannot be packed for training", where=case.name)
    cine, labels = case.read_image(), case.read_labels()
    if labels.array.shape != cine.grid_shape:
        raise InputError(f"labels {labels.array.shape} and image {cine.grid_shape} differ in shape", where=case.name)
    spacing = None if cine.spacing_mm is None else (cine.spacing_mm[1], cine.spacing_mm[2])
    transform = preprocessing.transform_for(cine.grid_shape[2:], spacing)
    class_count = int(classes.max()) + 1
    field = _field_of_view(case, cine.grid_shape[1:])
    for time, depth in np.ndindex(*cine.grid_shape[:2]):
        moved = preprocessing.resample(cine.frames[time, depth], transform)
        image, low, high = _stored(moved)
        label = preprocessing.resample_labels(classes[labels.array[time, depth]], transform, class_count=class_count)
        if field is not None:
            label[~preprocessing.resample_mask(field[depth], transform)] = IGNORED
        about = PackedPlane(case.name, case.patient, str(case.phase), str(case.view), time, depth, low, high)
        yield _PreparedPlane(image, label, about)


def _field_of_view(case: Case, shape: tuple[int, int, int]) -> Bool[np.ndarray, "depth height width"] | None:
    """Where the case's pixels count, None where all do."""
    if case.read_field_of_view is None:
        return None
    field = case.read_field_of_view()
    if field.shape != shape:
        raise InputError(f"field of view {field.shape} and image {shape} differ in shape", where=case.name)
    return field


def _stored(moved: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], float, float]:
    """Bytes stay bytes; anything else is stretched over 16 bits, its extremes remembered."""
    if moved.dtype == np.uint8:
        return moved, 0.0, 255.0
    low, high = float(moved.min()), float(moved.max())
    stretched = (moved.astype(np.float64) - low) / max(high - low, 1e-12) * 65535
    return np.rint(stretched).astype(np.uint16), low, high


def _write(folder: Path, prepared: Iterator[_PreparedPlane]) -> None:
    planes = list(prepared)
    _check_sizes(planes)
    images = _at_one_depth([plane.image for plane in planes])
    with staged_folder(folder) as staged, as_work_error(folder):
        np.save(staged / "images.npy", np.stack(images))
        np.save(staged / "labels.npy", np.stack([plane.label for plane in planes]))
        index = {
            "sha256": {stem: _digest(staged / f"{stem}.npy") for stem in ("images", "labels")},
            "planes": [to_plain(plane.about) for plane in planes],
        }
        (staged / "index.json").write_text(json.dumps(PACKED.stamp(index)))


def _check_sizes(planes: Sequence[_PreparedPlane]) -> None:
    if not planes:
        raise InputError("there is nothing to pack: no labelled case")
    shapes = {plane.image.shape for plane in planes}
    if len(shapes) > 1:
        raise InputError(
            f"planes come out at different sizes (channels, height, width): {sorted(shapes)[:4]}",
            remedy="end the preprocessing with `resize` or `crop-or-pad`.",
        )


def _at_one_depth(images: list[np.ndarray[Any, Any]]) -> list[np.ndarray[Any, Any]]:
    """Bytes among 16-bit images are spread over 16 bits, which changes no value in unit range: 255 * 257 = 65535."""
    if len({image.dtype for image in images}) == 1:
        return images
    return [image.astype(np.uint16) * np.uint16(257) if image.dtype == np.uint8 else image for image in images]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
