"""Real ultrasound that pydicom and pydicom-data ship: a true apical four-chamber film among it."""

import resource
import time

import numpy as np
import pytest
from pydicom.data import get_testdata_file

from cardiotrace.core.geometry import Known
from cardiotrace.core.terms import Modality
from cardiotrace.datasets.exam_discovery import read_exam
from cardiotrace.io import read_image


def real(name):
    path = get_testdata_file(name, download=False)
    if path is None:
        pytest.skip(f"{name} is not at hand: pip install pydicom-data")
    return path


FILM = "color3d_jpeg_baseline.dcm"


@pytest.fixture(scope="module")
def film():
    return read_image(real(FILM))


def test_the_film_of_four_chambers(film):
    assert film.frames.shape == (120, 1, 480, 640)
    assert film.spacing_mm == pytest.approx((1.0, 0.510497056, 0.510497056))
    assert film.geometry.pixel_size is Known.FILE
    assert film.modality is Modality.US
    assert film.times_ms[-1] == pytest.approx(119 * 33.333)
    assert film.acquisition.heart_rate_bpm is None  # 0 in the header
    assert film.doubts == ()


def test_what_is_written_beside_the_region_is_masked(film):
    outside = np.ones((480, 640), bool)
    outside[31:415, 84:596] = False
    assert not film.frames[:, 0][:, outside].any()
    assert film.frames[:, 0, 31:415, 84:596].mean() > 10


def test_the_brightness_is_that_of_an_independent_decoder(film):
    import av
    from pydicom import dcmread
    from pydicom.encaps import generate_frames

    made = dcmread(real(FILM))
    for number, frame in enumerate(generate_frames(made.PixelData, number_of_frames=120)):
        if number % 40 == 0:
            codec = av.CodecContext.create("mjpeg", "r")
            (decoded,) = [*codec.decode(av.Packet(frame)), *codec.decode(None)]
            luma = decoded.reformat(format="gray", src_color_range="JPEG", dst_color_range="JPEG").to_ndarray()
            apart = np.abs(luma[31:415, 84:596].astype(int) - film.frames[number, 0, 31:415, 84:596])
            assert apart.max() <= 3


def test_the_time_it_takes():
    """Processor time: 1.5 s on a machine of its own, and tests run beside others."""
    path = real(FILM)
    read_image(path)
    begun = time.process_time()
    read_image(path)
    assert time.process_time() - begun < 1.5


def test_the_memory_it_takes():
    """Twice the decoded study at most, in a process of its own."""
    import subprocess
    import sys

    code = (
        "import resource, sys; from cardiotrace.io import read_image; read_image(sys.argv[2]);"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; image = read_image(sys.argv[1]);"
        "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / image.frames.nbytes)"
    )
    small = real("examples_palette.dcm")
    done = subprocess.run([sys.executable, "-c", code, real(FILM), small], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 2
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss > 0


def test_the_half_size_copy_measures_nothing():
    image = read_image(real("examples_ybr_color.dcm"))
    assert image.frames.shape == (30, 1, 240, 320)
    assert image.spacing_mm is None
    assert "larger than the picture (320 x 240)" in image.geometry.doubts[0]


def test_the_palette_whose_picture_was_cut():
    image = read_image(real("examples_palette.dcm"))
    assert image.frames.shape == (1, 1, 350, 800)
    assert image.spacing_mm is None
    assert image.frames.max() > 200


def test_the_exam_tells_nobody_who_it_is():
    exam = read_exam(real(FILM))
    assert exam.name == "color3d_jpeg_baseline"
    assert exam.facts["date"] == "2016-05-03"
    assert (exam.facts["vendor"], exam.facts["scanner"]) == ("SonoSite, Inc.", "Turbo")
    assert "PLA" not in repr((exam.name, exam.patient, exam.facts, exam.left_out, exam.images[0].image.notes))


@pytest.mark.parametrize("name", ["JPEG-lossy.dcm", "JPGExtended.dcm"])
def test_jpeg_of_12_bit(name):
    image = read_image(real(name))
    assert image.frames.shape == (1, 1, 1024, 256)
    assert image.frames.max() == 264  # as dcmdjpeg of DCMTK decodes it


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("MR_small_RLE.dcm", "MR_small.dcm"),
        ("MR_small_jp2klossless.dcm", "MR_small.dcm"),
        ("MR_small_jpeg_ls_lossless.dcm", "MR_small.dcm"),
        ("MR_small_bigendian.dcm", "MR_small.dcm"),
        ("MR_small_implicit.dcm", "MR_small.dcm"),
        ("SC_rgb_rle.dcm", "SC_rgb_small_odd.dcm"),
    ],
)
def test_one_picture_in_many_encodings(name, plain):
    found = read_image(real(name))
    if name.startswith("MR"):
        assert np.array_equal(found.frames, read_image(real(plain)).frames)
        assert found.modality is Modality.MR
        assert found.geometry.is_oriented
    else:
        assert found.is_colour
