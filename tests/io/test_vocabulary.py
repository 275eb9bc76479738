"""The grammar of names: laws, and what names say of movement."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cardiotrace.core.terms import Phase, View
from cardiotrace.io.vocabulary import Counting, Kind, NamedMotion, motion_in, read_words

SURNAMES = ("Smith", "Jürgens", "Østergård", "Łukasz", "García", "王芳", "Иванов", "नेहा", "Πέτρος", "محمد")
between = st.sampled_from(("_", "-", " ", ".", "__", " - "))
views = st.sampled_from(
    (("A4C", "4CH"), ("2ch", "2CH"), ("PLAX", "PLAX"), ("psax", "SAX"), ("apical 3 chamber", "3CH"))
)
phases = st.sampled_from((("ED", "ED"), ("es", "ES"), ("end-diastole", "ED"), ("EndSystole", "ES"), ("systole", "ES")))


@given(st.text(max_size=40))
def test_any_name_is_read_and_no_word_is_made_up(name):
    words = read_words(name)
    letters = "".join(filter(str.isalnum, name))
    read = "".join("".join(filter(str.isalnum, word.text)) for word in words)
    assert read == letters


@given(st.sampled_from(SURNAMES), between, views, phases, st.integers(0, 99))
def test_view_and_phase_are_found_beside_a_name_of_any_script(surname, gap, view, phase, frame):
    words = read_words(gap.join((surname, view[0], phase[0], f"frame{frame}")))
    assert [word.view for word in words if word.kind is Kind.VIEW] == [View(view[1])]
    assert [word.phase for word in words if word.kind is Kind.PHASE] == [Phase(phase[1])]
    assert [(word.index, word.counting) for word in words if word.kind is Kind.NUMBERED] == [(frame, Counting.FRAME)]
    assert gap.join(word.text for word in words if word.kind is Kind.PATIENT) == surname


@pytest.mark.parametrize(
    ("one", "other"),
    [("नि", "ना"), ("Mu\u0308ller", "Muller"), ("ก่า", "กา"), ("İpek", "Ipek"), ("כּרמל", "כרמל")],
    ids=["Devanagari", "decomposed", "Thai", "Turkish", "pointed Hebrew"],
)
def test_marks_on_letters_tell_people_apart(one, other):
    names = [
        "".join(word.text for word in read_words(f"{who}_A4C_ED") if word.kind is Kind.PATIENT) for who in (one, other)
    ]
    assert names == [one, other]


@given(st.sampled_from(("SA", "ED", "ES", "US", "MR", "2C")), st.integers(1, 999), views)
def test_initials_before_a_number_are_the_patients(initials, number, view):
    words = read_words(f"{initials}_{number:03d}_x_{view[0]}")
    assert words[0].kind is Kind.PATIENT
    assert [word.view for word in words if word.kind is Kind.VIEW] == [View(view[1])]


@given(views, between, st.sampled_from(SURNAMES))
def test_case_does_not_matter(view, gap, surname):
    def kinds(name):
        return [(word.kind, word.view, word.modality) for word in read_words(name)]

    name = gap.join(("p7", view[0], "seq"))
    assert kinds(name.lower()) == kinds(name.upper())


def test_a_word_that_stands_twice_is_judged_by_its_own_place():
    # The second "es" stands beside a view, the first between a patient's number and a name.
    kinds = [word.kind for word in read_words("012_es_dur_A4C_es")]
    assert kinds == [Kind.PATIENT, Kind.PATIENT, Kind.PATIENT, Kind.VIEW, Kind.PHASE]


@pytest.mark.parametrize(
    ("name", "motion"),
    [
        ("patient0001_4CH_sequence", NamedMotion.VIDEO),
        ("patient0001_4CH_half_sequence", NamedMotion.VIDEO),
        ("patient001_4d", NamedMotion.VIDEO),
        ("p1 echo loop", NamedMotion.VIDEO),
        ("SmithVideo", NamedMotion.VIDEO),
        ("film of p1", NamedMotion.VIDEO),
        ("001_SA_CINE", NamedMotion.CINE),
        ("p1_seq", NamedMotion.CINE),
        ("p1_beat_video", NamedMotion.VIDEO),  # the word that can mean but one thing counts
        ("p1_cine_ED", NamedMotion.UNSAID),
        ("p1_video_end-systole", NamedMotion.UNSAID),
        ("p1_sequence_frame12", NamedMotion.UNSAID),
        ("p1_cine_T2", NamedMotion.CINE),  # a weighting, not an instant
        ("consequence", NamedMotion.UNSAID),
        ("heartbeat", NamedMotion.UNSAID),
        ("sequencer_7", NamedMotion.UNSAID),
        ("videos4d2", NamedMotion.UNSAID),
        ("patient0001_4CH_ED", NamedMotion.UNSAID),
        ("", NamedMotion.UNSAID),
    ],
)
def test_what_a_name_says_of_movement(name, motion):
    assert motion_in(name) is motion


@given(st.text(max_size=30), phases)
def test_a_name_with_a_phase_speaks_of_one_instant(name, phase):
    assert motion_in(f"{name} A4C {phase[0]}") is NamedMotion.UNSAID


@pytest.mark.parametrize("digits", ["1234567890", "20240131123456"])
def test_long_numbers_name_somebody(digits):
    (word,) = read_words(digits)
    assert (word.kind, word.index) == (Kind.PATIENT, None)
    assert read_words(digits[:9])[0].index == int(digits[:9])
