"""MetaImage: `.mhd` with its pixels in a file beside it, and `.mha` with both in one."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.label import LabelMap
from cardiotrace.io.atomic import write_bytes
from cardiotrace.io.stored import StoredImage, check_shape, check_size_on_disk, own_shape, reading, stored_shape

SUFFIXES = (".mhd", ".mha")

_MAX_HEADER_BYTES = 64 * 1024
_DTYPES = {
    "MET_UCHAR": "u1",
    "MET_CHAR": "i1",
    "MET_USHORT": "u2",
    "MET_SHORT": "i2",
    "MET_UINT": "u4",
    "MET_INT": "i4",
    "MET_ULONG": "u4",
    "MET_LONG": "i4",
    "MET_ULONG_LONG": "u8",
    "MET_LONG_LONG": "i8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_GEOMETRY = (
    *("TransformMatrix", "Rotation", "Orientation", "Offset", "Position", "Origin"),
    *("CenterOfRotation", "AnatomicalOrientation", "ElementSpacing", "ElementSize"),
)


def read_header(path: Path, suffix: str) -> StoredImage:
    """Shape, spacing and geometry of a MetaImage file, without its pixels.

    Raises:
        InputError: not a MetaImage file, one that claims the impossible, or whose pixel file is missing.
    """
    with reading(path, "MetaImage"):
        fields = _fields(path)
        shape = tuple(int(length) for length in fields["DimSize"].split())
        if len(shape) != int(fields["NDims"]):
            raise InputError(f"states {fields['NDims']} axes and {len(shape)} lengths", where=path)
        kind = fields["ElementType"]
        if kind not in _DTYPES:
            raise InputError(
                f"pixels of type {kind} cannot be read", where=path, remedy=f"known types: {', '.join(_DTYPES)}."
            )
        spacing = fields.get("ElementSpacing", fields.get("ElementSize"))
        image = StoredImage(
            path=path,
            format="metaimage",
            suffix=suffix,
            shape=shape,
            dtype=np.dtype(_DTYPES[kind]),
            spacing_mm=None if spacing is None else tuple(float(value) for value in spacing.split()[:3]),
            channel_count=int(fields.get("ElementNumberOfChannels", "1")),
            details={"geometry": {key: fields[key] for key in _GEOMETRY if key in fields}},
        )
        if image.channel_count not in (1, 3):
            raise InputError(f"has {image.channel_count} channels, 1 or 3 can be read", where=path)
        check_shape(image)
        pixel_file = _pixel_file(path, fields["ElementDataFile"])
        is_compressed = fields.get("CompressedData", "False").lower() == "true"
        if fields.get("BinaryData", "True").lower() == "true":
            check_size_on_disk(image, pixel_file.stat().st_size, compressed=is_compressed, file=pixel_file)
    return image


def read_pixels(image: StoredImage) -> NDArray[Any]:
    """Pixels ([[t,] z,] y, x[, 3]) of a MetaImage file.

    Raises:
        InputError: the pixels are damaged.
    """
    import SimpleITK

    with reading(image.path, "MetaImage"):
        SimpleITK.ProcessObject.SetGlobalWarningDisplay(False)
        reader = SimpleITK.ImageFileReader()
        reader.SetImageIO("MetaImageIO")
        reader.SetFileName(str(image.path))
        # A copy: a view would point into an image that is freed when this function returns.
        pixels: NDArray[Any] = SimpleITK.GetArrayFromImage(reader.Execute())
    return pixels


def write_labels(labels: LabelMap, path: Path, suffix: str) -> None:
    """Write labels as uint8 MetaImage, with the geometry of the MetaImage they lie on, or with spacing alone.

    `.mhd` puts the pixels into a `.raw` file beside the header, which is written first: a header never
    stands without its pixels.

    Raises:
        InputError: the labels do not lie on the image's grid.
        WorkError: a file cannot be written.
    """
    origin = labels.origin
    if origin is not None and origin.format == "metaimage":
        shape, geometry = stored_shape(labels, origin), dict(origin.details["geometry"])
    else:
        shape, geometry = _own_geometry(labels)
    pixels = labels.array.tobytes()
    is_pair = suffix.lower() == ".mhd"
    pixel_file = path.with_name(path.name[: -len(suffix)] + ".raw")
    fields = {
        "ObjectType": "Image",
        "NDims": str(len(shape)),
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "False",
        **geometry,
        "DimSize": " ".join(str(length) for length in shape),
        "ElementType": "MET_UCHAR",
        "ElementDataFile": pixel_file.name if is_pair else "LOCAL",
    }
    header = "".join(f"{key} = {value}\n" for key, value in fields.items()).encode("latin-1")
    if is_pair:
        write_bytes(pixel_file, pixels)
    write_bytes(path, header if is_pair else header + pixels)


def _fields(path: Path) -> dict[str, str]:
    """The `key = value` lines up to ElementDataFile, which is the last; after it come pixels."""
    with path.open("rb") as file:
        head = file.read(_MAX_HEADER_BYTES)
    fields: dict[str, str] = {}
    for line in head.decode("latin-1").split("\n"):
        key, separator, value = line.partition("=")
        if not separator:
            break
        fields[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            break
    missing = [key for key in ("NDims", "DimSize", "ElementType", "ElementDataFile") if key not in fields]
    if missing:
        raise InputError(
            f"is not a MetaImage header: it has no {missing[0]} line",
            where=path,
            remedy="check the suffix, or export the image again.",
        )
    return fields


def _pixel_file(path: Path, name: str) -> Path:
    """The file that holds the pixels; a header may only point into its own folder."""
    if name.upper() == "LOCAL":
        return path
    if name.upper().startswith("LIST") or "%" in name:
        raise InputError(
            f"spreads its pixels over several files ({name})", where=path, remedy="convert it to one .mha file."
        )
    if Path(name).is_absolute() or ".." in Path(name).parts:
        raise InputError(
            f"points outside its own folder, to {name}",
            where=path,
            remedy="move the pixel file beside the header, and correct ElementDataFile.",
        )
    pixel_file = path.parent / name
    if not pixel_file.is_file():
        raise InputError(
            f"its pixel file {name} is missing",
            where=path,
            remedy=f"put {name} into {path.parent}, or leave this header out.",
        )
    return pixel_file


def _own_geometry(labels: LabelMap) -> tuple[tuple[int, ...], dict[str, str]]:
    shape = own_shape(labels)
    spacing = (*(labels.spacing_mm or (1.0, 1.0, 1.0))[::-1], 1.0)[: len(shape)]
    return shape, {
        "TransformMatrix": " ".join(str(int(value)) for value in np.eye(len(shape)).ravel()),
        "Offset": " ".join("0" for _ in shape),
        "ElementSpacing": " ".join(f"{value:.17g}" for value in spacing),
    }
