"""The report as pages: what is on them, and that a viewer can show them."""

import datetime
from dataclasses import replace

import numpy as np
import pytest
from pydicom import dcmread

from cardiotrace.clinical import measure
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.io.dicom.capture import capture_of
from cardiotrace.io.dicom.derived import write_object
from cardiotrace.report import render_report
from cardiotrace.report.capture import draw_pages
from tests.fake.dicom_exam import MADE, film, write_ultrasound
from tests.programs import complaints

DAY = datetime.date(2026, 5, 4)


@pytest.fixture
def echo(tmp_path):
    return film(write_ultrasound(tmp_path / "us"))


def header_of(exam):
    return exam.images[0].image.source.header.frames[0][0].file.header


def test_the_capture_is_valid_and_its_pages_come_back_equal(tmp_path, echo):
    exam, labels = echo
    measures = measure(exam, labels)
    pages = draw_pages(measures, render_report(exam, labels, measures).figures, date=DAY, model="tiny-net")
    assert pages.shape[1:] == (1754, 1240, 3)
    path = tmp_path / "sc.dcm"
    write_object(capture_of(pages, header_of(exam), made=MADE), path)
    assert complaints(path) == []
    read = dcmread(path)
    np.testing.assert_array_equal(read.pixel_array, pages)
    assert (read.BurnedInAnnotation, read.PhotometricInterpretation) == ("NO", "RGB")
    assert list(read.PageNumberVector) == list(range(1, len(pages) + 1))


def test_figures_stand_behind_the_values_and_moving_ones_do_not(echo):
    exam, labels = echo
    measures = measure(exam, labels)
    figures = render_report(exam, labels, measures).figures
    alone = draw_pages(measures, {}, date=DAY)
    assert len(alone) == 1
    assert np.ptp(alone.astype(int), axis=-1).max() < 160  # words alone, in dark ink
    still = {name: content for name, content in figures.items() if name.endswith(".png")}
    assert len(still) == 2
    np.testing.assert_array_equal(draw_pages(measures, figures, date=DAY), draw_pages(measures, still, date=DAY))
    assert len(draw_pages(measures, still, date=DAY)) > 1


def test_no_name_is_drawn_whatever_the_exam_is_called(echo):
    exam, labels = echo
    one, other = (measure(replace(exam, name=name), labels) for name in ("Doe_Jane", "x"))
    np.testing.assert_array_equal(draw_pages(one, {}, date=DAY), draw_pages(other, {}, date=DAY))


def test_a_value_that_is_not_usable_is_not_drawn(echo):
    exam, labels = echo
    measures = measure(exam, labels)
    bad = (Flag(Grade.NOT_USABLE, "cannot be"),)
    drawn = [
        draw_pages(
            replace(measures, quantities=(replace(measures.quantities[0], value=value, flags=bad),)), {}, date=DAY
        )
        for value in (40.0, 173.0)
    ]
    np.testing.assert_array_equal(*drawn)
    usable = draw_pages(replace(measures, quantities=measures.quantities[:1]), {}, date=DAY)
    assert not np.array_equal(usable, drawn[0])


def test_many_flags_go_on_to_the_next_page(echo):
    exam, labels = echo
    flags = tuple(Flag(Grade.LOOK_TWICE, f"flag {number} " + "word " * 30) for number in range(40))
    assert len(draw_pages(replace(measure(exam, labels), flags=flags), {}, date=DAY)) >= 2
