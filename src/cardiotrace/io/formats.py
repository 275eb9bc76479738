"""The table of file formats, and reading and writing by it."""

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Known
from cardiotrace.core.image import FileSource, Image
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.terms import Modality, View
from cardiotrace.io import metaimage, nifti, picture, video
from cardiotrace.io.frames import (
    GivenSpacing,
    axes_of,
    check_depth,
    geometry_of,
    source_of,
    to_frames,
    to_grey_values,
    to_label_values,
)
from cardiotrace.io.stored import Reader, StoredImage, ThirdAxis


@dataclass(frozen=True)
class Format:
    """One file format: which suffixes it has, and what reads and writes it."""

    name: str
    suffixes: tuple[str, ...]
    """Lower case; "" is a folder."""
    read_header: Callable[[Path, str], StoredImage]
    read_pixels: Reader
    write_labels: Callable[[LabelMap, Path, str], None] | None
    """None: labels of such an image are written in another format."""
    label_suffix: Callable[[str], str]
    """Suffix of a label map for an image with this suffix."""
    summary: str
    lossy_suffixes: tuple[str, ...] = ()
    """Suffixes of files that cannot hold exact label values."""


def _same(suffix: str) -> str:
    return suffix


FORMATS: tuple[Format, ...] = (
    Format(
        "nifti", nifti.SUFFIXES, nifti.read_header, nifti.read_pixels, nifti.write_labels, _same,
        "NIfTI-1 and -2: 2 to 4 axes, spacing, orientation, frame interval.",
    ),
    Format(
        "metaimage", metaimage.SUFFIXES, metaimage.read_header, metaimage.read_pixels, metaimage.write_labels, _same,
        "MetaImage, header and pixels apart (.mhd) or in one file (.mha).",
    ),
    Format(
        "picture", picture.SUFFIXES, picture.read_header, picture.read_pixels, picture.write_labels,
        picture.label_suffix, "PNG, JPEG, BMP and TIFF of 8 or 16 bit, grey or colour; TIFF pages are frames.",
        picture.LOSSY_SUFFIXES,
    ),
    Format(
        "folder", ("",), picture.read_folder_header, picture.read_folder_pixels, picture.write_folder_labels, _same,
        "A folder of pictures: one frame each, in natural order of their names.",
    ),
    Format(
        "video", video.SUFFIXES, video.read_header, video.read_pixels, None, lambda suffix: ".nii.gz",
        "AVI and MP4 films, as grey values; labels go to .nii.gz, as lossy films cannot hold them.",
        video.SUFFIXES,
    ),
)  # fmt: skip


def read_image(
    path: str | Path,
    *,
    third_axis: ThirdAxis = "auto",
    view: View = View.UNKNOWN,
    modality: Modality = Modality.UNKNOWN,
    spacing_mm: GivenSpacing | None = None,
    pictures: Sequence[str] = (),
) -> Image:
    """Read an image file, a film, or a folder of pictures: frames (time, depth, height, width[, 3]).

    Nothing is flipped: axis x of the file is the width, y the height, and rows run down.

    Args:
        path: a file whose suffix stands in `FORMATS`, or a folder of pictures.
        third_axis: what the third of three axes is; "auto" goes by format, name, view and header, see `axes_of`, and
            asks where these do not tell.
        view: the anatomical plane.
        modality: how the picture was made.
        spacing_mm: (depth, height, width), mm, in place of what the file says; with None for the depth the file's
            slice distance stays.
        pictures: names of those pictures in the folder `path` that are its frames, in order; none takes them all.

    Raises:
        InputError: the file is missing, damaged, or not an image; or its spacing cannot be.
    """
    image, form = _open(path, pictures)
    axes = axes_of(image, third_axis, is_planar=view.is_long_axis)
    geometry = geometry_of(image, axes, spacing_mm)
    pixels = to_grey_values(form.read_pixels(image), image)
    check_depth(pixels, image, axes, third_axis)
    frames = to_frames(pixels, axes)
    times_ms = _times(image, axes)
    return Image(
        frames,
        geometry,
        times_ms,
        view,
        source_of(image, axes),
        modality=modality,
        times=Known.UNKNOWN if times_ms is None else Known.FILE,
    )


def read_labels(
    path: str | Path,
    scheme: LabelScheme,
    *,
    third_axis: ThirdAxis = "auto",
    spacing_mm: GivenSpacing | None = None,
) -> LabelMap:
    """Read a label map (time, depth, height, width); whole numbers stored as floats are accepted.

    Args:
        path: a file whose suffix stands in `FORMATS`, or a folder of pictures; not a film or JPEG.
        scheme: what the values mean.
        third_axis: as in `read_image`.
        spacing_mm: as in `read_image`.

    Raises:
        InputError: as `read_image`, or a value is no label of the scheme.
    """
    image, form = _open(path)
    if image.suffix.lower() in form.lossy_suffixes:
        raise InputError(
            f"{image.suffix} files hold no exact label values", where=path, remedy="store labels as .nii.gz or .png."
        )
    axes = axes_of(image, third_axis, is_planar=False)
    geometry = geometry_of(image, axes, spacing_mm)
    pixels = form.read_pixels(image)
    if image.channel_count > 1:
        pixels = _common_channel(pixels, image)
    array = to_frames(to_label_values(pixels, image), axes)
    source = source_of(image, axes)
    source = dataclasses.replace(source, details={**source.details, "is_labels": True})
    return LabelMap(cast("NDArray[np.uint8]", array), scheme, geometry, source)


def write_labels(labels: LabelMap, path: str | Path) -> None:
    """Write labels onto the grid of the image they were made for, completely or not at all.

    The file has the axes, spacing, offset, orientation and format of `labels.source`: a viewer lays it over
    the image pixel by pixel. `labels_path` gives a fitting name. Labels of a film are written as NIfTI; labels
    without an source in whichever format the suffix names.

    Raises:
        InputError: the suffix is not one of the image's format, the labels lie on another grid, or the image
            itself would be overwritten (a label map may be).
        WorkError: the file cannot be written.
    """
    path = Path(path)
    source = labels.source
    suffix = suffix_of(path) or ""
    form = next((form for form in FORMATS if suffix.lower() in form.suffixes), None)
    wanted = _label_suffixes(source)
    if form is None or form.write_labels is None or suffix.lower() not in wanted:
        raise InputError(
            f"labels of this image cannot be written as {suffix or path.suffix or 'a folder'}",
            where=path,
            remedy=f"the name must end in {' or '.join(wanted)}." if wanted != ("",) else "name a folder.",
        )
    if source is not None:
        _spare_image(source, path, suffix)
    form.write_labels(labels, path, suffix)


def write_image(cine: Image, path: str | Path) -> None:
    """Write an image as NIfTI on its own grid, completely or not at all: what `read_image` reads back.

    Pixels keep their type. Stills have two axes, stacks three, cines four with the frame interval; an image that
    came from a NIfTI file and was not resampled since keeps that file's axes, offset and orientation. NIfTI holds one
    interval: instants that are not evenly spaced are written as if they were.

    Args:
        cine: grey of 8 or 16 bit or float32, or colour of 8 bit.
        path: ends in .nii or .nii.gz; its folder exists.

    Raises:
        InputError: another suffix, or the file that the image came from would be overwritten.
        WorkError: the file cannot be written.
    """
    path = Path(path)
    suffix = suffix_of(path) or ""
    if suffix.lower() not in nifti.SUFFIXES:
        raise InputError(
            f"images cannot be written as {suffix or path.suffix or 'a folder'}",
            where=path,
            remedy=f"the name must end in {' or '.join(nifti.SUFFIXES)}.",
        )
    if cine.source is not None:
        _spare_image(cine.source, path, suffix)
    nifti.write_image(cine, path, suffix)


def labels_path(source: FileSource, folder: str | Path) -> Path:
    """Where the labels of an image go: `<stem>_labels<suffix>` in `folder`.

    The suffix is the image's own, but `.png` for JPEG and BMP, and `.nii.gz` for films.

    Example:
        >>> labels_path(FileSource(Path("in/fundus.jpg"), "picture", ".jpg"), "out").name
        'fundus_labels.png'
    """
    form = next((form for form in FORMATS if form.name == source.format), FORMATS[0])
    suffix = form.label_suffix(source.suffix)
    suffix = suffix if suffix.lower() in form.suffixes or form.write_labels is None else ".nii.gz"
    return Path(folder) / f"{source.stem}_labels{suffix}"


def read_metadata(path: str | Path) -> dict[str, Any]:
    """What a file says of itself, as plain data, without reading its pixels.

    Returns:
        format, shape (as stored: x, y[, z[, t]]), dtype, channels, spacing_mm ((x, y[, z]) or None),
        frame_interval_ms (or None).

    Raises:
        InputError: the file is missing, damaged, or not an image.
    """
    image, _ = _open(path)
    times = image.times_ms
    interval = None if times is None or len(times) < 2 else float(np.diff(times).mean())
    return {
        "format": image.format,
        "shape": list(image.shape),
        "dtype": image.dtype.newbyteorder("=").name,
        "channels": image.channel_count,
        "spacing_mm": None if image.spacing_mm is None else list(image.spacing_mm),
        "frame_interval_ms": interval,
    }


def _open(path: str | Path, pictures: Sequence[str] = ()) -> tuple[StoredImage, Format]:
    path = Path(path)
    if not path.exists():
        raise InputError("there is no such file or folder", where=path, remedy="check the path.")
    suffix = "" if path.is_dir() else suffix_of(path)
    if path.is_file() and path.stat().st_size == 0:
        raise InputError("the file is empty (0 bytes)", where=path, remedy="copy or download it again.")
    if pictures and suffix == "":
        folder = next(form for form in FORMATS if form.name == "folder")
        return picture.read_folder_header(Path(path), suffix, pictures), folder
    for form in FORMATS:
        if suffix is not None and suffix.lower() in form.suffixes:
            return form.read_header(path, suffix), form
    known = ", ".join(known for form in FORMATS for known in form.suffixes if known)
    raise InputError(
        "no format is known by this suffix", where=path, remedy=f"known: {known}, or a folder of pictures."
    )


def suffix_of(path: Path) -> str | None:
    """The suffix as it stands in the name, None where no format has it."""
    name = path.name.lower()
    known = sorted((known for form in FORMATS for known in form.suffixes if known), key=len, reverse=True)
    length = next((len(suffix) for suffix in known if name.endswith(suffix)), None)
    return None if length is None else path.name[-length:]


def _times(image: StoredImage, axes: str) -> NDArray[np.float64] | None:
    times = image.times_ms
    frames = image.shape[axes.index("t")] if "t" in axes else 0
    return times if times is not None and len(times) == frames else None


def _label_suffixes(source: FileSource | None) -> tuple[str, ...]:
    """Suffixes that labels of this image may be written with."""
    writable = [form for form in FORMATS if form.write_labels is not None]
    if source is None:
        return tuple(suffix for form in writable for suffix in form.suffixes if form.label_suffix(suffix) == suffix)
    form = next((form for form in writable if form.name == source.format), FORMATS[0])
    return tuple(suffix for suffix in form.suffixes if form.label_suffix(suffix) == suffix)


def _spare_image(source: FileSource, path: Path, suffix: str) -> None:
    """Never let what is written take the place of the image it came from."""
    if source.details.get("is_labels"):
        return
    sources = [source.path, *([source.details["pixel_file"]] if "pixel_file" in source.details else [])]
    targets = [path, *([metaimage.pixel_file_beside(path, suffix)] if suffix.lower() == ".mhd" else [])]
    if any(target.exists() and source.exists() and target.samefile(source) for target in targets for source in sources):
        raise InputError(
            "this would overwrite the image itself", where=path, remedy="write it under another name or elsewhere."
        )


def _common_channel(pixels: NDArray[Any], image: StoredImage) -> NDArray[Any]:
    if (pixels[..., 0] != pixels[..., 1]).any() or (pixels[..., 1] != pixels[..., 2]).any():
        raise InputError(
            "is a coloured picture, not a label map", where=image.path, remedy="store the label values as grey values."
        )
    return pixels[..., 0]
