"""What the name of a file tells."""

import pytest

from cardiotrace.core.terms import Phase, View
from cardiotrace.datasets.naming import image_name, patient_in, phase_in, view_in


@pytest.mark.parametrize(
    ("name", "view", "phase", "patient"),
    [
        ("patient0001_2CH_ED", View.TWO_CHAMBER, Phase.ED, "patient0001"),
        ("Smith-A4C-es", View.FOUR_CHAMBER, Phase.ES, "Smith"),
        ("001_SA_ED", View.SAX, Phase.ED, "001"),
        ("patient101_frame01", View.UNKNOWN, Phase.OTHER, "patient101_frame01"),
        ("edward_lax", View.FOUR_CHAMBER, Phase.OTHER, "edward"),  # a word is a whole word
        ("ED", View.UNKNOWN, Phase.ED, "ED"),
        ("", View.UNKNOWN, Phase.OTHER, ""),
    ],
)
def test_words_of_a_name(name, view, phase, patient):
    assert (view_in(name), phase_in(name), patient_in(name)) == (view, phase, patient)


@pytest.mark.parametrize("mark", ["_labels", "_gt", "_seg", "_mask"])
def test_label_files_speak_of_their_image(mark):
    assert image_name(f"patient0001_4CH_ED{mark}") == "patient0001_4CH_ED"
    assert image_name(mark) == mark
    assert image_name(f"{mark}_4CH") == f"{mark}_4CH"
