import pytest

from cardiotrace.core.terms import Modality, Phase, Structure, View, modality_meant, view_name


def test_words_are_their_own_text():
    assert f"{Structure.LV} {View.FOUR_CHAMBER} {Phase.ED} {Modality.US}" == "LV 4CH ED US"


@pytest.mark.parametrize(
    ("word", "view", "modality"),
    [
        ("A4C", View.FOUR_CHAMBER, Modality.US),
        ("4CH", View.FOUR_CHAMBER, Modality.UNKNOWN),
        ("a2c", View.TWO_CHAMBER, Modality.US),
        ("PSAX", View.SAX, Modality.US),
        ("SAX", View.SAX, Modality.MR),
        ("LAX", View.FOUR_CHAMBER, Modality.MR),
        ("fundus", View.FUNDUS, Modality.PHOTOGRAPH),
    ],
)
def test_a_word_for_a_view_is_a_plane_and_may_imply_a_modality(word, view, modality):
    assert (View(word), modality_meant(word)) == (view, modality)


def test_unknown_words_are_refused():
    with pytest.raises(ValueError, match="A9C"):
        View("A9C")


def test_each_modality_has_names_of_its_own():
    assert view_name(View.SAX, Modality.US) == "PSAX"
    assert view_name(View.SAX, Modality.MR) == "SAX"
    assert view_name(View.FOUR_CHAMBER, Modality.UNKNOWN) == "4CH"
    assert Modality("mri") is Modality.MR
