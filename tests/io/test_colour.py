import av
import numpy as np
import pytest
from PIL import Image as PilImage
from PIL import ImageDraw

from cardiotrace.core.geometry import NO_GEOMETRY, Geometry
from cardiotrace.core.image import Image
from cardiotrace.core.terms import Modality, View
from cardiotrace.io import as_grey, read_image
from cardiotrace.io.colour import luma, strong_share

GREY = np.tile(np.arange(0, 240, 2, dtype=np.uint8), (120, 1))


def doppler(share: float) -> np.ndarray:
    """A grey image with a red and blue box over part of it."""
    frame = np.stack([GREY] * 3, axis=-1)
    rows = round(share * 120 * 120 / 60)
    frame[:rows, :30] = (220, 40, 20)
    frame[:rows, 30:60] = (20, 60, 230)
    return frame


def test_grey_stays_itself():
    image = Image(np.zeros((2, 1, 3, 4), np.uint8), Geometry.of_spacing((1.0, 1.0, 1.0)))
    assert as_grey(image) is image


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16, np.float32])
def test_grey_stored_as_colour_stays_exact(dtype):
    grey = (np.arange(24) * 11).astype(dtype).reshape(2, 1, 3, 4)
    image = Image(np.stack([grey] * 3, axis=-1), Geometry.of_spacing((1.0, 0.5, 0.5)), np.array([0.0, 20.0]))
    plain = as_grey(image)
    assert np.array_equal(plain.frames, grey)
    assert plain.frames.dtype == dtype
    assert plain.spacing_mm == (1.0, 0.5, 0.5)
    assert plain.times_ms is image.times_ms
    assert plain.doubts == ()


def test_luma_is_that_of_pillow():
    colours = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    assert np.array_equal(luma(colours), np.asarray(PilImage.fromarray(colours).convert("L")))


def test_strong_colour_is_counted_in_the_frame_that_has_most():
    frames = np.stack([doppler(0.0), doppler(0.05)])[:, np.newaxis]
    assert strong_share(frames) == pytest.approx(0.05)
    assert strong_share(frames.astype(np.uint16) * 257) == pytest.approx(0.05)


@pytest.mark.parametrize(("view", "modality"), [(View.FOUR_CHAMBER, Modality.UNKNOWN), (View.UNKNOWN, Modality.US)])
@pytest.mark.parametrize(("share", "words"), [(0.05, "5 % of the pixels"), (0.005, "")])
def test_the_heart_is_read_as_luma_and_doppler_is_told(tmp_path, view, modality, share, words):
    PilImage.fromarray(doppler(share)).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", view=view, modality=modality)
    assert image.frames[0, 0, 0, 0] == round(0.299 * 220 + 0.587 * 40 + 0.114 * 20)
    assert image.frames[0, 0, 100, 100] == 200
    assert len(image.doubts) == bool(words)
    assert words in " ".join(image.doubts)


@pytest.mark.parametrize(("view", "modality"), [(View.FUNDUS, Modality.UNKNOWN), (View.UNKNOWN, Modality.PHOTOGRAPH)])
def test_photographs_keep_their_colours(tmp_path, view, modality):
    PilImage.fromarray(doppler(0.005)).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png", view=view, modality=modality)
    assert image.is_colour
    assert np.array_equal(image.frames[0, 0], doppler(0.005))


@pytest.mark.parametrize(("share", "is_colour"), [(0.05, True), (0.005, True), (0.0, False)])
def test_of_what_nobody_names_colour_stays(tmp_path, share, is_colour):
    PilImage.fromarray(doppler(share)).save(tmp_path / "a.png")
    image = read_image(tmp_path / "a.png")
    assert image.is_colour == is_colour
    assert image.doubts == ()


@pytest.mark.parametrize("quality", [30, 75, 95])
def test_an_ecg_line_and_the_noise_of_jpeg_are_nothing(tmp_path, quality):
    raster = PilImage.fromarray(np.stack([GREY] * 3, axis=-1)).resize((640, 480))
    pen = ImageDraw.Draw(raster)
    pen.line([(x, 440 + 20 * (x % 80 == 40)) for x in range(0, 640, 10)], fill=(0, 255, 0), width=2)
    pen.rectangle((600, 10, 630, 30), fill=(230, 120, 20))
    raster.save(tmp_path / "a.jpg", quality=quality)
    image = read_image(tmp_path / "a.jpg", view=View.FOUR_CHAMBER)
    assert not image.is_colour
    assert image.doubts == ()


def test_what_the_caller_wants(tmp_path):
    PilImage.fromarray(doppler(0.05)).save(tmp_path / "a.png")
    PilImage.fromarray(GREY).save(tmp_path / "b.png")
    assert read_image(tmp_path / "a.png", channels=3, view=View.SAX).is_colour
    assert not read_image(tmp_path / "a.png", channels=1).is_colour
    assert np.array_equal(read_image(tmp_path / "b.png", channels=3).frames[0, 0, ..., 2], GREY)


@pytest.mark.parametrize(
    ("codec", "pixel_format"), [("mjpeg", "yuvj420p"), ("rawvideo", "bgr24"), ("mpeg4", "yuv420p")]
)
@pytest.mark.parametrize(("share", "words"), [(0.05, "% of the pixels of a frame are strongly coloured"), (0.0, "")])
def test_videos_follow_the_same_rule(tmp_path, codec, pixel_format, share, words):
    path = tmp_path / "a.avi"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=20)
        stream.width = stream.height = 120
        stream.pix_fmt = pixel_format
        for part in (0.0, 0.0, share, 0.0):
            raster = av.VideoFrame.from_ndarray(doppler(part), format="rgb24").reformat(format=pixel_format)
            container.mux(stream.encode(raster))
        container.mux(stream.encode())
    image = read_image(path)
    assert image.grid_shape == (4, 1, 120, 120)
    assert words in " ".join(image.doubts)
    assert len(image.doubts) == bool(words)
    if codec == "rawvideo":  # grey stored as colour is exact, as in stills
        assert np.array_equal(image.frames[0, 0], GREY)
        assert np.array_equal(image.frames[2, 0], luma(doppler(share)))


def test_grey_by_default_for_images_in_memory():
    assert as_grey(Image(np.full((1, 1, 3, 4, 3), 9, np.uint8), NO_GEOMETRY)).frames.max() == 9
