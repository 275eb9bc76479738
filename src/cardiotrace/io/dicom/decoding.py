"""Frames of one object, decoded one after another; what a small file claims is held against limits before.

Compressed frames go to pydicom and the decoders it knows: Pillow (JPEG, JPEG 2000 of either kind), CharLS (JPEG-LS).
Films (MPEG-2, MPEG-4, HEVC) and what these leave over (JPEG of 12 bit, lossless JPEG of 8 bit) go to FFmpeg, which
reads videos here as well. Lossless JPEG of more than 8 bit needs GDCM, which is large and not installed as a rule:
FFmpeg decodes differences of 16 bit wrongly.
"""

import importlib.util
import io
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.io.dicom.codestream import CodedSize, coded_size
from cardiotrace.io.dicom.fact import text
from cardiotrace.io.dicom.header import whole_of

if TYPE_CHECKING:
    from pydicom import Dataset
    from pydicom.uid import UID

_LOG = logging.getLogger(__name__)

_EXTENDED = "1.2.840.10008.1.2.4.51"
_LOSSLESS = ("1.2.840.10008.1.2.4.57", "1.2.840.10008.1.2.4.70")
_HIGH_THROUGHPUT = {
    "1.2.840.10008.1.2.4.201": "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.202": "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.203": "1.2.840.10008.1.2.4.91",
}
"""High-throughput JPEG 2000, and the JPEG 2000 that it is but for how its blocks are coded: its frames say which, and
Pillow reads both, which pydicom does not know."""
_UNSIZED = ("1.2.840.10008.1.2.5",)
"""Compressed frames whose code states no size: RLE, where no byte makes more than 64."""
_FILMS = {
    f"1.2.840.10008.1.2.4.{number}{part}": name
    for numbers, name in ((range(100, 102), "mpegvideo"), (range(102, 107), "h264"), (range(107, 109), "hevc"))
    for number in numbers
    for part in ("", ".1")
}
"""Transfer syntaxes of films, with FFmpeg's name for a bare stream of each."""
_CONTAINERS = ((b"\x00\x00\x01\xba", "mpeg"), (b"\x47", "mpegts"), (b"\x1aE\xdf\xa3", "matroska"))


@dataclass(frozen=True)
class Frame:
    """One frame as it was decoded."""

    values: NDArray[Any]
    """(rows, columns[, 3])."""
    photometric: str
    """What the values mean, in DICOM's words; "YBR_FULL" of what was only partly sampled, too."""


def transfer_syntax_of(dataset: "Dataset") -> "UID | None":
    """How an object is encoded; None where its file does not say."""
    meta = getattr(dataset, "file_meta", None)
    return None if meta is None else meta.get("TransferSyntaxUID")


def frames_of(dataset: "Dataset", path: Path) -> Iterator[Frame]:
    """The frames of an object, one after another.

    Raises:
        InputError: there are no pixels, they are damaged or too few, or nothing here decodes them.
    """
    from pydicom.uid import ImplicitVRLittleEndian

    if not getattr(dataset, "PixelData", None):
        raise InputError("holds no pixels", where=path, remedy="export it again, with its pixels.")
    syntax = transfer_syntax_of(dataset)
    if syntax is None:
        syntax = dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    if syntax in _FILMS:
        return _of_film(dataset, path)
    if not syntax.is_transfer_syntax or not syntax.is_compressed:
        return _by_library(dataset, path)
    _decoder_of(dataset, path)  # that there is one is known before frames are held against the header
    coded = list(_coded(dataset))
    sizes = [] if syntax in _UNSIZED else [_checked(frame, dataset, path) for frame in coded]
    own = _own_decoder(syntax, sizes, path)
    if own is not None:
        return (_by_ffmpeg(frame, own, dataset) for frame in coded)
    is_signed = whole_of(dataset, "PixelRepresentation") == 1
    if sizes and sizes[0].is_signed not in (None, is_signed):
        return _with_the_stated_sign(dataset, path, sizes[0].bits, is_signed)
    return _by_library(dataset, path)


def _coded(dataset: "Dataset") -> Iterator[bytes]:
    """The compressed frames."""
    from pydicom.encaps import generate_frames

    tables: dict[str, Any] = {}
    if "ExtendedOffsetTable" in dataset and "ExtendedOffsetTableLengths" in dataset:
        tables = {"extended_offsets": (dataset.ExtendedOffsetTable, dataset.ExtendedOffsetTableLengths)}
    return generate_frames(dataset.PixelData, number_of_frames=whole_of(dataset, "NumberOfFrames") or 1, **tables)


def _checked(frame: bytes, dataset: "Dataset", path: Path) -> CodedSize:
    """The size that a compressed frame states.

    Raises:
        InputError: it is not the header's.
    """
    size = coded_size(frame)
    stated = (whole_of(dataset, "Rows"), whole_of(dataset, "Columns"))
    if size is None or (size.rows, size.columns) != stated:
        what = "states no size" if size is None else f"is of {size.rows} x {size.columns} pixels"
        raise InputError(
            f"a compressed frame {what}, the header says {stated[0]} x {stated[1]}",
            where=path,
            remedy="the file is damaged: export it again.",
        )
    return size


def _own_decoder(syntax: "UID", sizes: list[CodedSize], path: Path) -> str | None:
    """FFmpeg's decoder where no other is at hand; None where pydicom has one.

    Raises:
        InputError: nothing decodes this.
    """
    bits = max((size.bits for size in sizes), default=8)
    if syntax == _EXTENDED:
        return "mjpeg" if bits > 8 else None
    if syntax in _LOSSLESS and importlib.util.find_spec("gdcm") is None:
        if bits <= 8:
            return "mjpeg"
        raise InputError(
            f"is compressed by lossless JPEG of {bits} bit, which needs the library GDCM",
            where=path,
            remedy='install it: pip install "cardiotrace[dicom]".',
        )
    return None


def _with_the_stated_sign(dataset: "Dataset", path: Path, bits: int, is_signed: bool) -> Iterator[Frame]:
    """Frames whose code says signed and whose header unsigned, or the other way round: the header counts.

    Writers of such files hand the encoder the right bits and the wrong word for them.
    """
    _LOG.info("%s: header and compressed frames contradict each other on the sign of pixels: the header counts", path)
    for frame in _by_library(dataset, path, pixel_representation=int(not is_signed)):
        yield replace(frame, values=_of_bits(frame.values, bits, "i" if is_signed else "u"))


def _of_bits(values: NDArray[Any], bits: int, kind: str) -> NDArray[Any]:
    """The lowest bits of whole numbers as numbers of a kind, signed ("i") or unsigned ("u").

    Example:
        >>> _of_bits(np.array([4095, 2047], np.uint16), 12, "i"), _of_bits(np.array([-1, 5], np.int16), 12, "u")
        (array([  -1, 2047], dtype=int16), array([4095,    5], dtype=uint16))
    """
    unused = 8 * values.itemsize - bits
    return (values << unused).view(f"{kind}{values.itemsize}") >> unused


def _by_library(dataset: "Dataset", path: Path, **options: Any) -> Iterator[Frame]:
    """Frames by pydicom, without its conversion of colours.

    Args:
        dataset: the object.
        path: its file.
        options: what it is to take in place of what the header says.

    Raises:
        InputError: it knows no such encoding.
    """
    from pydicom.uid import UID

    decoder, syntax = _decoder_of(dataset, path), dataset.file_meta.TransferSyntaxUID
    dataset.file_meta.TransferSyntaxUID = UID(_HIGH_THROUGHPUT.get(syntax, syntax))
    plugin = _plugin(decoder.available_plugins) if syntax.is_compressed and not syntax.is_deflated else ""
    for values, facts in decoder.iter_array(dataset, raw=True, decoding_plugin=plugin, **options):
        yield Frame(values, str(facts["photometric_interpretation"]).strip())


def _decoder_of(dataset: "Dataset", path: Path) -> Any:
    """What of pydicom decodes an object, of high-throughput JPEG 2000 the decoder of the other kind.

    Raises:
        InputError: it knows no such encoding.
    """
    from pydicom.pixels.decoders.base import get_decoder
    from pydicom.uid import UID

    syntax = dataset.file_meta.TransferSyntaxUID
    try:
        return get_decoder(UID(_HIGH_THROUGHPUT.get(syntax, syntax)))
    except NotImplementedError:
        named = text(dataset.file_meta, "TransferSyntaxUID")
        raise InputError(
            f"is compressed in a way that is not known ({named})", where=path, remedy="export it uncompressed."
        ) from None


_PLUGINS = ("pyjpegls", "pillow", "pydicom", "pylibjpeg", "gdcm")
"""Decoders in the order in which they are taken: the same one wherever it is at hand, and GDCM last, as it is slow."""


def _plugin(available: tuple[str, ...]) -> str:
    return next((plugin for plugin in _PLUGINS if plugin in available), "")


def _by_ffmpeg(frame: bytes, codec: str, dataset: "Dataset") -> Frame:
    """One compressed frame by FFmpeg, which gives samples of 9 to 16 bit in the upper ones of 16."""
    import av

    size = coded_size(frame)
    context = av.CodecContext.create(codec, "r")
    decoded = [*context.decode(av.Packet(frame)), *context.decode(None)][0]
    if whole_of(dataset, "SamplesPerPixel") == 3:
        return Frame(decoded.to_ndarray(format="rgb24"), "RGB")
    values = decoded.to_ndarray()
    if size is not None and size.bits > 8:
        values = values >> (16 - size.bits)
    return Frame(values, text(dataset, "PhotometricInterpretation"))


def _of_film(dataset: "Dataset", path: Path) -> Iterator[Frame]:
    """The frames of a film, as its decoder gives them: brightness and, where it has one, colour.

    Raises:
        InputError: it has other than the announced number or size of frames.
    """
    import av
    from pydicom.encaps import generate_fragmented_frames

    # Behind the table of offsets, which is there as often as not, all fragments together are the film.
    parts = generate_fragmented_frames(dataset.PixelData, number_of_frames=1)
    stream = io.BytesIO(b"".join(itertools.chain.from_iterable(parts)))
    kind = _container(stream.getvalue()[:16], _FILMS[dataset.file_meta.TransferSyntaxUID])
    count, size = whole_of(dataset, "NumberOfFrames") or 1, (whole_of(dataset, "Rows"), whole_of(dataset, "Columns"))
    found = 0
    with av.open(stream, format=kind, metadata_errors="ignore") as film:
        for frame in film.decode(video=0):
            found += 1
            if found > count or (frame.height, frame.width) != size:
                raise InputError("changes its size, or has more frames than it announces", where=path)
            yield _of_video(frame)
    if found < count:
        raise InputError(
            f"ends early: {found} of {count} frames can be read", where=path, remedy="copy or export it again."
        )


def _container(head: bytes, bare: str) -> str:
    if head[4:8] == b"ftyp":
        return "mov"
    return next((name for magic, name in _CONTAINERS if head.startswith(magic)), bare)


def _of_video(frame: Any) -> Frame:
    name: str = frame.format.name
    if name.startswith("gray"):
        return Frame(frame.to_ndarray(format="gray"), "MONOCHROME2")
    if any(component.is_chroma for component in frame.format.components):
        # Brightness as it is coded, but for its range: by way of RGB it would come out up to two grey values darker.
        return Frame(np.moveaxis(frame.to_ndarray(format="yuvj444p"), 0, -1), "YBR_FULL")
    return Frame(frame.to_ndarray(format="rgb24"), "RGB")
