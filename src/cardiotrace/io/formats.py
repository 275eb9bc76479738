"""The table of file formats, and which of them a file is in: by its content first, then by its name."""

import dataclasses
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelMap
from cardiotrace.io import image_folder, metaimage, nifti, raster, video
from cardiotrace.io.content import NOTHING, Beginning, beginning, foreign
from cardiotrace.io.pixel_file import MissingPixelsError
from cardiotrace.io.stored import Reader, StoredImage


@dataclass(frozen=True)
class Format:
    """One file format: how it is told, which suffixes it has, and what reads and writes it."""

    name: str
    suffixes: tuple[str, ...]
    """Lower case; "" is a folder."""
    begins: Callable[[bytes], bool]
    """Whether a file, decompressed, begins as files of this format do."""
    read_header: Callable[[Path, str, Beginning], StoredImage]
    read_pixels: Reader
    write_labels: Callable[[LabelMap, Path, str], None] | None
    """None: labels of such an image are written as NIfTI."""
    label_suffixes: tuple[str, ...]
    """That its labels can be written with, the usual one first."""
    summary: str
    lossy_suffixes: tuple[str, ...] = ()
    """Suffixes of files that cannot hold exact label values."""


FORMATS: tuple[Format, ...] = (
    Format(
        "nifti", nifti.SUFFIXES, nifti.begins, nifti.read_header, nifti.read_pixels, nifti.write_labels,
        nifti.SUFFIXES, "NIfTI-1 and -2: 2 to 4 axes, spacing, orientation, frame interval.",
    ),
    Format(
        "metaimage", metaimage.SUFFIXES, metaimage.begins, metaimage.read_header, metaimage.read_pixels,
        metaimage.write_labels, metaimage.SUFFIXES,
        "MetaImage, header and pixels apart (.mhd with .raw or .zraw) or in one file (.mha).",
    ),
    Format(
        "image", raster.SUFFIXES, raster.begins, raster.read_header, raster.read_pixels, raster.write_labels,
        raster.LABEL_SUFFIXES,
        "PNG, JPEG, BMP, GIF, TIFF and Netpbm (also .ppm.gz) of 8 or 16 bit, grey or colour; pages are frames.",
        raster.LOSSY_SUFFIXES,
    ),
    Format(
        "folder", ("",), lambda head: False, image_folder.read_header, image_folder.read_pixels,
        image_folder.write_labels, ("",), "A folder of images: one frame each, in natural order of their names.",
    ),
    Format(
        "video", video.SUFFIXES, video.begins, video.read_header, video.read_pixels, None, nifti.SUFFIXES,
        "AVI and MP4 videos, as grey values; labels go to .nii.gz, as lossy videos cannot hold them.",
        video.SUFFIXES,
    ),
)  # fmt: skip


@cache
def image_suffixes() -> tuple[str, ...]:
    """All suffixes of image files, longest first."""
    return tuple(sorted((suffix for form in FORMATS for suffix in form.suffixes if suffix), key=len, reverse=True))


@cache
def raster_suffixes() -> tuple[str, ...]:
    """Suffixes of raster images: stills that can be the frames of a video; longest first."""
    return tuple(sorted(raster.SUFFIXES, key=len, reverse=True))


@cache
def label_suffixes() -> tuple[str, ...]:
    """Suffixes of files that can hold label maps, longest first."""
    lossy = {suffix for form in FORMATS for suffix in form.lossy_suffixes}
    return tuple(suffix for suffix in image_suffixes() if suffix not in lossy)


def suffix_of(path: Path) -> str | None:
    """The suffix as it stands in the name, None where no format has it."""
    name = path.name.lower()
    length = next((len(suffix) for suffix in image_suffixes() if name.endswith(suffix)), None)
    return None if length is None else path.name[-length:]


def format_of(path: Path) -> Format | None:
    """The format of a file by its first bytes, by its name where they say nothing; None where it is no image.

    Nothing but the first bytes is read, so it serves to look through a folder.
    """
    try:
        start = NOTHING if path.is_dir() else beginning(path)
    except InputError:
        return None
    return _choose(path, start)


def open_image(path: str | Path, images: Sequence[str] = ()) -> tuple[StoredImage, Format]:
    """The header of an image, and the format that reads its pixels.

    Args:
        path: a file, or a folder of images.
        images: names of those images in the folder that are its frames, in order; none takes them all.

    Raises:
        InputError: the file is missing, damaged, or not an image.
    """
    path = Path(path)
    if not os.path.lexists(path):
        raise InputError("there is no such file or folder", where=path, remedy="check the path.")
    start = NOTHING if _is_folder(path) else beginning(path)
    form = _choose(path, start)
    if form is None:
        raise _unknown(path, start)
    if images and start is NOTHING:
        return image_folder.read_header(path, "", start, images), form
    image = form.read_header(path, _suffix(path, start, form), start)
    return dataclasses.replace(image, notes=(*_misnamed(path, start, form), *image.notes)), form


def pixel_files(path: Path) -> tuple[Path, ...]:
    """Files beside an image that hold its pixels: one for a MetaImage header, none for any other image.

    Whatever decides whether an image is complete, or copies or watches its files, asks here.

    Raises:
        InputError: a MetaImage header cannot be read, or the file of its pixels is missing.
    """
    # By the name where there is one: a data set of thousands of files is not opened for this.
    named = suffix_of(path)
    if named is not None and named.lower() not in metaimage.SUFFIXES:
        return ()
    form = format_of(path)
    return metaimage.pixel_files(path) if form is not None and form.name == "metaimage" else ()


def has_pixels(path: Path) -> bool:
    """Whether an image is there with the file of its pixels: public copies of data sets hold headers without."""
    try:
        pixel_files(path)
    except MissingPixelsError:
        return False
    except InputError:
        pass  # damaged: said when it is read, and no reason to leave it out
    return path.exists()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False  # said in words when it is opened


def _choose(path: Path, start: Beginning) -> Format | None:
    if start is NOTHING:
        return next(form for form in FORMATS if "" in form.suffixes)
    if (by_content := next((form for form in FORMATS if form.begins(start.head)), None)) is not None:
        return by_content
    suffix = suffix_of(path)
    if suffix is None or foreign(start) is not None:
        return None
    return next(form for form in FORMATS if suffix.lower() in form.suffixes)


def _unknown(path: Path, start: Beginning) -> InputError:
    if (known := foreign(start)) is not None:
        return InputError(known[0], where=path, remedy=known[1])
    suffixes = ", ".join(suffix for form in FORMATS for suffix in form.suffixes if suffix)
    return InputError(
        "no format is known by this suffix", where=path, remedy=f"known: {suffixes}, or a folder of images."
    )


def _suffix(path: Path, start: Beginning, form: Format) -> str:
    if start is NOTHING:
        return ""
    known = suffix_of(path)
    return path.suffix if known is None else known


def _misnamed(path: Path, start: Beginning, form: Format) -> tuple[str, ...]:
    """A word where name and content disagree about the format."""
    suffix = (suffix_of(path) or path.suffix).lower()
    if start is NOTHING or not suffix:
        return ()
    if suffix not in form.suffixes:
        return (f"its name ends in {suffix}, its content is {form.name}; it was read as that",)
    if form.name == "nifti" and suffix.endswith(".gz") != start.is_gzip:
        return (f"its name ends in {suffix}, and it is {'' if start.is_gzip else 'not '}compressed",)
    return ()
