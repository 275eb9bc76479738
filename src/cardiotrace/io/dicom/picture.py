"""One object as an image of its own: its header before any pixel is read, and its pixels."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.io.colour import by_the_rule, colour_doubt
from cardiotrace.io.dicom.fact import items, numbers, text
from cardiotrace.io.dicom.header import value_of, whole_of
from cardiotrace.io.dicom.pixels import read_frames
from cardiotrace.io.dicom.region import Region, region_of
from cardiotrace.io.dicom.source import DicomFile, DicomFrame, DicomSource
from cardiotrace.io.dicom.timing import r_waves_of, timing_of
from cardiotrace.io.dicom.visit import acquisition_of
from cardiotrace.io.frames import geometry_of, source_of, to_frames, to_grey_values
from cardiotrace.io.stored import Pixels, StoredImage, check_shape, check_size_on_disk, header_of, quiet, reading
from cardiotrace.io.vocabulary import Kind, read_words

if TYPE_CHECKING:
    from pydicom import Dataset

FORMAT = "dicom"
"""Name of the format in `FileSource`."""
_IMAGES = "1.2.840.10008.5.1.4.1.1."
ULTRASOUND = tuple(_IMAGES + kind for kind in ("3", "3.1", "6", "6.1"))
PHOTOGRAPHS = tuple(_IMAGES + kind for kind in ("77.1.5.1", "77.1.5.2"))
MAGNETIC_RESONANCE = tuple(_IMAGES + kind for kind in ("4", "4.1", "4.4"))
CAPTURES = tuple(_IMAGES + kind for kind in ("7", "7.1", "7.2", "7.3", "7.4"))
"""Secondary captures: whatever was on a screen."""
_VIEW_CODES = {
    **dict.fromkeys(("399214001", "G-A19C", "130681", "130682"), View.FOUR_CHAMBER),
    **dict.fromkeys(("399232001", "G-A19B"), View.TWO_CHAMBER),
    **dict.fromkeys(("399339008", "G-0395"), View.THREE_CHAMBER),
    **dict.fromkeys(("399139001", "G-0396"), View.PLAX),
    **dict.fromkeys(("399306005", "399239005", "399371001", "399036006", "399271003"), View.SAX),
    **dict.fromkeys(("G-0397", "G-0398", "G-0399", "G-039A", "G-039B"), View.SAX),
}
"""Codes of context group 12226, Echocardiography Image View, in SNOMED CT and as they were written before."""
_TYPES = {(8, 0): np.uint8, (8, 1): np.int8, (16, 0): np.uint16, (16, 1): np.int16}
_MOST_FRAMES = 1_000_000
"""Hours of recording; what lists the frames has to be kept as well."""
_LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class _Layout:
    """Sizes of the pixels of an object, as its header states them."""

    rows: int
    columns: int
    frames: int
    samples: int
    bits: int
    """That a sample takes."""
    is_signed: bool


def modality_of(header: "Dataset") -> Modality:
    """How an object's pictures were made, by its class; of a capture by the word in its header."""
    kind = text(header, "SOPClassUID")
    if kind in ULTRASOUND or (kind in CAPTURES and text(header, "Modality") == "US"):
        return Modality.US
    if kind in MAGNETIC_RESONANCE:
        return Modality.MR
    return Modality.PHOTOGRAPH if kind in PHOTOGRAPHS else Modality.UNKNOWN


def view_of(header: "Dataset") -> View:
    """The view that a code or a description states; unknown where none does, or they contradict each other."""
    stated = items(header, "ViewCodeSequence")
    codes = {_VIEW_CODES.get(text(item, "CodeValue"), View.UNKNOWN) for item in stated} - {View.UNKNOWN}
    if len(codes) == 1:
        return codes.pop()
    told = [text(item, "CodeMeaning") for item in stated]
    told += [text(header, keyword) for keyword in ("SeriesDescription", "ImageComments", "ProtocolName")]
    for words in told:
        views = {word.view for word in read_words(words) if word.kind is Kind.VIEW and word.is_clear}
        if views:
            return views.pop() if len(views) == 1 else View.UNKNOWN
    return View.UNKNOWN


def stored_image(file: DicomFile) -> StoredImage:
    """The header of the image that an object is, with everything checked that can be before pixels are read.

    Raises:
        InputError: it is no image, an empty one, or one of absurd size.
    """
    with reading(file.path, "a DICOM"), quiet("pydicom"):
        return _stored_image(file)


def _stored_image(file: DicomFile) -> StoredImage:
    header, layout = file.header, _layout(file)
    modality = modality_of(header)
    is_coloured = layout.samples == 3 or text(header, "PhotometricInterpretation") == "PALETTE COLOR"
    image = StoredImage(
        path=file.path,
        format=FORMAT,
        suffix=file.path.suffix,
        shape=(layout.columns, layout.rows, *((layout.frames,) if layout.frames > 1 else ())),
        dtype=np.dtype(np.uint8 if is_coloured else _TYPES[layout.bits, layout.is_signed]),
        channel_count=3 if is_coloured and modality is not Modality.US else 1,
        third_is_time=True,
        is_lossy=text(header, "LossyImageCompression") == "01",
        view=view_of(header),
        modality=modality,
    )
    check_shape(image)
    _check_stored(file, image, layout)
    return _described(image, file, layout)


def _described(image: StoredImage, file: DicomFile, layout: _Layout) -> StoredImage:
    """The image with sizes, times and all else that its header states, once its shape is known to be one.

    Raises:
        InputError: it shows no picture of tissue.
    """
    region = region_of(file, (layout.rows, layout.columns)) if image.modality is Modality.US else None
    timing = timing_of(file.header, layout.frames)
    spacing, affine = _place(file.header, region)
    return replace(
        image,
        spacing_mm=spacing,
        affine=affine,
        is_oriented=affine is not None,
        doubts=() if region is None else region.doubts,
        times_ms=timing.times_ms,
        times=timing.known,
        acquisition=replace(
            acquisition_of(file.header),
            r_waves_ms=r_waves_of(file.header),
            region=None if region is None else region.part_of(layout.rows, layout.columns),
        ),
        frame_interval_ms=timing.interval_ms,
        header=DicomSource(tuple((DicomFrame(file, number + 1),) for number in range(layout.frames))),
        notes=(*timing.notes, *(() if region is None else region.notes)),
    )


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Pixels ([frame,] row, column[, 3]); of ultrasound the brightness, black outside the region of tissue.

    Raises:
        InputError: they are missing or damaged.
    """
    file = header_of(image, DicomSource).frames[0][0].file
    columns, rows = image.shape[:2]
    region = region_of(file, (rows, columns)) if image.modality is Modality.US else None
    return read_frames(file, image, region, as_labels=as_labels)


def read_picture(file: DicomFile) -> Image:
    """The image that an object is.

    Raises:
        InputError: it is none, or damaged.
    """
    image = stored_image(file)
    axes = "xyt"[: len(image.shape)]
    pixels = read_pixels(image)
    read = Image(
        to_frames(to_grey_values(pixels.values, image), axes),
        geometry_of(image, axes),
        image.times_ms,
        image.view,
        source_of(image, axes),
        modality=image.modality,
        times=image.times,
        acquisition=image.acquisition,
        notes=image.notes,
        doubts=colour_doubt(pixels.strong_colour),
    )
    return by_the_rule(read)


def _layout(file: DicomFile) -> _Layout:
    """Sizes as the header states them.

    Raises:
        InputError: it states none, or such as no image has.
    """
    header = file.header
    stated = {name: whole_of(header, name) for name in ("Rows", "Columns", "SamplesPerPixel", "BitsAllocated")}
    if any(value is None for value in stated.values()):
        missing = next(name for name, value in stated.items() if value is None)
        raise InputError(f"states no {missing}: it is no image", where=file.path)
    rows, columns, samples, bits = (value or 0 for value in stated.values())
    count = value_of(header, "NumberOfFrames")
    frames = 1 if count is None else whole_of(header, "NumberOfFrames")
    is_signed = whole_of(header, "PixelRepresentation") == 1
    if frames is None or not 1 <= frames <= _MOST_FRAMES or rows < 1 or columns < 1:
        shown = f"{_on_one(count)} frames of {rows} x {columns} pixels"
        raise InputError(f"its header claims {shown}", where=file.path, remedy="export it again.")
    if samples not in (1, 3) or (bits, is_signed) not in _TYPES or (samples == 3 and bits != 8):
        raise InputError(f"has {samples} samples of {bits} bit a pixel, which is not read", where=file.path)
    return _Layout(rows, columns, frames, samples, bits, is_signed)


def _on_one(count: object) -> str:
    """A number of frames as a header states it, in few letters."""
    return re.sub(r"[^0-9.+-]", "", "1" if count is None else str(count))[:20] or "no number of"


def _check_stored(file: DicomFile, image: StoredImage, layout: _Layout) -> None:
    """Refuse an uncompressed object that claims more pixels than its file can hold.

    Raises:
        InputError: the file is cut short, or its header wrong.
    """
    from pydicom.uid import UID

    meta = getattr(file.header, "file_meta", None)
    syntax = UID(text(meta, "TransferSyntaxUID")) if meta is not None else UID("")
    is_plain = not syntax or (syntax.is_transfer_syntax and not syntax.is_compressed and not syntax.is_deflated)
    if is_plain and not file.member and file.path.is_file():
        half = text(file.header, "PhotometricInterpretation") == "YBR_FULL_422"
        needed = layout.frames * layout.rows * layout.columns * layout.samples * layout.bits // 8
        available = file.path.stat().st_size
        check_size_on_disk(image, available, compressed=False, needed=needed * 2 // 3 if half else needed)


def _place(
    header: "Dataset", region: Region | None
) -> tuple[tuple[float, ...] | None, Float[np.ndarray, "4 4"] | None]:
    """(x, y) size of a pixel, mm, and the map from (x, y, z) to the patient where the header states one."""
    if region is not None:
        return (None if region.pixel_mm is None else (region.pixel_mm[1], region.pixel_mm[0])), None
    spacing = numbers(header, "PixelSpacing")
    if len(spacing) != 2 or min(spacing) <= 0:
        return None, None
    sizes, position = (spacing[1], spacing[0]), numbers(header, "ImagePositionPatient")
    return sizes, _affine(sizes, numbers(header, "ImageOrientationPatient"), position)


def _affine(
    sizes: tuple[float, float], directions: Sequence[float], position: Sequence[float]
) -> Float[np.ndarray, "4 4"] | None:
    """From (x, y, z, 1) of a plane to RAS+, mm; one step of z is 1 mm along the normal."""
    if len(directions) != 6 or len(position) != 3:
        return None
    along_row, along_column = np.array(directions[:3]), np.array(directions[3:])
    normal = np.cross(along_row, along_column)
    if not np.isclose(np.linalg.norm(normal), 1, atol=1e-2):
        return None
    affine = np.eye(4)
    affine[:3, :3] = _LPS_TO_RAS @ np.column_stack([along_row * sizes[0], along_column * sizes[1], normal])
    affine[:3, 3] = _LPS_TO_RAS @ np.array(position)
    return affine
