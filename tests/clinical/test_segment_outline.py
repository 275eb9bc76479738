"""Segments that are drawn are those that are measured."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.regional import Beat, stack_of
from cardiotrace.clinical.regional.division import divide
from cardiotrace.clinical.segment_outline import segment_outlines
from cardiotrace.core.exam import Exam
from cardiotrace.core.label import LV_ONLY
from cardiotrace.core.terms import Modality, Phase, Structure, View
from cardiotrace.geometry.contour import polygon_perimeter
from cardiotrace.geometry.polygon import fill_polygon
from cardiotrace.phantoms.cmr import sample_cmr
from tests.clinical.analytic import image_of as image_of_labels
from tests.clinical.ventricle import Ventricle, image_of, label_map


def outlines(*planes, scheme=None, view=View.FOUR_CHAMBER):
    labels = label_map(list(planes)) if scheme is None else label_map(list(planes), scheme=scheme)
    exam = Exam("e", (image_of("a", labels, view=view, phases={Phase.ED: 0, Phase.ES: len(planes) - 1}),))
    return segment_outlines(exam, {"a": labels})["a"], labels


@pytest.fixture(scope="module")
def apical():
    wide, narrow = Ventricle(), Ventricle(radius_mm=18.0, length_mm=70.0)
    return outlines(wide.draw(), narrow.draw())


def test_an_apical_view_has_six_that_fill_its_wall(apical):
    found, labels = apical
    for frame in (0, 1):
        (segments,) = found[frame]
        assert [each.number for each in segments] == [3, 9, 14, 16, 12, 6]  # septum on the left, apex in the middle
        wall = labels.mask(Structure.MYO)[frame, 0]
        filled = np.sum([fill_polygon(each.points, wall.shape) for each in segments], axis=0)
        assert filled.max() == 1  # none lies over another
        assert (2 * (filled * wall).sum() / (filled.sum() + wall.sum())) > 0.97


def test_arcs_of_a_wall_are_equal_at_end_diastole_and_keep_their_height(apical):
    found, _ = apical
    inner = [[each.points[:7] for each in found[frame][0]] for frame in (0, 1)]
    lengths = [np.linalg.norm(np.diff(line, axis=0), axis=1).sum() for line in inner[0]]
    assert lengths == pytest.approx([np.mean(lengths)] * 6, rel=0.02)
    # Rows from the base up, over those to the apex.
    shares = []
    for lines in inner:
        base, top = lines[0][0][0], lines[2][-1][0]
        shares.append([(base - lines[arc][-1][0]) / (base - top) for arc in (0, 1)])
    assert shares[1] == pytest.approx(shares[0], abs=0.03)


def test_where_nothing_tells_the_walls_segments_have_no_number():
    found, _ = outlines(np.rot90(Ventricle().draw()).copy())
    (segments,) = found[0]
    assert [each.number for each in segments] == [None] * 6


def test_of_a_cavity_alone_the_arcs_of_its_border_are_left():
    found, _ = outlines(Ventricle().draw(), scheme=LV_ONLY)
    for each in found[0][0]:
        assert np.array_equal(each.points[:7], each.points[:6:-1])
        assert polygon_perimeter(each.points) > 100


def test_other_views_and_lost_frames_have_none():
    empty = np.zeros_like(Ventricle().draw())
    found, _ = outlines(Ventricle().draw(), empty, Ventricle().draw())
    assert [len(planes[0]) for planes in found] == [6, 0, 6]
    labels = label_map([Ventricle().draw()])
    assert segment_outlines(Exam("e", (image_of("a", labels, view=View.UNKNOWN),)), {"a": labels}) == {}


def test_a_stack_is_divided_as_it_is_measured():
    labels = Beat.of(sample_cmr(2, pathology="hypertrophic", style="siemens_1.5t")).labels
    image = image_of_labels(labels, "sax", view=View.SAX, modality=Modality.MR, phases={Phase.ED: 0, Phase.ES: 1})
    found = segment_outlines(Exam("e", (image,)), {"sax": labels})["sax"]
    for frame in (0, 1):
        measured = divide(stack_of(labels), frame).labels(stack_of(labels), frame)
        drawn = np.zeros_like(measured)
        for depth, segments in enumerate(found[frame]):
            assert len(segments) in (0, 4, 6)
            for each in segments:
                drawn[depth][fill_polygon(each.points, drawn.shape[1:])] = each.number
        both = (drawn > 0) & (measured > 0)
        assert set(np.unique(drawn[drawn > 0])) == set(range(1, 17))
        assert (drawn == measured)[both].mean() > 0.97
        assert 2 * both.sum() / ((drawn > 0).sum() + (measured > 0).sum()) > 0.9


def test_a_stack_whose_walls_cannot_be_named_has_none():
    labels = Beat.of(sample_cmr(2, style="siemens_1.5t")).labels
    value = labels.scheme.value(Structure.RV)
    bare = replace(labels, array=np.where(labels.array == value, 0, labels.array))
    image = image_of_labels(bare, "sax", view=View.SAX, modality=Modality.MR)
    found = segment_outlines(Exam("e", (image,)), {"sax": bare})["sax"]
    assert not any(slices for frame in found for slices in frame)
