"""The pixels of a copy: decoded, black where there may be writing, and stored without loss."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Modality
from cardiotrace.io.dicom import fact
from cardiotrace.io.dicom.decoding import Frame, frames_of
from cardiotrace.io.dicom.header import whole_of
from cardiotrace.io.dicom.object_file import class_of
from cardiotrace.io.dicom.picture import CAPTURES, modality_of
from cardiotrace.io.dicom.pixels import colours_of_palette, rgb_of_ybr
from cardiotrace.io.dicom.region import region_of
from cardiotrace.io.dicom.source import DicomFile
from cardiotrace.io.stored import MAX_PIXEL_BYTES, quiet, reading

if TYPE_CHECKING:
    from pydicom import Dataset

Part = tuple[slice, slice]
"""Rows and columns."""
_YUV = ("YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_420", "YBR_PARTIAL_422")
_GREY = ("MONOCHROME1", "MONOCHROME2")
_MOST = 0.75
"""Share of a picture beyond which a region holds its margins as well, where scanners write."""
_LOSSY = tuple(f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 81, 91, *range(100, 109)))
"""Transfer syntaxes that lose something, films among them; these may have a further part behind the number."""


@dataclass(frozen=True)
class Treatment:
    """What is to be done with the pixels of an object."""

    part: Part | None = None
    """What stays of every frame; None for all of it."""
    may_tell: bool = False
    """Whether there may be writing in what stays."""


def treatment_of(file: DicomFile, *, keep_screens: bool) -> Treatment:
    """What is to be done with the pixels of an object.

    Args:
        file: the object.
        keep_screens: whether objects are copied that may hold writing in their pixels.

    Raises:
        InputError: it is not copied, with the reason.
    """
    header, kind = file.header, class_of(file.header)
    if kind not in CAPTURES and modality_of(header) is Modality.UNKNOWN:
        raise InputError("no image of a kind that is read")
    _check_size(file)
    if kind not in CAPTURES and modality_of(header) is Modality.US:
        part, why = _tissue(file)
    else:
        part, why = None, _why_writing(header, kind)
    if why and not keep_screens:
        raise InputError(f"{why}: --keep-screens copies it all the same")
    return Treatment(part, bool(why))


def _check_size(file: DicomFile) -> None:
    """Refuse an object that claims more pixels than are read, before any of them is.

    Raises:
        InputError: it does, or states no size.
    """
    rows, columns = (whole_of(file.header, keyword) for keyword in ("Rows", "Columns"))
    frames = whole_of(file.header, "NumberOfFrames")
    samples, bits = whole_of(file.header, "SamplesPerPixel") or 1, whole_of(file.header, "BitsAllocated") or 8
    if not rows or not columns or rows < 1 or columns < 1 or (frames is not None and frames < 1):
        raise InputError("states no size of its picture")
    if rows * columns * (frames or 1) * max(samples, 1) * bits / 8 > MAX_PIXEL_BYTES:
        raise InputError(f"claims {frames or 1} frames of {rows} x {columns} pixels, more than is read")


def _why_writing(header: "Dataset", kind: str) -> str:
    """Why there may be writing in the picture of an object that states no region; empty where there is none."""
    stated = fact.text(header, "BurnedInAnnotation").upper()
    if stated == "YES":
        return "says that there is writing in its picture"
    if kind in CAPTURES:
        return "a secondary capture, what was on a screen: there may be names in it"
    if modality_of(header) is Modality.PHOTOGRAPH and stated != "NO":
        return "does not say that its picture is free of writing"
    if modality_of(header) is Modality.MR and whole_of(header, "SamplesPerPixel") != 1:
        return "in colour, what was on a screen: there may be names in it"
    return ""


def _tissue(file: DicomFile) -> tuple[Part | None, str]:
    """The region of tissue of an ultrasound picture, and why there may be writing in what it leaves."""
    shape = (whole_of(file.header, "Rows") or 0, whole_of(file.header, "Columns") or 0)
    try:
        region = region_of(file, shape)
    except InputError as error:
        return None, f"{error.what}, nothing to be left while the rest is blackened"
    part = (region.rows, region.columns)
    height, width = (side.stop - side.start for side in part)
    if height * width <= _MOST * shape[0] * shape[1]:
        return part, ""
    is_free = fact.text(file.header, "BurnedInAnnotation").upper() == "NO"
    what = "states no region of tissue that is clearly smaller than the picture: there may be names in it"
    return part, "" if is_free else what


def put_pixels(copy: "Dataset", file: DicomFile, treatment: Treatment) -> None:
    """Put the pixels of an object into its copy, and what says how they are stored.

    Args:
        copy: header of the copy.
        file: the original.
        treatment: what is to be done.

    Raises:
        InputError: they are missing or damaged.
    """
    with reading(file.path, "a DICOM"), quiet("pydicom"), quiet("libav"):
        source = file.read()
        frames = [_kept(frame, source, treatment.part) for frame in frames_of(source, file.path)]
    stated = whole_of(source, "NumberOfFrames") or 1
    if len(frames) != stated or len({frame.values.shape for frame in frames}) != 1:
        raise InputError(f"holds {len(frames)} frames of {stated}", where=file.path, remedy="export it again.")
    values = np.stack([frame.values for frame in frames])
    _describe(copy, values, frames[0].photometric, source)
    _store(copy, values)
    if fact.text(source.file_meta, "TransferSyntaxUID").startswith(_LOSSY):
        copy.LossyImageCompression = "01"
    if treatment.part is not None and not treatment.may_tell:
        copy.BurnedInAnnotation = "NO"


def _store(copy: "Dataset", values: NDArray[Any]) -> None:
    """Single pictures uncompressed, as everything reads them; films, which would be large, by JPEG-LS without loss.

    Brightness and two colour differences are RLE, without loss as well: the class of ultrasound allows these no other
    encoding that keeps each value.

    Source:
        DICOM PS3.3 C.8.5.6.1.2 and C.8.5.6.1.16.
    """
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, JPEGLSLossless, RLELossless

    copy.file_meta = FileMetaDataset()
    copy.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    content = values.astype(values.dtype.newbyteorder("<"), copy=False).tobytes()
    copy.PixelData = content + b"\0" * (len(content) % 2)
    copy["PixelData"].VR = "OW" if values.itemsize > 1 else "OB"
    if copy.PhotometricInterpretation == "YBR_FULL":
        copy.compress(RLELossless, generate_instance_uid=False)
        copy.PlanarConfiguration = 1  # RLE stores planes; the library leaves the word as it was before
    elif len(values) > 1:
        copy.compress(JPEGLSLossless, encoding_plugin="pyjpegls", generate_instance_uid=False)


def _describe(copy: "Dataset", values: NDArray[Any], photometric: str, source: "Dataset") -> None:
    """How the pixels are stored."""
    is_grey = photometric in _GREY
    bits = 8 * values.itemsize
    stored = min(whole_of(source, "BitsStored") or bits, bits) if is_grey else bits
    copy.SamplesPerPixel, copy.PhotometricInterpretation = 1 if is_grey else 3, photometric
    if not is_grey:
        copy.PlanarConfiguration = 0
    copy.Rows, copy.Columns = values.shape[1:3]
    copy.BitsAllocated, copy.BitsStored, copy.HighBit = bits, stored, stored - 1
    copy.PixelRepresentation = int(values.dtype.kind == "i")


def _kept(frame: Frame, source: "Dataset", part: Part | None) -> Frame:
    """A frame in a form that can be stored uncompressed, black outside the part that stays."""
    values, meaning = frame.values, frame.photometric
    if meaning == "PALETTE COLOR":
        values, meaning = colours_of_palette(values, source), "RGB"
    elif meaning in _YUV and modality_of(source) is not Modality.US:
        values, meaning = rgb_of_ybr(values), "RGB"  # as it is read; the class of photographs has no YBR_FULL
    elif meaning in _YUV:
        meaning = "YBR_FULL"
    elif values.ndim == 3:
        meaning = "RGB"
    elif meaning in _GREY:
        values = _in_its_bits(values, source)
    else:
        raise InputError(f"has pixels of a meaning that is not known ({meaning})")
    return Frame(values if part is None else _blackened(values, meaning, part, source), meaning)


def _in_its_bits(values: NDArray[Any], source: "Dataset") -> NDArray[Any]:
    """Values without what older writers keep in the bits beside them: graphics, and with them writing."""
    allocated = 8 * values.itemsize
    stored = whole_of(source, "BitsStored") or allocated
    high = whole_of(source, "HighBit")
    high = stored - 1 if high is None else high
    if values.dtype.kind not in "iu" or not 0 < stored <= high + 1 <= allocated or stored == allocated:
        return values
    return (values << (allocated - 1 - high)) >> (allocated - stored)


def _blackened(values: NDArray[Any], meaning: str, part: Part, source: "Dataset") -> NDArray[Any]:
    black: Any = 0
    if meaning == "YBR_FULL":
        black = (0, 128, 128)
    elif meaning in _GREY:
        bits, is_signed = whole_of(source, "BitsStored") or 8 * values.itemsize, values.dtype.kind == "i"
        lowest, highest = (-(1 << bits - 1), (1 << bits - 1) - 1) if is_signed else (0, (1 << bits) - 1)
        black = highest if meaning == "MONOCHROME1" else lowest
    result = np.empty_like(values)
    result[...] = black
    result[part] = values[part]
    return result
