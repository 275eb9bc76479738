"""Damaged DICOM is read, or refused by one of our errors; nothing hangs, and no file is left."""

import os
import random
import time
from pathlib import Path

import pytest
from pydicom.data import get_testdata_file

from cardiotrace.core.errors import CardioTraceError
from cardiotrace.datasets.exam_discovery import find_exams
from cardiotrace.io import read_image

_SOURCES = (
    *("examples_ybr_color.dcm", "examples_palette.dcm", "MR_small_RLE.dcm", "MR_small_jp2klossless.dcm"),
    *("MR_small_jpeg_ls_lossless.dcm", "MR_small_implicit.dcm", "image_dfl.dcm", "SC_rgb_jpeg_dcmtk.dcm"),
    *("JPGExtended.dcm", "test-SR.dcm", "MR_small_bigendian.dcm", "JPEG2000.dcm"),
)
_SAMPLE = int(os.environ.get("CARDIOTRACE_MUTANTS", "40"))
"""2,000 when run by hand."""
_LONGEST_S = 60.0
_HEADER = 4000


def mutant(seed):
    """A real file, damaged: cut off, a piece of its header missing or doubled, bytes of header or pixels changed."""
    draw = random.Random(seed)
    content = bytearray(Path(get_testdata_file(_SOURCES[seed % len(_SOURCES)], download=False)).read_bytes())
    kind, header = draw.randrange(6), min(_HEADER, len(content))
    if kind == 0:
        del content[draw.randrange(len(content)) :]
    elif kind == 1:
        place = draw.randrange(header)
        del content[place : place + draw.randrange(1, 40)]
    elif kind == 2:
        place, length = draw.randrange(header), draw.randrange(1, 60)
        content[place:place] = content[place : place + length]
    else:
        first, last = (0, header) if kind == 3 else (len(content) // 3, len(content))
        for _ in range(draw.randrange(1, 4 if kind == 3 else 20)):
            content[draw.randrange(first, last)] = draw.randrange(256)
    return bytes(content)


def attempted(read, path):
    """What is said of a file that is refused."""
    try:
        read(path)
    except CardioTraceError as error:
        return str(error)
    return ""


@pytest.mark.parametrize("first", range(0, _SAMPLE, 20))
def test_mutants_of_real_files(tmp_path, first):
    for seed in range(first, min(first + 20, _SAMPLE)):
        path = tmp_path / "IM1"
        path.write_bytes(mutant(seed))
        begun = time.monotonic()
        for read in (lambda path: read_image(path), lambda path: find_exams([path])[0].read()):
            assert attempted(read, path).count("\n") <= 1, seed
        assert time.monotonic() - begun < _LONGEST_S, seed
        assert [entry.name for entry in tmp_path.iterdir()] == ["IM1"], seed
