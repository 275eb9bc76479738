"""Decoded frames to the pixels that are kept: brightness of hearts, colours of photographs, black beside the region."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.io.colour import luma, strong_share, strong_share_of_yuv
from cardiotrace.io.dicom.decoding import Frame, frames_of, transfer_syntax_of
from cardiotrace.io.dicom.header import value_of, whole_of
from cardiotrace.io.dicom.region import Region
from cardiotrace.io.dicom.source import DicomFile
from cardiotrace.io.stored import Pixels, StoredImage, quiet, reading

if TYPE_CHECKING:
    from pydicom import Dataset

_YUV = ("YBR_FULL", "YBR_FULL_422")
_COLOURS = ("RGB", "YBR_ICT", "YBR_RCT")


def read_frames(file: DicomFile, image: StoredImage, region: Region | None, *, as_labels: bool = False) -> Pixels:
    """The pixels of one object, decoded frame by frame into the place where they stay.

    Args:
        file: the object.
        image: its header, whose shape and type of pixel were checked.
        region: what is kept of each frame, black elsewhere; None for all of it.
        as_labels: indices of a palette are wanted, not its colours.

    Raises:
        InputError: the pixels are missing, damaged, or other than the header says.
    """
    columns, rows, *rest = image.shape
    count = rest[0] if rest else 1
    channels = (3,) if image.channel_count == 3 else ()
    part = (slice(None), slice(None)) if region is None else (region.rows, region.columns)
    kept = np.zeros((count, rows, columns, *channels), image.dtype)
    coloured, found = 0.0, 0
    with reading(image.path, "a DICOM"), quiet("pydicom"), quiet("libav"):
        dataset = file.read()
        for frame in frames_of(dataset, image.path):
            if found == count or frame.values.shape[:2] != (rows, columns):
                raise InputError("has other frames than its header says", where=image.path)
            cut = Frame(frame.values[part], frame.photometric)
            kept[(found, *part)], share = _kept(cut, dataset, image, as_labels=as_labels)
            coloured, found = max(coloured, share), found + 1
    if found != count:
        raise InputError(
            f"ends early: {found} of {count} frames can be read", where=image.path, remedy="copy or export it again."
        )
    return Pixels(kept if rest else kept[0], coloured)


def _kept(frame: Frame, dataset: "Dataset", image: StoredImage, *, as_labels: bool) -> tuple[NDArray[Any], float]:
    """The pixels of a frame as they are kept, and the share of strongly coloured ones that are not kept as such."""
    values, meaning = frame.values, frame.photometric
    if meaning == "MONOCHROME1":
        bits = whole_of(dataset, "BitsStored") or 8 * values.dtype.itemsize
        lowest, highest = (-(1 << bits - 1), (1 << bits - 1) - 1) if values.dtype.kind == "i" else (0, (1 << bits) - 1)
        return (lowest + highest - values if not as_labels else values), 0.0
    if meaning == "PALETTE COLOR" and not as_labels:
        values, meaning = colours_of_palette(values, dataset), "RGB"
    if values.ndim == 2:
        return values, 0.0
    if image.channel_count == 3:
        return (rgb_of_ybr(values) if meaning in _YUV else values), 0.0
    if meaning in _YUV:
        return values[..., 0], strong_share_of_yuv(values[..., 1], values[..., 2])
    if meaning in _COLOURS:
        return luma(values), strong_share(values)
    raise InputError(f"has colours of a kind that is not read ({meaning})", where=image.path)


def colours_of_palette(values: NDArray[Any], dataset: "Dataset") -> NDArray[np.uint8]:
    """Colours of a palette, (..., 3), of 8 bit."""
    from pydicom.pixels.processing import apply_color_lut
    from pydicom.uid import ExplicitVRBigEndian

    colours = apply_color_lut(values, dataset)
    if colours.itemsize > 1 and transfer_syntax_of(dataset) == ExplicitVRBigEndian:
        colours = colours.byteswap()  # the library takes the words of every palette for little-endian ones
    descriptor = value_of(dataset, "RedPaletteColorLookupTableDescriptor")
    bits = int(descriptor[2]) if descriptor is not None and len(descriptor) == 3 else 8
    return (colours >> (bits - 8) if bits > 8 else colours).astype(np.uint8)


def rgb_of_ybr(values: NDArray[Any]) -> NDArray[np.uint8]:
    """Brightness and two colour differences, (..., 3), as red, green and blue."""
    from pydicom.pixels.processing import convert_color_space

    colours: NDArray[np.uint8] = convert_color_space(values, "YBR_FULL", "RGB")
    return colours
