"""A packed cache: every prepared sample of a data set in two memory-mapped arrays and an index.

A sample is a plane, or a volume: the planes of one frame above each other. Reading compressed files again in every
epoch costs a hundred times more than reading a memory map. The cache's folder is named after a fingerprint of all
that it depends on (cases, files with size and time of change, preprocessing up to the intensity steps, label scheme),
so a change makes a new one and an old one is never used by mistake.
"""

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from jaxtyping import Bool, Float, Shaped, UInt8
from numpy.typing import NDArray

from cardiotrace.core.config import known_only, to_plain
from cardiotrace.core.contract import PACKED
from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.image import Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.progress import OnProgress, counted
from cardiotrace.io.atomic import as_work_error
from cardiotrace.io.folder import staged_folder
from cardiotrace.preprocessing import (
    Centre,
    NeighboursOf,
    Preprocessing,
    ResamplingTransform,
    channels_with_neighbours,
    planes_around,
)

IGNORED = 255
"""Stored class of pixels that count neither in a loss nor in a score: those outside a case's field of view, those of
slices beyond the ends of a stack, and all of a sample without labels."""
Axes = Literal[2, 3]
"""Of a sample: 2 for planes, 3 for volumes."""
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PackedSample:
    """One prepared plane or volume: which case, frame and slice it is."""

    case: str
    groups: Mapping[str, str]
    """Group keys of the case: patient, and where known centre, vendor, pathology and the like."""
    phase: str
    view: str
    time: int
    depth: int
    """Of its first plane."""
    low: float
    """Value of the file that is stored as 0."""
    high: float
    """Value of the file that is stored as the largest stored value."""
    is_labelled: bool = True
    """Whether there is a reference; else every pixel is `IGNORED`."""
    structures: tuple[str, ...] = ()
    """Those that the reference tells of, where the scheme has others too: their absence is not known. Empty where it
    tells of all."""
    slices: int | None = None
    """Of a volume, how many of its first slices are the stack's; all that follow fill it up to the depth of the deepest
    one, black and `IGNORED`. None: all of them."""
    pixel_mm: tuple[float, ...] = ()
    """Size of a pixel (row, column) as prepared, mm; empty where that of the image is not known, or in older caches."""

    @property
    def patient(self) -> str:
        """The patient this sample is of."""
        return self.groups["patient"]

    @property
    def is_complete(self) -> bool:
        """Whether the reference tells of every structure of the scheme."""
        return not self.structures

    def tells_of(self, structure: str) -> bool:
        """Whether the reference says where a structure is, and where it is not."""
        return self.is_complete or structure in self.structures


@dataclass(frozen=True)
class PackedDataset:
    """Prepared samples of a data set, memory-mapped.

    Args:
        images: (samples, channels, *space), uint8, or uint16 where the files hold more than bytes; space is height
            and width, after the depth where samples are volumes.
        labels: (samples, *space), class indices of the scheme in order of value, or `IGNORED`.
        samples: what each sample is.
    """

    folder: Path
    images: Shaped[np.ndarray, "samples channels *space"]
    labels: UInt8[np.ndarray, "samples *space"]
    samples: tuple[PackedSample, ...]

    def __len__(self) -> int:
        return len(self.samples)

    def indices_of(self, patients: Sequence[str], *, labelled_only: bool = True) -> NDArray[np.int64]:
        """Indices of the samples of these patients, in stored order.

        Args:
            patients: whose samples.
            labelled_only: leave out samples without a reference, which nothing can be compared with.
        """
        wanted = set(patients)
        return np.flatnonzero(
            [sample.patient in wanted and (sample.is_labelled or not labelled_only) for sample in self.samples]
        )

    def indices_around(
        self, indices: NDArray[np.int64], neighbours: int, along: NeighboursOf = "slices"
    ) -> NDArray[np.int64]:
        """Indices of the planes that are seen with some, see `planes_around`.

        Args:
            indices: of planes.
            neighbours: planes on each side.
            along: slices of the same case and frame, or frames of the same case and slice.

        Returns:
            (indices, 2 neighbours + 1), each plane in the middle of its row.

        Raises:
            InputError: samples are volumes or in colour, a plane between others is missing or there twice, or frames
                are asked for and no case is a film.
        """
        if self.labels.ndim != 3:
            raise InputError("volumes hold their slices themselves", remedy="set neighbours = 0.")
        channels_with_neighbours(self.images.shape[1], neighbours)
        rows_of: dict[tuple[str, ...], dict[int, int]] = {}
        for index, sample in enumerate(self.samples):
            # Cases of two data sets may share a name; a patient's never do.
            row, place = _row_of(sample, along)
            rows_of.setdefault(row, {}).setdefault(place, index)
        self._require_whole(rows_of, along)
        found = []
        for index in indices.tolist():
            row, place = _row_of(self.samples[index], along)
            members = rows_of[row]
            first = min(members)
            found.append([members[first + each] for each in planes_around(place - first, len(members), neighbours)])
        return np.array(found, np.int64).reshape(len(indices), 2 * neighbours + 1)

    def _require_whole(self, rows_of: Mapping[tuple[str, ...], Mapping[int, int]], along: NeighboursOf) -> None:
        """In use the true neighbours are seen: a gap would be learned as something else."""
        if sum(map(len, rows_of.values())) < len(self.samples):
            raise InputError(f"a {along[:-1]} is there twice, so that its neighbours are not known", where=self.folder)
        for row, members in rows_of.items():
            if max(members) - min(members) >= len(members):
                raise InputError(f"case {row[1]!r} lacks {along} between others, which neighbours would show")
        if along == "frames" and max(map(len, rows_of.values())) == 1:
            raise InputError(
                "no case has more than one frame, and neighbours are to be frames",
                remedy="choose cases that are films, such as those of ted, or set neighbours = 0.",
            )

    def unit_images(
        self, indices: NDArray[np.int64], *, neighbours: int = 0, along: NeighboursOf = "slices"
    ) -> Float[np.ndarray, "batch channels *space"]:
        """Samples as float32 in unit range, as `preprocessing.unit_range` makes them.

        Args:
            indices: which.
            neighbours: planes on each side that become channels before and after a plane's own.
            along: what they are.

        Raises:
            InputError: see `indices_around`.
        """
        if neighbours:
            seen = self.images[self.indices_around(indices, neighbours, along)]
            images = seen.reshape(len(seen), -1, *seen.shape[3:])
        else:
            images = self.images[indices]
        return images.astype(np.float32) / np.float32(np.iinfo(self.images.dtype).max)


def _row_of(sample: PackedSample, along: NeighboursOf) -> tuple[tuple[str, ...], int]:
    """What slices of one stack, or frames of one film, have in common, and the number of this one."""
    other, own = (sample.depth, sample.time) if along == "frames" else (sample.time, sample.depth)
    return (sample.patient, sample.case, sample.phase, sample.view, str(other)), own


class HeartFinder(Protocol):
    """Finds the heart in an image without a reference, so that cases with and without labels are packed alike."""

    @property
    def sha256(self) -> str:
        """Tells it from others: samples depend on where it finds the heart."""
        ...

    def centre(self, image: Image) -> Centre:
        """Where the heart lies in the planes of an image, in pixels along (height, width)."""
        ...


@dataclass(frozen=True)
class Packing:
    """How cases become samples."""

    root: Path
    """Folder that `Case.files` are relative to."""
    scheme: LabelScheme
    """Of the stored labels."""
    preprocessing: Preprocessing
    """Its image and geometric steps are applied before storing; intensity steps are not."""
    options: Any = None
    """Plain data: how the data set reads its files, such as in grey or in colour."""
    axes: Axes = 2
    """2 stores each plane of a stack by itself, 3 the planes of a frame as one volume."""
    localiser: HeartFinder | None = None
    """What finds the heart, where the preprocessing crops around it."""

    @property
    def _finder(self) -> HeartFinder | None:
        """The localiser where it is needed."""
        return self.localiser if self.preprocessing.needs_centre else None

    @property
    def finder_digest(self) -> str:
        """Tells where hearts are found; empty where nobody looks."""
        return "" if self._finder is None else self._finder.sha256

    def centre_of(self, image: Image) -> Centre | None:
        """Where the heart lies; None where nobody looks."""
        return None if self._finder is None else self._finder.centre(image)


def cache_fingerprint(cases: Sequence[Case], packing: Packing) -> str:
    """Hexadecimal digest of everything the packed arrays depend on.

    Args:
        cases: what is packed.
        packing: how.

    Raises:
        InputError: a file of a case is missing.
    """
    digest = hashlib.sha256()
    # Version 2: pixels outside a case's field of view are marked. 3: labels and fields of view lie in the image's voxel
    # order; images of the heart are luma, TIFF is upright. 4: samples carry all group keys and may lack labels.
    stored = to_plain(packing.preprocessing.stored_choices)
    # Volumes were once of one depth, and what was padded above or below them was background.
    axes: Any = packing.axes if packing.axes == 2 else [packing.axes, "of any depth"]
    settings = [PACKED.version, axes, to_plain(packing.scheme.values), stored, packing.options]
    # Only where there is one: caches without it keep their names.
    settings += [packing.finder_digest] if packing.finder_digest else []
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for case in cases:
        about = [case.name, dict(case.groups), str(case.phase), str(case.view), case.read_labels is not None]
        digest.update(json.dumps(about, sort_keys=True).encode())
        for file in case.files:
            # Size and time of change stand for the content: reading gigabytes at every start would take minutes.
            try:
                status = (packing.root / file).stat()
            except OSError as error:
                raise InputError(f"cannot be read: {error.strerror}", where=packing.root / file) from None
            digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def packed(
    cases: Sequence[Case],
    packing: Packing,
    *,
    cache: Path,
    name: str = "data",
    on_progress: OnProgress | None = None,
) -> PackedDataset:
    """Open the cache of these cases, making it first where there is none or it is damaged.

    Args:
        cases: with or without labels.
        packing: how they become samples.
        cache: folder that holds caches; one folder is made in it.
        name: first part of the folder's name.
        on_progress: called with (done, total) cases while packing.

    Raises:
        InputError: there is no case, or samples do not come out at one size.
        WorkError: the cache folder cannot be written.
    """
    folder = cache / f"{name}-{cache_fingerprint(cases, packing)[:16]}"
    if folder.is_dir():
        try:
            return open_packed(folder)
        except InputError as error:
            _LOG.info("packed again, in its place: %s", error)
    _write(folder, _prepared(cases, packing, on_progress))
    return open_packed(folder)


def open_packed(folder: Path) -> PackedDataset:
    """Open a packed cache and verify its checksums.

    Raises:
        InputError: a file is missing or damaged, or of another version.
    """
    try:
        index = PACKED.read(json.loads((folder / "index.json").read_text()), where=folder)
        arrays = {}
        for stem in ("images", "labels"):
            if _digest(folder / f"{stem}.npy") != index["sha256"][stem]:
                raise InputError(f"{stem}.npy does not match its checksum", where=folder, remedy="pack it again.")
            arrays[stem] = np.load(folder / f"{stem}.npy", mmap_mode="r")
        samples = tuple(map(_sample, index["samples"]))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise InputError(f"is not a packed cache: {error}", where=folder, remedy="delete it and pack again.") from None
    _LOG.debug("opened %s: %d samples of shape %s", folder, len(samples), arrays["images"].shape[1:])
    return PackedDataset(folder, arrays["images"], arrays["labels"], samples)


def _sample(row: Mapping[str, Any]) -> PackedSample:
    # JSON has lists alone, and older caches know of no structures.
    lists = {name: tuple(row.get(name, ())) for name in ("structures", "pixel_mm")}
    return PackedSample(**known_only(PackedSample, row) | lists)


@dataclass(frozen=True)
class _PreparedSample:
    image: Shaped[np.ndarray, "channels *space"]
    label: UInt8[np.ndarray, "*space"]
    about: PackedSample


def _prepared(cases: Sequence[Case], packing: Packing, on_progress: OnProgress | None) -> Iterator[_PreparedSample]:
    # A table of all values that a byte can have: one look-up a pixel, and what the scheme does not name is
    # background.
    classes = np.zeros(256, np.uint8)
    for index, structure in enumerate(packing.scheme.structures, start=1):
        classes[packing.scheme.values[structure]] = index
    for case in counted(cases, on_progress):
        yield from _samples_of(case, classes, packing)


def _samples_of(case: Case, classes: UInt8[np.ndarray, "256"], packing: Packing) -> Iterator[_PreparedSample]:
    cine, preprocessing = case.read_image(), packing.preprocessing
    labels = None if case.read_labels is None else case.read_labels()
    indices = None if labels is None else _class_indices(labels, cine.grid_shape, classes, case.name)
    structures = () if labels is None else _annotated(labels.scheme, packing.scheme, case.name)
    last = slice(-packing.axes, None)
    spacing: tuple[float, ...] | None = cine.spacing_mm
    sides = tuple(cine.grid_shape)[last]
    transform = preprocessing.transform_for(sides, spacing and spacing[last], packing.centre_of(cine))
    pixel_mm = () if spacing is None else _pixel_mm(transform, spacing)
    class_count = int(classes.max()) + 1
    field = _field_of_view(case, cine.grid_shape[1:])
    for position in np.ndindex(cine.grid_shape[: -packing.axes]):
        # Of a volume as a whole, so that one scale of grey values serves all of its slices.
        stored, low, high = _stored(preprocessing.resample(cine.frames[position], transform))
        if indices is None:
            label = np.full(stored.shape[1:], IGNORED, np.uint8)
        else:
            # By the same map as the image: labels that were placed apart would be off by up to a pixel.
            label = preprocessing.resample_labels(indices[position], transform, class_count=class_count)
            label[_beyond_the_stack(transform)] = IGNORED
            if field is not None:
                label[~preprocessing.resample_mask(field[position[1:]], transform)] = IGNORED
        time, *slices = position
        where = (str(case.phase), str(case.view), time, slices[0] if slices else 0)
        about = PackedSample(
            case.name, dict(case.groups), *where, low, high, indices is not None, structures, pixel_mm=pixel_mm
        )
        yield _PreparedSample(stored, label, about)


def _pixel_mm(transform: ResamplingTransform, spacing_mm: Sequence[float]) -> tuple[float, ...]:
    """Size of a pixel of the network's grid (row, column)."""
    sides = zip(transform.axes[-2:], spacing_mm[-2:], strict=True)
    return tuple(round(axis.scale * float(size), 6) for axis, size in sides)


def _beyond_the_stack(transform: ResamplingTransform) -> tuple[Any, ...]:
    """Where slices of a volume lie above or below all of its stack: there is no reference for what nobody has seen."""
    if len(transform.axes) < 3:
        return (slice(0, 0),)
    return (~transform.axes[0].weights().any(axis=1),)


def _annotated(own: LabelScheme, scheme: LabelScheme, case: str) -> tuple[str, ...]:
    """Structures that a case's labels tell of, empty where these are all of the scheme.

    Raises:
        InputError: the labels name a structure by another value than the scheme, or one that it has not.
    """
    if not own.values.items() <= scheme.values.items():
        raise InputError(f"labels of scheme {own.name} are not those of scheme {scheme.name}", where=case)
    return () if len(own.values) == len(scheme.values) else tuple(str(structure) for structure in own.structures)


def _class_indices(
    labels: LabelMap, shape: tuple[int, ...], classes: UInt8[np.ndarray, "256"], case: str
) -> UInt8[np.ndarray, "time depth height width"]:
    """Class index of every pixel of a case."""
    if labels.array.shape != shape:
        raise InputError(f"labels {labels.array.shape} and image {shape} differ in shape", where=case)
    indices: UInt8[np.ndarray, "time depth height width"] = classes[labels.array]
    return indices


def _field_of_view(case: Case, shape: tuple[int, int, int]) -> Bool[np.ndarray, "depth height width"] | None:
    """Where the case's pixels count, None where all do."""
    if case.read_field_of_view is None:
        return None
    field = case.read_field_of_view()
    if field.shape != shape:
        raise InputError(f"field of view {field.shape} and image {shape} differ in shape", where=case.name)
    return field


def _stored(
    moved: Shaped[np.ndarray, "channels *space"],
) -> tuple[Shaped[np.ndarray, "channels *space"], float, float]:
    """Bytes stay bytes; anything else is stretched over 16 bits, its extremes remembered."""
    if moved.dtype == np.uint8:
        return moved, 0.0, 255.0
    low, high = float(moved.min()), float(moved.max())
    # In float64: in float32 the differences of large values would lose digits that 16 bits can hold.
    stretched = (moved.astype(np.float64) - low) / max(high - low, 1e-12) * 65535
    return np.rint(stretched).astype(np.uint16), low, high


def _write(folder: Path, prepared: Iterator[_PreparedSample]) -> None:
    samples = list(prepared)
    _check_sizes(samples)
    samples = _equally_deep(samples)
    images = np.stack(_at_one_depth([sample.image for sample in samples]))
    labels = np.stack([sample.label for sample in samples])
    write_packed(folder, images, labels, [sample.about for sample in samples])


def write_packed(
    folder: Path,
    images: Shaped[np.ndarray, "samples channels *space"],
    labels: UInt8[np.ndarray, "samples *space"],
    samples: Sequence[PackedSample],
) -> None:
    """Write a packed cache: see `PackedDataset`.

    Raises:
        WorkError: the folder cannot be written.
    """
    _LOG.info("packing %d samples into %s", len(samples), folder)
    with staged_folder(folder) as staged, as_work_error(folder):
        np.save(staged / "images.npy", images)
        np.save(staged / "labels.npy", labels)
        index = {
            "sha256": {stem: _digest(staged / f"{stem}.npy") for stem in ("images", "labels")},
            "samples": [to_plain(sample) for sample in samples],
        }
        (staged / "index.json").write_text(json.dumps(PACKED.stamp(index)))


def _check_sizes(samples: Sequence[_PreparedSample]) -> None:
    if not samples:
        raise InputError("there is nothing to pack: no case")
    # Stacks have as many slices as their hearts are long: those may differ.
    shapes = {(len(sample.image), *sample.image.shape[-2:]) for sample in samples}
    if len(shapes) > 1:
        raise InputError(
            f"samples come out at different sizes (channels, height, width): {sorted(shapes)[:4]}",
            remedy="end the preprocessing with `resize` or `crop-or-pad`.",
        )


def _equally_deep(samples: list[_PreparedSample]) -> list[_PreparedSample]:
    """Volumes filled up to the depth of the deepest: black slices after their last one, which are `IGNORED`."""
    depths = [sample.label.shape[0] if sample.label.ndim == 3 else 0 for sample in samples]
    return [
        sample if depth == max(depths) else _filled(sample, max(depths) - depth)
        for sample, depth in zip(samples, depths, strict=True)
    ]


def _filled(sample: _PreparedSample, missing: int) -> _PreparedSample:
    image = np.pad(sample.image, ((0, 0), (0, missing), (0, 0), (0, 0)))
    label = np.pad(sample.label, ((0, missing), (0, 0), (0, 0)), constant_values=IGNORED)
    return _PreparedSample(image, label, replace(sample.about, slices=len(sample.label)))


def _at_one_depth(
    images: list[Shaped[np.ndarray, "channels *space"]],
) -> list[Shaped[np.ndarray, "channels *space"]]:
    """Bytes among 16-bit images are spread over 16 bits, which changes no value in unit range: 255 * 257 = 65535."""
    if len({image.dtype for image in images}) == 1:
        return images
    return [image.astype(np.uint16) * np.uint16(257) if image.dtype == np.uint8 else image for image in images]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
