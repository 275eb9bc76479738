"""Images and label maps to files."""

from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import FileSource, Image
from cardiotrace.core.label import LabelMap
from cardiotrace.io import metaimage, nifti
from cardiotrace.io.formats import FORMATS, suffix_of


def write_labels(labels: LabelMap, path: str | Path) -> None:
    """Write labels onto the grid of the image they were made for, completely or not at all.

    The file has the axes, spacing, offset, orientation and format of `labels.source`: a viewer lays it over
    the image pixel by pixel. `labels_path` gives a fitting name. Labels of a video are written as NIfTI; labels
    without a source in whichever format the suffix names.

    Raises:
        InputError: the suffix is not one of the image's format, the labels lie on another grid, or the image
            itself would be overwritten (a label map may be).
        WorkError: the file cannot be written.
    """
    path = Path(path)
    source = labels.source
    suffix = suffix_of(path) or ""
    writers = {ending: form.write_labels for form in FORMATS for ending in form.suffixes}
    wanted, write = _wanted(source), writers.get(suffix.lower())
    if write is None or suffix.lower() not in wanted:
        raise InputError(
            f"labels of this image cannot be written as {suffix or path.suffix or 'a folder'}",
            where=path,
            remedy=f"the name must end in {' or '.join(wanted)}." if wanted != ("",) else "name a folder.",
        )
    if source is not None:
        _spare_image(source, path, suffix)
    write(labels, path, suffix)


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

    The suffix is the image's own, but `.png` for images that lose something (`.tif` for several frames), and
    `.nii.gz` for videos.

    Example:
        >>> labels_path(FileSource(Path("in/fundus.jpg"), "image", ".jpg"), "out").name
        'fundus_labels.png'
    """
    wanted = _wanted(source)
    suffix = source.suffix if source.suffix.lower() in wanted else wanted[0]
    if suffix.lower() == ".png" and len(source.shape) > 2:
        suffix = ".tif"  # of several frames
    return Path(folder) / f"{source.stem}_labels{suffix}"


def _wanted(source: FileSource | None) -> tuple[str, ...]:
    """Suffixes that labels of this image may be written with."""
    writable = [form for form in FORMATS if form.write_labels is not None]
    if source is None:
        return tuple(suffix for form in writable for suffix in form.label_suffixes)
    return next((form for form in writable if form.name == source.format), FORMATS[0]).label_suffixes


def _spare_image(source: FileSource, path: Path, suffix: str) -> None:
    """Never let what is written take the place of the image it came from."""
    if source.is_labels:
        return
    sources = [source.path, *([] if source.pixel_file is None else [source.pixel_file])]
    targets = [path, *([metaimage.pixel_file_beside(path, suffix)] if suffix.lower() == ".mhd" else [])]
    if any(target.exists() and source.exists() and target.samefile(source) for target in targets for source in sources):
        raise InputError(
            "this would overwrite the image itself", where=path, remedy="write it under another name or elsewhere."
        )
