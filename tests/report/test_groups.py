"""The research section of the page, in both languages: below the numbers, never in the headline."""

import pytest

from cardiotrace.clinical.groups.classifier import load_classifier
from cardiotrace.clinical.groups.index import SHORT_AXIS
from cardiotrace.clinical.groups.reading import classify
from cardiotrace.clinical.quantity import Measures
from cardiotrace.report.groups import group_sentences, group_words, index_words
from cardiotrace.report.words import LANGUAGES, Words
from tests.clinical.groups.classifiers import CLASSIFIER, DOUBT, exam, quantity


def told(measures, language="en", classifier=CLASSIFIER):
    return list(group_sentences(classify(measures, classifier), Words(language)))


def test_what_is_said_of_an_exam():
    assert told(exam(40.0, 140.0)) == [
        "No diagnosis, and not made for one: only numbers are compared, and only with the groups named here.",
        "Likeness of the indices to the groups, as probabilities: normal 88 %, dilated cardiomyopathy 12 %.",
        "For “normal”: End-diastolic volume index 70 ml/m² (mean of those learned from 90).",
        "Against “normal”: Ejection fraction 40 % (mean of those learned from 50).",
        "By two-groups, learned from 25 patients; in 5 folds it put 85 % of the patients into their own group. "
        "It knows no other groups than normal, dilated cardiomyopathy.",
    ]


def test_it_is_never_certain():
    sentence = told(exam(70.0, 60.0))[1]
    assert "100 %" not in sentence
    assert "normal 99 %, the others below 1 %" in sentence


def test_why_nothing_is_said():
    volume = quantity("left_ventricular_end_diastolic_volume", 140.0, "ml")
    assert told(Measures("p", (volume,)))[1:] == [
        "Nothing is said, since these indices were not measured: Ejection fraction."
    ]
    assert "unlike those of every patient" in told(exam(60.0, 600.0))[1]
    assert len(told(exam(60.0, 600.0))) == 2


def test_what_it_is_said_without_and_what_is_doubted():
    sentences = told(exam(60.0, 140.0, area=None, flags=[DOUBT]))
    assert "Said without what was not measured or is not usable: End-diastolic volume index." in sentences
    assert "It rests on values that a check asks to look at twice." in sentences


def test_in_french():
    sentences = told(exam(40.0, 140.0), "fr")
    assert sentences[0].startswith("Ni diagnostic")
    assert "cardiomyopathie dilatée 12 %" in sentences[1]
    assert "mean" not in " ".join(sentences)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_index_and_group_of_the_shipped_classifier_has_words(language):
    words = Words(language)
    assert all("_" not in index_words(key, words) for key in SHORT_AXIS)
    assert len({index_words(key, words) for key in SHORT_AXIS}) == len(SHORT_AXIS)
    assert all(group_words(group, words) != group for group in load_classifier().groups)


def test_an_unknown_group_and_index_stand_by_their_own_names():
    assert group_words("amyloid", Words("fr")) == "amyloid"
    assert index_words("troponin", Words()) == "Troponin"
