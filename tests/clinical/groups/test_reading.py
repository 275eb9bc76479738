"""What is said of an exam: probabilities with what speaks for and against, or why nothing."""

from dataclasses import replace

import numpy as np
import pytest

from cardiotrace.clinical.groups.reading import Silence, classify
from cardiotrace.clinical.quantity import Measures
from tests.clinical.groups.classifiers import BAD, CLASSIFIER, DOUBT, EF, VOLUME, exam, quantity, regression


def test_probabilities_and_evidence_of_the_likeliest_group():
    """EF 60 %: z = 1; volume 70 ml/m2: z = -1, weights 1 and -2: log odds 3 against -3."""
    found = classify(exam(60.0, 140.0), CLASSIFIER)
    assert found.probabilities[0] == ("NOR", pytest.approx(1 / (1 + np.exp(-6))))
    assert [(each.index, each.contribution) for each in found.evidence] == [(VOLUME, 2.0), (EF, 1.0)]
    assert found.evidence[0].value == 70.0
    assert found.evidence[0].usual == 90.0
    assert (found.silence, found.lacking, found.is_doubted) == (None, (), False)


def test_an_index_may_speak_against_the_likeliest_group():
    found = classify(exam(40.0, 140.0), CLASSIFIER)
    assert found.probabilities[0][0] == "NOR"
    assert {each.index: each.contribution for each in found.evidence} == {VOLUME: 2.0, EF: -1.0}


def test_without_height_and_weight_it_is_said_without_them_and_that_it_is():
    found = classify(exam(60.0, 140.0, area=None), CLASSIFIER)
    assert [each.index for each in found.evidence] == [EF]
    assert found.lacking == (VOLUME,)
    assert found.silence is None


def test_nothing_is_said_of_an_exam_of_one_frame():
    volume = quantity("left_ventricular_end_diastolic_volume", 140.0, "ml")
    found = classify(Measures("p", (volume,)), CLASSIFIER)
    assert (found.silence, found.lacking, found.probabilities) == (Silence.ABSENT, (EF,), ())


def test_nothing_is_said_of_what_is_not_usable():
    found = classify(exam(flags=[BAD]), CLASSIFIER)
    assert (found.silence, found.lacking) == (Silence.NOT_USABLE, (EF,))
    assert classify(exam(flags=[DOUBT]), CLASSIFIER).is_doubted


def test_nothing_is_said_of_an_exam_unlike_all_that_was_learned_from():
    found = classify(exam(60.0, 600.0), CLASSIFIER)
    assert found.silence is Silence.UNLIKE
    assert found.distance > found.farthest == 3.0
    assert found.to_plain()["silence"] == "unlike the patients that it learned from"
    assert found.to_plain()["probabilities"] == {}


def test_another_view_is_no_matter_for_it():
    """Such as an exam of echo, or one in which nothing was measured, of constant images."""
    assert classify(Measures("p", ()), CLASSIFIER) is None
    assert classify(exam(), replace(CLASSIFIER, view="A4C")) is None


def test_the_record_says_that_it_is_research():
    plain = classify(exam(), CLASSIFIER).to_plain()
    assert plain["purpose"] == "research, no diagnosis"
    assert sum(plain["probabilities"].values()) == pytest.approx(1.0, abs=1e-4)
    assert plain["licence"] == "CC BY-NC-SA 4.0"


def test_a_single_regression_keeps_its_silence():
    lone = replace(CLASSIFIER, regressions=(regression(),))
    assert classify(exam(area=None), lone).silence is Silence.ABSENT
