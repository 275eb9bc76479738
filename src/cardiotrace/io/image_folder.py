"""A folder of images as a video: one frame each, in natural order of their names."""

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.label import LabelMap
from cardiotrace.core.text import natural_order
from cardiotrace.io import raster
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.content import FileSet, beginning
from cardiotrace.io.stored import Pixels, StoredImage, check_shape, header_of, reading, stored_shape


@dataclass(frozen=True)
class FolderHeader:
    """What is kept of a folder to read its images, and to name labels after them."""

    files: tuple[str, ...]
    """Names of the images, one frame each, in order."""


def recognises(files: FileSet) -> bool:
    """Whether it is a folder, or several images that can be the frames of a video."""
    return files.is_folder or (len(files.paths) > 1 and all(map(is_image, files.paths)))


def is_image(file: Path) -> bool:
    """Whether a file is an image by its name, and not hidden."""
    return file.name.lower().endswith(raster.SUFFIXES) and not file.name.startswith(".")


def read_series(files: FileSet) -> Iterator[StoredImage]:
    """Size and type of images of one size, as one video: (x, y, number of images).

    Of a folder all images count, in natural order of their names; several files count in the order given.

    Raises:
        InputError: no images, images that differ in size or type, or more than may be read.
    """
    if files.is_folder:
        place, frames = files.path, _images_in(files.path)
    else:
        place, frames = _one_folder(files.paths), list(files.paths)
    first = _header(frames[0])
    if len(first.shape) != 2:
        raise InputError("a folder of TIFF stacks is not one video", where=place, remedy="name one stack.")
    image = StoredImage(
        place, "folder", "", (*first.shape, len(frames)), first.dtype,
        channel_count=first.channel_count, third_is_time=True, header=FolderHeader(tuple(file.name for file in frames)),
    )  # fmt: skip
    check_shape(image)  # before as many headers are read
    pages = [_header(file) for file in frames]
    _require_alike(pages, place)
    notes = tuple(dict.fromkeys(note for page in pages for note in page.notes))
    yield dataclasses.replace(image, notes=notes, is_lossy=any(page.is_lossy for page in pages))


def _images_in(folder: Path) -> list[Path]:
    with reading(folder, "a folder"):
        frames = sorted(filter(is_image, folder.iterdir()), key=lambda file: natural_order(file.name))
    if not frames:
        raise InputError(
            "there are no images in this folder",
            where=folder,
            remedy=f"images end in {', '.join(raster.SUFFIXES)}; name an image file of another format itself.",
        )
    return frames


def _one_folder(paths: Sequence[Path]) -> Path:
    folder = paths[0].parent
    stray = next((path for path in paths if path.parent != folder), None)
    if stray is not None:
        raise InputError(f"lies in another folder than {paths[0].name}", where=stray, remedy="put them into one.")
    return folder


def _require_alike(pages: Sequence[StoredImage], folder: Path) -> None:
    first = pages[0]
    for page in pages:
        if (page.shape, page.dtype, page.channel_count) != (first.shape, first.dtype, first.channel_count):
            raise InputError(
                f"images differ: {first.path.name} is {_described(first)}, {page.path.name} is {_described(page)}",
                where=folder,
                remedy="put images of one video into a folder of their own.",
            )


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Pixels (image, row, column[, 3]) of a folder of images, in natural order of their names.

    Raises:
        InputError: an image is damaged, or not as it was when the folder was looked at.
    """
    names = header_of(image, FolderHeader).files
    headers = (_header(image.path / name) for name in names)
    pages = (raster.read_pixels(header, as_labels=as_labels).values for header in headers)
    first = next(pages)
    frames = np.empty((image.shape[2], *first.shape), image.dtype.newbyteorder("="))
    for index, page in enumerate(itertools.chain([first], pages)):
        if page.shape != first.shape:
            raise InputError(f"images differ: {names[index]} has another size or kind", where=image.path)
        frames[index] = page
    return Pixels(frames)


def write_labels(labels: LabelMap, path: Path, suffix: str) -> None:
    """Write one PNG per frame into a folder, named as the images are.

    Raises:
        InputError: not as many frames as images, or another size.
        WorkError: the folder or a file cannot be written.
    """
    source = labels.source
    count = len(labels.array) * labels.array.shape[1]
    if source is None:
        names: tuple[str, ...] = tuple(f"{index:04d}.png" for index in range(count))
    else:
        stored_shape(labels.array.shape, source)
        names = tuple(f"{_stem(name)}.png" for name in header_of(source, FolderHeader).files)
    if len(set(names)) != count:
        raise InputError(
            f"{count} label frames for {len(set(names))} image names",
            where=path,
            remedy="write one label per image.",
        )
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise WorkError(f"could not be made ({error.strerror})", where=path, remedy="choose another folder.") from error
    for name, plane in zip(names, labels.array.reshape(count, *labels.array.shape[2:]), strict=True):
        write_bytes(path / name, raster.png(plane))


def _stem(name: str) -> str:
    suffix = max((suffix for suffix in raster.SUFFIXES if name.lower().endswith(suffix)), key=len, default="")
    return name[: len(name) - len(suffix)]


def _header(file: Path) -> StoredImage:
    return raster.read_header(file, file.suffix, beginning(file))


def _described(page: StoredImage) -> str:
    kind = "colour" if page.channel_count == 3 else "grey"
    return f"{' x '.join(map(str, page.shape))} {page.dtype} {kind}"
