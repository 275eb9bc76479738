"""The page as a whole: what it says of beats, of an earlier exam, of what is missing, and in French."""

import datetime
import re
from dataclasses import replace

import pytest

from cardiotrace.clinical import Measures, Quantity, measure
from cardiotrace.clinical.beats.beat import Beat
from cardiotrace.clinical.comparison import EarlierExam, compare_exams
from cardiotrace.clinical.interval import Error, Interval
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.segment import SegmentValues
from cardiotrace.core.errors import UsageError
from cardiotrace.core.exam import Exam, Patient
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.terms import Phase
from cardiotrace.report import ReportContext, render_report
from tests.clinical.ventricle import Ventricle, image_of, label_map

DAY = datetime.date(2026, 11, 27)


@pytest.fixture(scope="module")
def loop():
    """A film of two beats of four frames, measured."""
    planes = [Ventricle(25 - step, 80 - 2 * step).draw((1.0, 1.0)) for step in (0, 4, 0, 3)]
    labels = {"loop": label_map(planes, (1.0, 1.0, 1.0))}
    exam = Exam("p1", (image_of("loop", labels["loop"]),), Patient("F", 56.5), frame_rate_hz=20.0)
    return exam, labels, measure(exam, labels)


def body_of(page: str) -> str:
    """The words of a page, one space between them."""
    bare = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", bare.replace("&thinsp;", " ").replace("&#39;", "'"))


def test_beats_stand_with_what_the_curve_says_of_each(loop):
    exam, labels, measures = loop
    view = measures.curves[0].view
    beats = (Beat("loop", view, 0, 1, 2), Beat("loop", view, 2, 3, None))
    text = body_of(render_report(exam, labels, replace(measures, beats=beats)).page)
    volumes = measures.curves[0].series["left_ventricular_volume_ml"]
    first, second = (round(100 * (volumes[a] - volumes[b]) / volumes[a]) for a, b in ((0, 1), (2, 3)))
    assert first != second
    # 100 ms from one end-diastole to the next.
    assert f"{view} 1 0, 1, 2 100 600 {first} " in text
    assert f"{view} 2 2, 3, film ends {second} " in text


def test_segments_become_bull_s_eyes_with_files_of_their_own(loop):
    exam, labels, measures = loop
    alone = SegmentValues("longitudinal_strain", "percent", Method.TRACED, "A4C", {1: -18.0})
    both = replace(alone, view="A4C+A2C", values={1: -18.0, 4: -17.0})
    wall = SegmentValues("end_diastolic_wall_thickness", "mm", Method.TRACED, "A4C", {1: 9.0})
    other = replace(wall, name="end_diastolic_endocardial_curvature")
    report = render_report(exam, labels, replace(measures, segments=(wall, other, alone, both)))
    assert {name for name in report.figures if name.endswith(".svg")} == {
        *("curves.svg", "longitudinal_strain.svg", "end_diastolic_wall_thickness.svg"),
    }
    assert report.page.count('<figure class="bullseye">') == 2
    assert "Longitudinal strain: traced, A4C+A2C" in body_of(report.page)
    assert len(report.drawings) == 3  # with the curves


def test_an_earlier_exam_stands_on_the_page_in_the_file_and_in_the_table(loop):
    exam, labels, measures = loop
    ejection, *_ = measures
    before = Measures("p1-2024", (replace(ejection, value=ejection.value + 9), replace(_[0], method=Method.TRACED)))
    models = {"net": "ab"}
    compared = compare_exams(measures, EarlierExam(before, models, version="0.0.9"), models=models)
    report = render_report(exam, labels, measures, ReportContext(comparison=compared, model={"name": "net"}))
    text = body_of(report.page)
    assert "−9 since the earlier exam" in text
    assert "Compared with exam p1-2024, measured by CardioTrace 0.0.9." in text
    assert "not compared: traced then, method of disks, single plane now" in text
    assert report.measures["comparison"]["changes"][0]["change"] == pytest.approx(-9)
    header, first, *_ = report.table.splitlines()
    assert header.endswith(",flags,before,change")
    assert first.endswith(f",{ejection.value + 9:.6g},-9")
    other = replace(compared, is_same_model=False)
    text = body_of(render_report(exam, labels, measures, ReportContext(comparison=other, model={"name": "new"})).page)
    assert "Outlines then by net, now by new" in text


def test_what_is_missing_has_its_reason(loop):
    exam, labels, measures = loop
    text = body_of(render_report(exam, labels, measures).page)
    assert "indices per body surface area: height or weight is not known" in text
    assert "no image moves" not in text
    tall = replace(exam, patient=Patient("F", 56.5, 165.0, 60.0))
    assert "height or weight" not in body_of(render_report(tall, labels, measure(tall, labels)).page)
    still = Exam("p1", (replace(exam.images[0], phases={Phase.ED: 0}),))
    bare = replace(measure(still, labels), curves=())
    context = ReportContext(not_compared="old holds no earlier exam p1")
    told = body_of(render_report(still, labels, bare, context).page)
    assert "no image moves" in told
    assert "comparison: old holds no earlier exam p1" in told


def test_a_french_page_is_french_but_for_sentences_that_the_table_lacks(loop):
    exam, labels, measures = loop
    flag = Flag(Grade.LOOK_TWICE, "the view may be foreshortened", "foreshortened", "LV")
    index = Quantity("left_atrial_volume_index", 20.5, "ml/m2", Method.BIPLANE_AREA_LENGTH, "A4C+A2C", ())
    known = Flag(Grade.NOTE, "A4C ES: no left atrium was found", "no-atrium", "LA")
    found = replace(measures, flags=(flag, known), quantities=(*measures.quantities, index))
    page = render_report(exam, labels, found, ReportContext(date=DAY, language="fr")).page
    text = body_of(page)
    assert '<html lang="fr">' in page
    assert "Compte rendu CardioTrace · 27 novembre 2026" in text
    assert "Sexe féminin Âge 56,5 ans" in text
    assert "Vue raccourcie : the view may be foreshortened" in text
    assert '<span lang="en">the view may be foreshortened</span>' in page
    assert '<span lang="fr">A4C TS : aucune oreillette gauche n' in page
    for words in ("Lu et validé par", "Fraction d'éjection", "Valeurs de référence de l'adulte sain", "télédiastole"):
        assert words in text
    english = ("Ejection", "volume,", "Methods", "end-diastole", "Sex ", "frame ", "not measured", "biplane")
    assert [word for word in english if word in text] == []


def test_where_the_numbers_come_from_is_told_in_words(loop):
    given = {"view": "4CH", "patient": {"sex": "F", "height_cm": 165.0}}
    images = [{"name": "loop", "file": "loop.nii.gz", "view": "A4C", "shape": [4, 1, 9, 9], "labels": "net"}]
    provenance = {"models": [{"name": "net", "sha256": "abcdef0123456789"}], "given": given, "images": images}
    text = body_of(render_report(*loop, ReportContext(provenance=provenance)).page)
    assert "model net, SHA-256 abcdef012345 · stated by the user: view = 4CH, sex = F, height_cm = 165.0" in text
    assert "A4C: loop (loop.nii.gz), 4 frames, outlines net" in text


def test_a_language_that_there_is_not_is_refused(loop):
    with pytest.raises(UsageError, match="not written in 'de'"):
        render_report(*loop, ReportContext(language="de"))


@pytest.mark.parametrize("why", ["model", "variants", "way"])
def test_why_there_is_no_interval_stands_under_what_was_not_measured(loop, why):
    exam, labels, measures = loop
    page = render_report(exam, labels, replace(measures, not_calibrated=why), ReportContext(date=DAY)).page
    assert "an interval of the ejection fraction: the model" in body_of(page)
    plain = render_report(exam, labels, measures, ReportContext(date=DAY)).page
    assert "an interval of the ejection fraction" not in body_of(plain)


def test_an_interval_is_explained_once_by_what_it_is_of(loop):
    exam, labels, measures = loop
    first, *others = measures.quantities
    whole = Interval(Error.WHOLE, 41.0, 58.0, 0.9)
    filled = (replace(first, value=47.0, interval=(41.0, 58.0), intervals=(whole,)), *others)
    words = body_of(render_report(exam, labels, replace(measures, quantities=filled), ReportContext(date=DAY)).page)
    assert "41–58 % (90 %, whole error)" in words
    assert words.count("stated by experts from two planes") == 1
