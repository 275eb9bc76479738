"""Images: stills, TIFF and Netpbm by what is in them, and labels as grey values."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelMap
from cardiotrace.io import netpbm, still, tiff
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.content import Beginning
from cardiotrace.io.stored import Pixels, StoredImage, quiet, reading, stored_shape

SUFFIXES = (*still.SUFFIXES, *tiff.SUFFIXES, *netpbm.SUFFIXES)
LABEL_SUFFIXES = (".png", *tiff.SUFFIXES)
"""What loses nothing and is written here."""
LOSSY_SUFFIXES = (".jpg", ".jpeg")

_KINDS = {".jpg": "jpeg", ".jpeg": "jpeg", ".bmp": "bmp", ".gif": "gif", ".tif": "tiff", ".tiff": "tiff"}


def kind_of(head: bytes) -> str | None:
    """Which kind of image a file begins as; None where it is none."""
    if tiff.begins(head):
        return "tiff"
    return "netpbm" if netpbm.begins(head) else still.kind_of(head)


def begins(head: bytes) -> bool:
    """Whether a file begins as one of the images that are read here."""
    return kind_of(head) is not None


def read_header(path: Path, suffix: str, start: Beginning) -> StoredImage:
    """Size and type of an image; the pages of a TIFF and the frames of an animation are a third axis, in time.

    Raises:
        InputError: not an image, or one of absurd size.
    """
    kind = kind_of(start.head) or _KINDS.get(suffix.lower(), "netpbm" if suffix.lower() in netpbm.SUFFIXES else "png")
    with reading(path, "an image"), quiet("tifffile"), quiet("PIL"):
        if kind == "netpbm":
            return netpbm.read_header(path, suffix, start)
        if start.is_gzip:
            raise InputError(f"is a compressed {kind.upper()} image", where=path, remedy="unpack it first: `gunzip`.")
        return tiff.read_header(path, suffix) if kind == "tiff" else still.read_header(path, suffix, kind, start.head)


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Pixels ([[page,] page,] row, column[, 3]) of an image, upright as viewers show it.

    Raises:
        InputError: the image is damaged, or lies in its transparency.
    """
    with reading(image.path, "an image"), quiet("tifffile"), quiet("PIL"):
        if isinstance(image.header, netpbm.NetpbmHeader):
            pixels = netpbm.read_pixels(image)
        else:
            library = tiff if isinstance(image.header, tiff.TiffHeader) else still
            pixels = library.read_pixels(image, as_labels=as_labels)
    grid = image.shape[::-1]
    # Labels in a palette are its indices, one number for each pixel.
    expected = (grid, (*grid, 3)) if as_labels else (grid if image.channel_count == 1 else (*grid, 3),)
    if pixels.values.shape not in expected:
        raise InputError(f"holds {pixels.values.shape} pixels where its header says {expected[-1]}", where=image.path)
    return pixels


def write_labels(labels: LabelMap, path: Path, suffix: str) -> None:
    """Write label values as grey values: one PNG, or a TIFF with one page per frame.

    Raises:
        InputError: several frames for a PNG, or the labels do not lie on the image's grid.
        WorkError: the file cannot be written.
    """
    if labels.source is not None:
        stored_shape(labels.array.shape, labels.source)
    planes = labels.array.reshape(-1, *labels.array.shape[2:])
    if suffix.lower() in tiff.SUFFIXES:
        write_bytes(path, _tiff(labels.array if min(labels.array.shape[:2]) > 1 else planes))
        return
    if suffix.lower() != ".png" or len(planes) != 1:
        raise InputError(
            f"{len(planes)} label planes cannot be written as {suffix}", where=path, remedy="use .tif or .nii.gz."
        )
    write_bytes(path, png(planes[0]))


def write_raster(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write one image, (height, width) or (height, width, 3), as PNG.

    Raises:
        InputError: the name does not end in .png.
        WorkError: the file cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise InputError(f"images cannot be written as {path.suffix}", where=path, remedy="the name must end in .png.")
    write_bytes(path, png(pixels))


def png(plane: NDArray[np.uint8]) -> bytes:
    """One image as the bytes of a PNG file."""
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(plane).save(content, format="PNG")
    return content.getvalue()


def _tiff(planes: NDArray[np.uint8]) -> bytes:
    import tifffile

    content = io.BytesIO()
    options: dict[str, Any] = {"photometric": "minisblack", "compression": "zlib"}
    # Time and depth both: said, so that it is read back as it was.
    options["metadata"] = {"axes": "TZYX"} if planes.ndim == 4 else {}
    tifffile.imwrite(content, planes if len(planes) > 1 else planes[0], **options)
    return content.getvalue()
