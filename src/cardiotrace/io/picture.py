"""Pictures: PNG, JPEG, BMP, TIFF, and a folder of them as a film."""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.core.label import LabelMap
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.stored import StoredImage, check_shape, quiet, reading, stored_shape

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff")
LOSSY_SUFFIXES = (".jpg", ".jpeg")

_TIFF = (".tif", ".tiff")
_LABEL_SUFFIX = {".jpg": ".png", ".jpeg": ".png", ".bmp": ".png"}
# Pillow's mode -> (dtype, channels) of what is read; transparency is dropped, a palette resolved.
_MODES = {
    "1": ("u1", 1),
    "L": ("u1", 1),
    "LA": ("u1", 1),
    "La": ("u1", 1),
    "I;16": ("u2", 1),
    "I;16L": ("u2", 1),
    "I;16B": ("u2", 1),
    "I": ("i4", 1),
    "F": ("f4", 1),
}


def label_suffix(suffix: str) -> str:
    """Suffix of a label map for a picture with this suffix: what loses nothing."""
    return _LABEL_SUFFIX.get(suffix.lower(), suffix)


def read_header(path: Path, suffix: str) -> StoredImage:
    """Size and type of a picture; the pages of a TIFF are a third axis, in time.

    Raises:
        InputError: not a picture, or one of absurd size.
    """
    with reading(path, "picture"), quiet("tifffile"):
        if suffix.lower() in _TIFF:
            shape, dtype, channels = _tiff_facts(path)
        else:
            with _opened(path) as picture:
                shape = picture.size
                if picture.getexif().get(0x0112, 1) >= 5:  # stored lying down, shown upright
                    shape = shape[::-1]
                dtype, channels = _mode_facts(picture.mode)
    image = StoredImage(path, "picture", suffix, shape, dtype, channel_count=channels, third_is_time=True)
    check_shape(image)
    return image


def read_pixels(image: StoredImage) -> NDArray[Any]:
    """Pixels ([page,] row, column[, 3]) of a picture, upright as viewers show it.

    Raises:
        InputError: the picture is damaged.
    """
    with reading(image.path, "picture"), quiet("tifffile"):
        if image.suffix.lower() in _TIFF:
            pixels = _tiff_pixels(image)
        else:
            from PIL import ImageOps

            with _opened(image.path) as picture:
                pixels = _plain(ImageOps.exif_transpose(picture))
    expected = image.shape[::-1] + ((3,) if image.channel_count == 3 else ())
    if pixels.shape != expected:
        raise InputError(f"holds {pixels.shape} pixels where its header says {expected}", where=image.path)
    return pixels


def write_labels(labels: LabelMap, path: Path, suffix: str) -> None:
    """Write label values as grey values: one PNG, or a TIFF with one page per frame.

    Raises:
        InputError: several frames for a PNG, or the labels do not lie on the picture's grid.
        WorkError: the file cannot be written.
    """
    if labels.source is not None:
        stored_shape(labels.array.shape, labels.source)
    planes = labels.array.reshape(-1, *labels.array.shape[2:])
    if suffix.lower() in _TIFF:
        import tifffile

        content = io.BytesIO()
        tifffile.imwrite(
            content, planes if len(planes) > 1 else planes[0], photometric="minisblack", compression="zlib"
        )
        write_bytes(path, content.getvalue())
        return
    if suffix.lower() != ".png" or len(planes) != 1:
        raise InputError(
            f"{len(planes)} label planes cannot be written as {suffix}", where=path, remedy="use .tif or .nii.gz."
        )
    write_bytes(path, _png(planes[0]))


def write_picture(pixels: NDArray[np.uint8], path: Path) -> None:
    """Write one picture, (height, width) or (height, width, 3), as PNG.

    Raises:
        InputError: the name does not end in .png.
        WorkError: the file cannot be written.
    """
    if path.suffix.lower() != ".png":
        raise InputError(
            f"pictures cannot be written as {path.suffix}", where=path, remedy="the name must end in .png."
        )
    write_bytes(path, _png(pixels))


def read_folder_header(path: Path, suffix: str, names: Sequence[str] = ()) -> StoredImage:
    """Size and type of a folder of pictures of one size: (x, y, number of pictures).

    Args:
        path: the folder.
        suffix: the empty one of a folder.
        names: the pictures that count, in order; none takes all, in natural order.

    Raises:
        InputError: no pictures, or pictures that differ in size or type.
    """
    files = [path / name for name in names] or sorted(
        (file for file in path.iterdir() if file.suffix.lower() in SUFFIXES and not file.name.startswith(".")),
        key=lambda file: _natural(file.name),
    )
    if not files:
        raise InputError(
            "there are no pictures in this folder",
            where=path,
            remedy=f"pictures end in {', '.join(SUFFIXES)}; name an image file of another format itself.",
        )
    pages = [read_header(file, file.suffix) for file in files]
    first = pages[0]
    for page in pages:
        if (page.shape, page.dtype, page.channel_count) != (first.shape, first.dtype, first.channel_count):
            raise InputError(
                f"pictures differ: {first.path.name} is {_described(first)}, {page.path.name} is {_described(page)}",
                where=path,
                remedy="put pictures of one film into a folder of their own.",
            )
    if len(first.shape) != 2:
        raise InputError("a folder of TIFF stacks is not one film", where=path, remedy="name one stack.")
    image = StoredImage(
        path, "folder", suffix, (*first.shape, len(files)), first.dtype,
        channel_count=first.channel_count, third_is_time=True, details={"files": tuple(file.name for file in files)},
    )  # fmt: skip
    check_shape(image)
    return image


def read_folder_pixels(image: StoredImage) -> NDArray[Any]:
    """Pixels (picture, row, column[, 3]) of a folder of pictures, in natural order of their names.

    Raises:
        InputError: a picture is damaged.
    """
    files = (image.path / name for name in image.details["files"])
    return np.stack([read_pixels(read_header(file, file.suffix)) for file in files])


def write_folder_labels(labels: LabelMap, path: Path, suffix: str) -> None:
    """Write one PNG per frame into a folder, named as the pictures are.

    Raises:
        InputError: not as many frames as pictures, or another size.
        WorkError: the folder or a file cannot be written.
    """
    source = labels.source
    count = len(labels.array) * labels.array.shape[1]
    if source is None:
        names: tuple[str, ...] = tuple(f"{index:04d}.png" for index in range(count))
    else:
        stored_shape(labels.array.shape, source)
        names = tuple(f"{Path(name).stem}.png" for name in source.details["files"])
    if len(set(names)) != count:
        raise InputError(
            f"{count} label frames for {len(set(names))} picture names",
            where=path,
            remedy="write one label per picture.",
        )
    try:
        path.mkdir(exist_ok=True)
    except OSError as error:
        raise WorkError(f"could not be made ({error.strerror})", where=path, remedy="choose another folder.") from error
    for name, plane in zip(names, labels.array.reshape(count, *labels.array.shape[2:]), strict=True):
        write_bytes(path / name, _png(plane))


def _described(page: StoredImage) -> str:
    kind = "colour" if page.channel_count == 3 else "grey"
    return f"{' x '.join(map(str, page.shape))} {page.dtype} {kind}"


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sort key that puts frame2 before frame10."""
    parts = re.findall(r"\d+|\D+", name.lower())
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]


def _png(plane: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    content = io.BytesIO()
    Image.fromarray(plane).save(content, format="PNG")
    return content.getvalue()


def _opened(path: Path) -> Any:
    from PIL import Image

    return Image.open(path)


def _mode_facts(mode: str) -> tuple[np.dtype[Any], int]:
    kind, channels = _MODES.get(mode, ("u1", 3))
    return np.dtype(kind), channels


def _plain(picture: Any) -> NDArray[Any]:
    """Pixels of an opened picture, without transparency; black and white are 0 and 255."""
    if picture.mode in ("1", "LA", "La"):
        picture = picture.convert("L")
    elif picture.mode not in _MODES and picture.mode != "RGB":
        picture = picture.convert("RGB")
    return np.array(picture)


def _read_by_tifffile(page: Any) -> bool:
    """Whether tifffile alone can read a page; Pillow knows palettes and more compressions, but not 16-bit colour."""
    return page.photometric in (0, 1, 2) and page.compression in (1, 8, 32946) and page.bitspersample >= 8


def _tiff_facts(path: Path) -> tuple[tuple[int, ...], np.dtype[Any], int]:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        pages = list(tiff.pages)
        first = pages[0]
        for page in pages:
            if page.shape != first.shape or page.dtype != first.dtype:
                raise InputError(
                    f"its pages differ: {first.shape} {first.dtype} and {page.shape} {page.dtype}",
                    where=path,
                    remedy="save the pages of one film as a TIFF of their own.",
                )
        if _read_by_tifffile(first):
            if first.ndim != 2 and not (first.ndim == 3 and first.samplesperpixel in (2, 3, 4)):
                raise InputError(f"pages of shape {first.shape} are no pictures", where=path)
            dtype, channels = first.dtype, 3 if first.samplesperpixel >= 3 else 1
        else:
            with _opened(path) as picture:
                dtype, channels = _mode_facts(picture.mode)
        size = (int(first.imagewidth), int(first.imagelength))
    return size + ((len(pages),) if len(pages) > 1 else ()), np.dtype(dtype), channels


def _tiff_pixels(image: StoredImage) -> NDArray[Any]:
    import tifffile

    with tifffile.TiffFile(image.path) as tiff:
        if _read_by_tifffile(tiff.pages[0]):
            pages = [_tiff_page(page) for page in tiff.pages]
        else:
            pages = list(_pillow_pages(image.path))
    return np.stack(pages) if len(image.shape) == 3 else pages[0]


def _tiff_page(page: Any) -> NDArray[Any]:
    pixels: NDArray[Any] = page.asarray()
    if page.photometric == 0:  # white is zero
        pixels = np.iinfo(pixels.dtype).max - pixels
    if page.samplesperpixel == 1:
        return pixels
    if page.planarconfig == 2:
        pixels = np.moveaxis(pixels, 0, -1)
    return pixels[..., 0] if page.samplesperpixel == 2 else pixels[..., :3]


def _pillow_pages(path: Path) -> Iterator[NDArray[Any]]:
    from PIL import ImageSequence

    with _opened(path) as picture:
        for page in ImageSequence.Iterator(picture):
            yield _plain(page)
