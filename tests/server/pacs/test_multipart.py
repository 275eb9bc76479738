import numpy as np
import pytest

from cardiotrace.core.errors import InputError, WorkError
from cardiotrace.server.pacs.multipart import Parts


def body(contents, boundary=b"mark"):
    parts = [b"--" + boundary + b"\r\nContent-Type: application/dicom\r\n\r\n" + each + b"\r\n" for each in contents]
    return b"".join(parts) + b"--" + boundary + b"--\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 10_000])
def test_parts_do_not_depend_on_where_the_body_is_cut(size):
    rng = np.random.default_rng(0)
    # Line breaks and pieces of the boundary within the parts.
    contents = [rng.bytes(300), b"\r\n--mar", b"", b"\r\n\r\n--mark-less"[:-10], rng.bytes(40) + b"\r\n"]
    whole = body(contents)
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    assert list(Parts(pieces, "mark", most_bytes=1000)) == contents


def test_what_stands_before_the_first_boundary_is_passed_over():
    assert list(Parts([b"preamble\r\n", body([b"a"])], "mark", most_bytes=10)) == [b"a"]


@pytest.mark.parametrize("end", [0, 5, 40, 55, 60])
def test_a_body_that_ends_early_is_no_study(end):
    with pytest.raises(WorkError, match="early"):
        list(Parts([body([b"a" * 20])[:end]], "mark", most_bytes=100))


def test_a_part_without_end_is_refused():
    endless = iter([b"--mark\r\n\r\n", *[b"a" * 10_000] * 10])
    with pytest.raises(WorkError, match="larger"):
        list(Parts(endless, "mark", most_bytes=1000))


@pytest.mark.parametrize("header", ["application/dicom", "", "multipart/related", "text/html; boundary=a"])
def test_an_answer_without_parts_is_said(header):
    with pytest.raises(InputError, match="several parts"):
        Parts.boundary_of(header)
