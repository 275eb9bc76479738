"""The table of file formats, and which of them a file is in: by its content first, then by its name."""

import dataclasses
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cardiotrace.core.errors import InputError
from cardiotrace.core.image import Grid
from cardiotrace.core.label import LabelMap, LabelScheme
from cardiotrace.core.text import some
from cardiotrace.io import image_folder, metaimage, nifti, raster, video
from cardiotrace.io.content import NOTHING, Beginning, FileSet, beginning, foreign
from cardiotrace.io.dicom import single as dicom
from cardiotrace.io.pixel_file import MissingPixelsError
from cardiotrace.io.stored import Reader, StoredImage


@dataclass(frozen=True)
class Format:
    """One file format: how it is told, which suffixes it has, and what reads and writes it."""

    name: str
    suffixes: tuple[str, ...]
    """Lower case; "" is a folder."""
    recognises: Callable[[FileSet], bool]
    """Whether files are, by their content, of this format; of a folder and of several files together by names."""
    read_series: Callable[[FileSet], Iterator[StoredImage]]
    """The headers of the images that lie in the files: one for most formats."""
    read_pixels: Reader
    write_labels: Callable[[LabelMap, Path, str], None] | None
    """None: labels of such an image are written as NIfTI."""
    label_suffixes: tuple[str, ...]
    """That its labels can be written with, the usual one first."""
    summary: str
    unlabelled_suffixes: tuple[str, ...] = ()
    """Suffixes of files that hold no label maps on an image's grid: compressed with loss, or of another make."""
    pixel_files: Callable[[Path], tuple[Path, ...]] | None = None
    """Files beside a file of this format that hold its pixels; None where there never are any."""
    read_labels_of: Callable[[Path, LabelScheme, Callable[[], Grid]], LabelMap | None] | None = None
    """Reads a label map without a grid of its own, as its file refers to that of its image; None of any other file."""
    holds_slices: bool = False
    """Whether files of one plane each may be the slices of one stack: the format can say where a plane lies."""
    may_begin_as_another: bool = False
    """Whether its files may begin as those of another format do, so that it is asked before that."""
    holds_studies: bool = False
    """Whether its files belong to studies, which they say themselves: they are sorted by what they hold, and what they
    are called is a number as often as not."""


def _single(begins: Callable[[bytes], bool]) -> Callable[[FileSet], bool]:
    """Recognises one file by its first bytes, decompressed."""
    return lambda files: files.is_file and begins(files.start.head)


def _one(read_header: Callable[[Path, str, Beginning], StoredImage]) -> Callable[[FileSet], Iterator[StoredImage]]:
    """Reads a file that holds one image."""
    return lambda files: iter((read_header(files.path, files.suffix, files.start),))


FORMATS: tuple[Format, ...] = (
    Format(
        "nifti", nifti.SUFFIXES, _single(nifti.begins), _one(nifti.read_header), nifti.read_pixels, nifti.write_labels,
        nifti.SUFFIXES, "NIfTI-1 and -2: 2 to 4 axes, spacing, orientation, frame interval.", holds_slices=True,
    ),
    Format(
        "metaimage", metaimage.SUFFIXES, _single(metaimage.begins), _one(metaimage.read_header), metaimage.read_pixels,
        metaimage.write_labels, metaimage.SUFFIXES,
        "MetaImage, header and pixels apart (.mhd with .raw or .zraw) or in one file (.mha).",
        pixel_files=metaimage.pixel_files, holds_slices=True,
    ),
    Format(
        "image", raster.SUFFIXES, _single(raster.begins), _one(raster.read_header), raster.read_pixels,
        raster.write_labels, raster.LABEL_SUFFIXES,
        "PNG, JPEG, BMP, GIF, TIFF and Netpbm (also .ppm.gz) of 8 or 16 bit, grey or colour; pages are frames.",
        raster.LOSSY_SUFFIXES,
    ),
    Format(
        "folder", ("",), image_folder.recognises, image_folder.read_series, image_folder.read_pixels,
        image_folder.write_labels, ("",), "A folder of images: one frame each, in natural order of their names.",
    ),
    Format(
        "video", video.SUFFIXES, _single(video.begins), _one(video.read_header), video.read_pixels, None,
        nifti.SUFFIXES, "AVI and MP4 videos, as grey values; labels go to .nii.gz, as lossy videos cannot hold them.",
        video.SUFFIXES,
    ),
    Format(
        "dicom", dicom.SUFFIXES, dicom.recognises, dicom.read_series, dicom.read_pixels, None, nifti.SUFFIXES,
        "DICOM: ultrasound, single planes of MRI, photographs; whole studies are read as exams. Labels go to .nii.gz.",
        dicom.SUFFIXES,  # its segmentations have no grid of their own
        read_labels_of=dicom.read_labels_of,
        may_begin_as_another=True,  # what stands before its mark is free, and may be the head of a TIFF
        holds_studies=True,
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
    never = {suffix for form in FORMATS for suffix in form.unlabelled_suffixes}
    return tuple(suffix for suffix in image_suffixes() if suffix not in never)


def suffix_of(path: Path) -> str | None:
    """The suffix as it stands in the name, None where no format has it."""
    name = path.name.lower()
    length = next((len(suffix) for suffix in image_suffixes() if name.endswith(suffix)), None)
    return None if length is None else path.name[-length:]


def stem_of(path: Path) -> str:
    """A file's name without the suffix of its format; of an unknown one without what follows the last dot.

    Example:
        >>> stem_of(Path("in/p1_A4C.nii.gz")), stem_of(Path("p1.2_A4C.PNG")), stem_of(Path("notes.txt"))
        ('p1_A4C', 'p1.2_A4C', 'notes')
    """
    return path.name.removesuffix(suffix_of(path) or path.suffix)


def format_of(path: Path) -> Format | None:
    """The format of a file by its first bytes, by its name where they say nothing; None where it is no image.

    Nothing but the first bytes is read, so it serves to look through a folder.
    """
    try:
        return _choose(_file_set((path,)))
    except InputError:
        return None


def open_series(paths: str | Path | Sequence[str | Path]) -> tuple[list[StoredImage], Format]:
    """The headers of all images that a file, a folder or a set of files holds, and the format that reads their pixels.

    Args:
        paths: a file, a folder of images, or several files that belong together, in order.

    Raises:
        InputError: something is missing, damaged, or not an image.
    """
    files = _file_set((Path(paths),) if isinstance(paths, str | Path) else tuple(map(Path, paths)))
    form = _choose(files)
    if form is None:
        raise _unknown(files)
    notes = _misnamed(files, form)
    return [dataclasses.replace(image, notes=(*notes, *image.notes)) for image in form.read_series(files)], form


def open_image(paths: str | Path | Sequence[str | Path]) -> tuple[StoredImage, Format]:
    """The header of the one image at a place, and the format that reads its pixels.

    Raises:
        InputError: as `open_series`; or there are several.
    """
    images, form = open_series(paths)
    if len(images) != 1:
        names = some([image.name for image in images])
        where = images[0].path if images else None
        raise InputError(f"holds {len(images)} images ({names})", where=where, remedy="give one of them alone.")
    return images[0], form


def pixel_files(path: Path) -> tuple[Path, ...]:
    """Files beside an image that hold its pixels: one for a MetaImage header, none for any other image.

    Whatever decides whether an image is complete, or copies or watches its files, asks here.

    Raises:
        InputError: a header cannot be read, or the file of its pixels is missing.
    """
    # By the name where there is one: a data set of thousands of files is not opened for this.
    named = _named_format(suffix_of(path))
    if named is not None and named.pixel_files is None:
        return ()
    form = format_of(path)
    return () if form is None or form.pixel_files is None else form.pixel_files(path)


def has_pixels(path: Path) -> bool:
    """Whether an image is there with the file of its pixels: public copies of data sets hold headers without."""
    try:
        pixel_files(path)
    except MissingPixelsError:
        return False
    except InputError:
        pass  # damaged: said when it is read, and no reason to leave it out
    return path.exists()


def _file_set(paths: tuple[Path, ...]) -> FileSet:
    """What a format is asked about.

    Raises:
        InputError: something is missing, or no regular file.
    """
    for path in paths:
        if not os.path.lexists(path):
            raise InputError("there is no such file or folder", where=path, remedy="check the path.")
    first = paths[0]
    if len(paths) == 1 and _is_folder(first):
        return FileSet(paths, NOTHING)
    return FileSet(paths, beginning(first), suffix_of(first) or first.suffix)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False  # said in words when it is opened


def _choose(files: FileSet) -> Format | None:
    in_turn = sorted(FORMATS, key=lambda form: not form.may_begin_as_another)
    by_content = next((form for form in in_turn if form.recognises(files)), None)
    if by_content is not None or not files.is_file or foreign(files.start) is not None:
        return by_content
    return _named_format(files.suffix)


def _named_format(suffix: str | None) -> Format | None:
    """The format that a suffix belongs to."""
    return next((form for form in FORMATS if suffix and suffix.lower() in form.suffixes), None)


def _unknown(files: FileSet) -> InputError:
    if len(files.paths) > 1:
        return InputError(
            f"is one of {len(files.paths)} files that are no image together",
            where=files.path,
            remedy="give images that are the frames of a video, or one file at a time.",
        )
    if (known := foreign(files.start)) is not None:
        return InputError(known[0], where=files.path, remedy=known[1])
    suffixes = ", ".join(suffix for form in FORMATS for suffix in form.suffixes if suffix)
    return InputError(
        "no format is known by this suffix", where=files.path, remedy=f"known: {suffixes}, or a folder of images."
    )


def _misnamed(files: FileSet, form: Format) -> tuple[str, ...]:
    """A word where name and content disagree about the format."""
    suffix = files.suffix.lower()
    if not files.is_file or not suffix:
        return ()
    if form.holds_studies and _named_format(suffix) is None:
        return ()  # what looks like a suffix is the end of a number
    if suffix not in form.suffixes:
        return (f"its name ends in {suffix}, its content is {form.name}; it was read as that",)
    if form.name == "nifti" and suffix.endswith(".gz") != files.start.is_gzip:
        return (f"its name ends in {suffix}, and it is {'' if files.start.is_gzip else 'not '}compressed",)
    return ()
