"""A folder of images as a video: one frame each, in natural order of their names."""

import dataclasses
import itertools
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.label import LabelMap
from cardiotrace.core.text import natural_order
from cardiotrace.io import raster
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.content import Beginning, beginning
from cardiotrace.io.stored import Pixels, StoredImage, check_shape, reading, stored_shape


def read_header(path: Path, suffix: str, start: Beginning, names: Sequence[str] = ()) -> StoredImage:
    """Size and type of a folder of images of one size: (x, y, number of images).

    Args:
        path: the folder.
        suffix: the empty one of a folder.
        start: nothing, as a folder has no first bytes.
        names: the images that count, in order; none takes all, in natural order.

    Raises:
        InputError: no images, images that differ in size or type, or more than may be read.
    """
    with reading(path, "a folder"):
        files = [path / name for name in names] or sorted(
            (
                file
                for file in path.iterdir()
                if file.name.lower().endswith(raster.SUFFIXES) and not file.name.startswith(".")
            ),
            key=lambda file: natural_order(file.name),
        )
    if not files:
        raise InputError(
            "there are no images in this folder",
            where=path,
            remedy=f"images end in {', '.join(raster.SUFFIXES)}; name an image file of another format itself.",
        )
    first = _header(files[0])
    if len(first.shape) != 2:
        raise InputError("a folder of TIFF stacks is not one video", where=path, remedy="name one stack.")
    image = StoredImage(
        path, "folder", suffix, (*first.shape, len(files)), first.dtype,
        channel_count=first.channel_count, third_is_time=True, details={"files": tuple(file.name for file in files)},
    )  # fmt: skip
    check_shape(image)
    pages = [_header(file) for file in files]
    for page in pages:
        if (page.shape, page.dtype, page.channel_count) != (first.shape, first.dtype, first.channel_count):
            raise InputError(
                f"images differ: {first.path.name} is {_described(first)}, {page.path.name} is {_described(page)}",
                where=path,
                remedy="put images of one video into a folder of their own.",
            )
    notes = tuple(dict.fromkeys(note for page in pages for note in page.notes))
    return dataclasses.replace(image, notes=notes, is_lossy=any(page.is_lossy for page in pages))


def read_pixels(image: StoredImage, *, as_labels: bool = False) -> Pixels:
    """Pixels (image, row, column[, 3]) of a folder of images, in natural order of their names.

    Raises:
        InputError: an image is damaged, or not as it was when the folder was looked at.
    """
    headers = (_header(image.path / name) for name in image.details["files"])
    pages = (raster.read_pixels(header, as_labels=as_labels).values for header in headers)
    first = next(pages)
    frames = np.empty((image.shape[2], *first.shape), image.dtype.newbyteorder("="))
    for index, page in enumerate(itertools.chain([first], pages)):
        if page.shape != first.shape:
            name = image.details["files"][index]
            raise InputError(f"images differ: {name} has another size or kind", where=image.path)
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
        names = tuple(f"{_stem(name)}.png" for name in source.details["files"])
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
