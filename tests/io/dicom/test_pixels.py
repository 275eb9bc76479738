"""Pixels of every encoding and colour that ultrasound comes in, against what was encoded."""

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import encapsulate
from pydicom.pixels import apply_color_lut, convert_color_space
from pydicom.uid import (
    HTJ2K,
    JPEG2000,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    HTJ2KLossless,
    HTJ2KLosslessRPCL,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from cardiotrace.core.errors import InputError
from cardiotrace.core.terms import Modality
from cardiotrace.io import read_image
from cardiotrace.io.colour import luma
from cardiotrace.io.dicom.codestream import coded_size
from cardiotrace.io.dicom.decoding import frames_of
from tests.fake.ultrasound import pixels, region, ultrasound, write
from tests.programs import run

WHOLE = region((0, 0, 59, 39))
MPEG2, H264, HEVC, HEVC_10 = (f"1.2.840.10008.1.2.4.{number}" for number in (100, 102, 107, 108))


def smooth(frames=6, shape=(40, 60), channels=()):
    """Frames that lossy compression hardly changes."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    planes = [100 + 60 * np.sin(rows / 9 + frame / 3) * np.cos(columns / 11) for frame in range(frames)]
    values = np.array(planes)[(..., *[np.newaxis] * len(channels))] + np.zeros(channels)
    return values.round().astype(np.uint8)


def read(tmp_path, made):
    return read_image(write(tmp_path / "IM1", made)).frames[:, 0]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, DeflatedExplicitVRLittleEndian])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_uncompressed(tmp_path, syntax, kind):
    values = pixels().astype(kind) * (1 if kind is np.uint8 else 13)
    assert np.array_equal(read(tmp_path, ultrasound(values, regions=[WHOLE], syntax=syntax)), values)


def test_big_endian(tmp_path):
    values = pixels().astype(np.uint16) * 13
    made = ultrasound(values, regions=[WHOLE], syntax=ExplicitVRBigEndian, PixelData=values.byteswap().tobytes())
    made["PixelData"].VR = "OW"
    assert np.array_equal(read(tmp_path, made), values)


@pytest.mark.parametrize("syntax", [RLELossless, JPEGLSLossless])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_lossless(tmp_path, syntax, channels):
    values = smooth(channels=channels)
    made = ultrasound(values, regions=[WHOLE])
    made.compress(syntax)
    expected = luma(values) if channels else values
    assert np.array_equal(read(tmp_path, made), expected)


def jpeg(values, **how):
    """Frames as JPEG files."""
    streams = []
    for frame in values:
        content = io.BytesIO()
        Pillow.fromarray(frame).save(content, "JPEG", quality=95, **how)
        streams.append(content.getvalue())
    return encapsulate(streams)


@pytest.mark.parametrize("sampling", [0, 1])
def test_jpeg_in_colour_gives_its_brightness(tmp_path, sampling):
    values = smooth(channels=(3,))
    photometric = "YBR_FULL" if sampling == 0 else "YBR_FULL_422"
    made = ultrasound(values, regions=[WHOLE], syntax=JPEGBaseline8Bit, PhotometricInterpretation=photometric)
    made.PixelData = jpeg(values, subsampling=sampling)
    found = read(tmp_path, made).astype(int)
    assert np.abs(found - values[..., 0]).max() <= 3


def test_jpeg_2000_with_its_colours_turned(tmp_path):
    values = smooth(channels=(3,))
    content = [io.BytesIO() for _ in values]
    for frame, target in zip(values, content, strict=True):
        Pillow.fromarray(frame).save(target, "JPEG2000", mct=1, no_jp2=True, irreversible=False)
    made = ultrasound(values, regions=[WHOLE], syntax=JPEG2000, PhotometricInterpretation="YBR_RCT")
    made.PixelData = encapsulate([each.getvalue() for each in content])
    assert np.array_equal(read(tmp_path, made), values[..., 0])


def test_jpeg_2000_that_is_unsigned_of_signed_pixels():
    """A real one of the library's own tests: 13 bit of computed tomography, -2000 beside the field of view."""
    path = get_testdata_file("J2K_pixelrep_mismatch.dcm", download=False)
    (frame,) = frames_of(dcmread(path), Path(path))
    np.testing.assert_array_equal(frame.values, dcmread(path).pixel_array)
    assert (frame.values.dtype, frame.values.min(), frame.values[0, 0]) == (np.int16, -2000, -2000)


@pytest.mark.parametrize("channels", [(), (3,)])
def test_jpeg_2000_that_is_signed_of_unsigned_pixels(tmp_path, channels):
    values = smooth(channels=channels) % 128  # the encoder takes them as they are, and 127 is the largest of 8 bit
    content = [io.BytesIO() for _ in values]
    for frame, target in zip(values, content, strict=True):
        Pillow.fromarray(frame).save(target, "JPEG2000", no_jp2=True, irreversible=False, signed=True)
        assert coded_size(target.getvalue()).is_signed
    made = ultrasound(values, regions=[WHOLE], syntax=JPEG2000)
    made.PixelData = encapsulate([each.getvalue() for each in content])
    assert np.array_equal(read(tmp_path, made), luma(values) if channels else values)


@pytest.mark.skipif(importlib.util.find_spec("gdcm") is None, reason="GDCM, which encodes it, is not installed")
@pytest.mark.parametrize("by_ffmpeg", [True, False])
@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("selection", ["JPEGLosslessProcess14", "JPEGLosslessProcess14_1"])
def test_lossless_jpeg_of_8_bit_with_and_without_gdcm(tmp_path, monkeypatch, selection, channels, by_ffmpeg):
    import gdcm

    values = smooth(frames=1, channels=channels)
    source = write(tmp_path / "plain", ultrasound(values, regions=[WHOLE]))
    reader, change, writer = gdcm.ImageReader(), gdcm.ImageChangeTransferSyntax(), gdcm.ImageWriter()
    reader.SetFileName(str(source))
    assert reader.Read()
    change.SetTransferSyntax(gdcm.TransferSyntax(getattr(gdcm.TransferSyntax, selection)))
    change.SetInput(reader.GetImage())
    assert change.Change()
    writer.SetFileName(str(tmp_path / "IM1"))
    writer.SetFile(reader.GetFile())
    writer.SetImage(change.GetOutput())
    assert writer.Write()
    if by_ffmpeg:
        monkeypatch.setattr("cardiotrace.io.dicom.decoding.importlib.util.find_spec", lambda name: None)
    expected = luma(values) if channels else values
    assert np.array_equal(read_image(tmp_path / "IM1").frames[:, 0], expected)


def high_throughput(folder, frame, *words):
    """A frame as high-throughput JPEG 2000."""
    # The program writes names of three letters as it finds them, and the numbers of a deep picture big-endian.
    source, target = folder / ("in.ppm" if frame.ndim == 3 else "in.pgm"), folder / "out.j2c"
    most = 255 if frame.dtype == np.uint8 else 4095
    head = f"{'P6' if frame.ndim == 3 else 'P5'} {frame.shape[1]} {frame.shape[0]} {most}\n".encode()
    source.write_bytes(head + frame.astype(frame.dtype.newbyteorder(">")).tobytes())
    told = run("ojph_compress", "-i", source, "-o", target, *words)
    assert target.is_file(), told.stderr + told.stdout
    return target.read_bytes()


@pytest.mark.parametrize("syntax", [HTJ2KLossless, HTJ2KLosslessRPCL, HTJ2K])
@pytest.mark.parametrize("kind", ["grey", "deep", "colour"])
def test_high_throughput_jpeg_2000(tmp_path, syntax, kind):
    values = pixels(2, (64, 96), (3,) if kind == "colour" else ())
    values = values.astype(np.uint16) * 16 + 5 if kind == "deep" else values
    order = ("-prog_order", "RPCL" if syntax == HTJ2KLosslessRPCL else "LRCP")
    how = ("-reversible", "false", "-qstep", "0.001") if syntax == HTJ2K else ("-reversible", "true")
    made = ultrasound(values, regions=[region((0, 0, 95, 63))], syntax=syntax)
    if kind == "colour":
        made.PhotometricInterpretation = "YBR_ICT" if syntax == HTJ2K else "YBR_RCT"
    if kind == "deep":
        made.BitsStored, made.HighBit = 12, 11
    made.PixelData = encapsulate([high_throughput(tmp_path, frame, *order, *how) for frame in values])
    found, expected = read(tmp_path, made), luma(values) if kind == "colour" else values
    most = {"deep": 12, "grey": 1, "colour": 1}[kind] if syntax == HTJ2K else 0
    assert np.abs(found.astype(int) - expected).max() <= most
    assert found.dtype == expected.dtype


def film(values, codec, container, form="yuv420p"):
    """Frames as a film: a bare stream, or one in a container."""
    import av

    content = io.BytesIO()
    with av.open(content, "w", format=container) as target:
        stream = target.add_stream(codec, rate=25)
        stream.height, stream.width = values.shape[1:3]
        stream.pix_fmt, stream.bit_rate = form, 4_000_000
        if codec == "libx265":
            stream.options = {"x265-params": "log-level=none:pools=none:frame-threads=1"}
        for frame in values:
            target.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="gray8").reformat(format=form)))
        target.mux(stream.encode(None))
    return content.getvalue()


def filmed(values, syntax, content, **elements):
    """An object that holds a film."""
    made = ultrasound(np.repeat(values[..., np.newaxis], 3, -1), regions=[region((0, 0, 95, 63))], syntax=syntax)
    made.PhotometricInterpretation = "YBR_PARTIAL_420"
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    made.PixelData = content
    return made


@pytest.mark.parametrize("has_table", [True, False])
@pytest.mark.parametrize(
    ("syntax", "codec", "container", "form"),
    [
        (MPEG2, "mpeg2video", "mpeg2video", "yuv420p"),
        (MPEG2, "mpeg2video", "mpeg", "yuv420p"),
        (H264, "libx264", "h264", "yuv420p"),
        (H264, "libx264", "h264", "yuvj420p"),
        (H264, "libx264", "mp4", "yuv420p"),
        (H264, "libx264", "mpegts", "yuv420p"),
        (f"{H264}.1", "libx264", "h264", "yuv420p"),
        (HEVC, "libx265", "hevc", "yuv420p"),
        (HEVC, "libx265", "mp4", "yuv420p"),
        (HEVC, "libx265", "mpegts", "yuv420p"),
        (HEVC_10, "libx265", "hevc", "yuv420p10le"),
    ],
)
def test_films(tmp_path, syntax, codec, container, form, has_table):
    """Bare and in containers, whole or in fragments, behind a table of offsets or an empty one."""
    av = pytest.importorskip("av")
    if codec not in av.codecs_available:
        pytest.skip(f"this FFmpeg has no {codec}")
    values = smooth(shape=(64, 96))
    content = film(values, codec, container, form)
    found = read(tmp_path, filmed(values, syntax, encapsulate([content], fragments_per_frame=3, has_bot=has_table)))
    assert found.shape == values.shape
    assert np.abs(found.astype(int) - values).mean() < 1
    assert abs((found.astype(int) - values).mean()) < 0.5


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"NumberOfFrames": 9}, "ends early: 6 of 9 frames"),
        ({"NumberOfFrames": 3}, "has more frames than it announces"),
        ({"Rows": 32}, "changes its size"),
        ({"BitsAllocated": 16, "BitsStored": 10, "HighBit": 9}, "3 samples of 16 bit"),
    ],
)
def test_films_whose_headers_lie(tmp_path, change, words):
    values = smooth(shape=(64, 96))
    with pytest.raises(InputError, match=words):
        read(tmp_path, filmed(values, H264, encapsulate([film(values, "libx264", "h264")]), **change))


@pytest.mark.parametrize("content", [bytes(range(256)) * 20, b"\0\0\0\1\x40", "hevc", "half"])
def test_films_of_another_make_or_damaged(tmp_path, content):
    values = smooth(shape=(64, 96))
    if isinstance(content, str):
        whole = film(values, "libx264", "h264")
        content = film(values, "libx265", "hevc") if content == "hevc" else whole[: len(whole) // 2]
    with pytest.raises(InputError, match=r"cannot be read|can be read") as caught:
        read(tmp_path, filmed(values, H264, encapsulate([content])))
    assert len(str(caught.value).splitlines()) <= 2


def test_white_is_zero(tmp_path):
    made = ultrasound(regions=[WHOLE], PhotometricInterpretation="MONOCHROME1")
    assert np.array_equal(read(tmp_path, made), 255 - pixels())


@pytest.mark.parametrize("planar", [0, 1])
def test_rgb_gives_its_brightness(tmp_path, planar):
    values = pixels(channels=(3,))
    made = ultrasound(values, regions=[WHOLE], PlanarConfiguration=planar)
    made.PixelData = (values if planar == 0 else np.moveaxis(values, -1, 1)).tobytes()
    assert np.array_equal(read(tmp_path, made), luma(values))


def test_ybr_gives_its_brightness(tmp_path):
    values = convert_color_space(smooth(channels=(3,)), "RGB", "YBR_FULL")
    made = ultrasound(values, regions=[WHOLE], PhotometricInterpretation="YBR_FULL")
    assert np.array_equal(read(tmp_path, made), values[..., 0])


def test_a_palette_gives_the_brightness_of_its_colours(tmp_path):
    values = pixels(2)
    made = ultrasound(values, regions=[WHOLE], PhotometricInterpretation="PALETTE COLOR")
    for number, name in enumerate(("Red", "Green", "Blue")):
        table = ((np.arange(256) * (number + 1)) % 256 << 8).astype("<u2")
        setattr(made, f"{name}PaletteColorLookupTableDescriptor", [256, 0, 16])
        setattr(made, f"{name}PaletteColorLookupTableData", table.tobytes())
    expected = luma((apply_color_lut(values, made) >> 8).astype(np.uint8))
    assert np.array_equal(read(tmp_path, made), expected)


def test_strong_colour_is_told_and_that_beside_the_region_is_not(tmp_path):
    values = pixels(channels=(1,)).repeat(3, -1)
    values[:, :4, :, 0] = 255
    values[:, :4, :, 1:] = 0  # a red bar above the region
    told = read_image(write(tmp_path / "a", ultrasound(values, regions=[WHOLE]))).doubts
    assert "10 % of the pixels of a frame are strongly coloured" in told[0]
    assert read_image(write(tmp_path / "b", ultrasound(values, regions=[region((0, 4, 59, 39))]))).doubts == ()


def test_photographs_keep_their_colours(tmp_path):
    values = pixels(1, channels=(3,))
    made = ultrasound(values, SOPClassUID="1.2.840.10008.5.1.4.1.1.77.1.5.1", Modality="OP")
    image = read_image(write(tmp_path / "IM1", made))
    assert image.modality is Modality.PHOTOGRAPH
    assert np.array_equal(image.frames[:, 0], values)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"PixelData": None, "syntax": JPEGBaseline8Bit}, "holds no pixels"),
        ({"PixelData": None}, "claims 12000 bytes of pixels"),
        ({"Rows": 0}, "claims 5 frames of 0 x 60"),
        ({"Rows": None}, "states no Rows"),
        ({"NumberOfFrames": 10**9}, "claims 1000000000 frames"),
        ({"NumberOfFrames": 10**6}, "GiB of pixels"),
        ({"NumberOfFrames": 500}, "claims 1200000 bytes"),
        ({"NumberOfFrames": "-2"}, "claims -2 frames"),
        ({"BitsAllocated": 32}, "32 bit"),
        ({"SamplesPerPixel": 4}, "4 samples"),
    ],
)
def test_headers_that_lie(tmp_path, change, words):
    with pytest.raises(InputError, match=words):
        read(tmp_path, ultrasound(**change))


def test_an_unknown_compression(tmp_path):
    made = ultrasound()
    write(tmp_path / "IM1", made)
    content = (tmp_path / "IM1").read_bytes()
    (tmp_path / "IM2").write_bytes(content.replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.9.9.9\0"))
    with pytest.raises(InputError, match=r"not known \(1\.2\.840\.10008\.9\.9\.9\)"):
        read_image(tmp_path / "IM2")


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.93", "1.2.840.10008.1.2.4.52"])
def test_compression_that_the_standard_knows_and_nothing_here_decodes(tmp_path, syntax):
    """JPEG 2000 of several components together, and a retired JPEG."""
    made = ultrasound(pixels(2), syntax=syntax)
    made.PixelData = encapsulate([b"\xff\x0a codestream", b"\xff\x0a codestream"])
    with pytest.raises(InputError, match=rf"is compressed in a way that is not known \({syntax}\)"):
        read(tmp_path, made)


def test_a_compressed_frame_that_claims_another_size(tmp_path):
    made = ultrasound(pixels(2), syntax=JPEGBaseline8Bit)
    made.PixelData = jpeg(pixels(2, (400, 600)))
    with pytest.raises(InputError, match="is of 400 x 600 pixels, the header says 40 x 60"):
        read(tmp_path, made)


def test_a_deflated_object_that_inflates_without_end(tmp_path, monkeypatch):
    path = write(tmp_path / "IM1", ultrasound(syntax=DeflatedExplicitVRLittleEndian))
    monkeypatch.setattr("cardiotrace.io.dicom.header.MAX_PIXEL_BYTES", 5000)
    with pytest.raises(InputError, match="inflates to more than"):
        read_image(path)


@pytest.mark.parametrize("name", ["a.nii.gz", "a.dcm", "IM0001", "a.png", "a.avi", "a.mhd"])
@pytest.mark.parametrize(
    "content",
    [
        bytes(128) + b"DICM" + b"\x02\x00\x00\x00UL\x04\x00",
        b"\x08\x00\x05\x00CS\x0a\x00ISO_IR 100",
        b"\x08\x00\x00\x00\x04\x00\x00\x00\x20\x00\x00\x00",
    ],
)
def test_what_begins_as_dicom_and_is_cut_short(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"it is no image|is not a DICOM file") as caught:
        read_image(tmp_path / name)
    assert len(str(caught.value).splitlines()) <= 2


def test_another_name_does_not_matter(tmp_path):
    image = read_image(write(tmp_path / "a.png", ultrasound(regions=[WHOLE])))
    assert np.array_equal(image.frames[:, 0], pixels())
    assert "its name ends in .png, its content is dicom; it was read as that" in image.notes
    assert all("its name" not in note for note in read_image(write(tmp_path / "1.2.7", ultrasound())).notes)


def test_truncated_pixels(tmp_path):
    path = write(tmp_path / "IM1", ultrasound())
    path.write_bytes(path.read_bytes()[:-3000])
    with pytest.raises(InputError):
        read_image(path)


def test_half_a_header(tmp_path):
    path = write(tmp_path / "IM1", ultrasound())
    path.write_bytes(path.read_bytes()[:400])
    with pytest.raises(InputError):
        read_image(path)
