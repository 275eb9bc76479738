"""What the name of a file tells, and what it does not."""

import pytest

from cardiotrace.core.errors import UsageError
from cardiotrace.core.terms import Modality, Phase, View
from cardiotrace.datasets.naming import image_name, patient_in, phase_in, plane_of, read_name, view_in
from cardiotrace.io.vocabulary import Counting

TWO, THREE, FOUR, SAX, NONE = View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.SAX, View.UNKNOWN
US, MR, WHO = Modality.US, Modality.MR, Modality.UNKNOWN
ED, ES, OTHER = Phase.ED, Phase.ES, Phase.OTHER

NAMES = [
    # as data sets and sites name files
    ("patient0001_2CH_ED", "patient0001", TWO, WHO, ED),
    ("ct012_4CH_ED", "ct012", FOUR, WHO, ED),
    ("ES-012_4CH_ED", "ES_012", FOUR, WHO, ED),
    ("ES-012_4CH_ES", "ES_012", FOUR, WHO, ES),
    ("ED012-7_A4C_ES", "ED012_7", FOUR, US, ES),
    ("ED_012_A4C_ES", "ED_012", FOUR, US, ES),
    ("SA-012_A4C_ED", "SA_012", FOUR, US, ED),
    ("LA_012_4CH_ES", "LA_012", FOUR, WHO, ES),
    ("p012_A4C_LA_ED", "p012", FOUR, US, ED),
    ("patient_LA_dilated_4CH", "patient_dilated", FOUR, WHO, OTHER),
    ("001_SA_ED", "001", SAX, WHO, ED),
    ("001_LA_ED", "001", NONE, WHO, ED),  # M&Ms-2's own reader knows; elsewhere it may be an atrium
    ("A0S9V9_sa_ES", "A0S9V9", SAX, WHO, ES),
    ("A0S9V9_sa", "A0S9V9", SAX, WHO, OTHER),
    ("patient101_frame01", "patient101", NONE, WHO, OTHER),
    ("patient101_frame12_gt", "patient101", NONE, WHO, OTHER),
    ("patient001_4d", "patient001", NONE, WHO, OTHER),
    ("0X1A2B3C4D", "0X1A2B3C4D", NONE, WHO, OTHER),
    # phases
    ("Smith-A4C-es", "Smith", FOUR, US, ES),
    ("p012_A4C_end-diastole", "p012", FOUR, US, ED),
    ("p012_A4C_enddiastole", "p012", FOUR, US, ED),
    ("p012_4ch_end_systole", "p012", FOUR, WHO, ES),
    ("p012_4ch_end systolic", "p012", FOUR, WHO, ES),
    ("p012_4ch_systole", "p012", FOUR, WHO, ES),
    ("p012_4ch_Diastole", "p012", FOUR, WHO, ED),
    ("SmithEndDiastole", "Smith", NONE, WHO, ED),
    ("p1_A4C_dia", "p1", FOUR, US, ED),
    ("p1_sys_A4C", "p1", FOUR, US, ES),
    ("p1_2CH_tele-systolic", "p1", TWO, WHO, ES),
    ("p1_diastolic_dysfunction_A4C", "p1_diastolic_dysfunction", FOUR, US, OTHER),
    ("p1_systolic HF_A4C_ED", "p1_systolic HF", FOUR, US, ED),
    ("p1_mid-systole_A4C", "p1", FOUR, US, OTHER),
    ("p1_atrial_systole_4CH", "p1", FOUR, WHO, OTHER),
    ("p1_ED_ES", "p1", NONE, WHO, OTHER),
    ("p1_A4C_ED-to-ES", "p1", FOUR, US, OTHER),
    ("p1_A4C_diastole_systole", "p1", FOUR, US, OTHER),
    ("ED", "", NONE, WHO, ED),
    ("ED_001", "", NONE, WHO, ED),
    ("es-dur", "es_dur", NONE, WHO, OTHER),
    ("ED_Miller_SAX", "ED_Miller", SAX, WHO, OTHER),
    # glued
    ("p012_A4CED", "p012", FOUR, US, ED),
    ("p012A4CES", "p012", FOUR, US, ES),
    ("p1_EDA4C", "p1", FOUR, US, ED),
    ("p1_4chES2", "p1", FOUR, WHO, ES),
    ("SmithA2C", "Smith", TWO, US, OTHER),
    # four chambers and two
    ("a4c", "", FOUR, US, OTHER),
    ("p_a2ch", "p", TWO, US, OTHER),
    ("p_4-chamber", "p", FOUR, WHO, OTHER),
    ("p_four chamber", "p", FOUR, WHO, OTHER),
    ("p_two_chamber_view", "p", TWO, WHO, OTHER),
    ("p_apical4", "p", FOUR, US, OTHER),
    ("p_apical_4_chamber", "p", FOUR, US, OTHER),
    ("p_ap4", "p", FOUR, US, OTHER),
    ("p_AP4CH", "p", FOUR, US, OTHER),
    ("p_4CV", "p", FOUR, WHO, OTHER),
    ("p_2C", "p", TWO, WHO, OTHER),
    ("p_2C_ED", "p", TWO, WHO, ED),
    ("2C_012_A4C", "2C_012", FOUR, US, OTHER),
    ("p_A3C", "p", THREE, US, OTHER),
    ("p_aplax", "p", THREE, WHO, OTHER),
    ("p_A4C_A2C", "p", NONE, US, OTHER),
    ("p_2CH_4CH", "p", NONE, WHO, OTHER),
    # short and long axes
    ("LV_SAX", "", SAX, WHO, OTHER),
    ("SA_ED", "", SAX, WHO, ED),
    ("SA_012", "SA", NONE, WHO, OTHER),
    ("p_short-axis_ED", "p", SAX, WHO, ED),
    ("p_psax", "p", SAX, US, OTHER),
    ("p_parasternal_long_axis", "p", View.PLAX, US, OTHER),
    ("p_long_axis", "p", NONE, WHO, OTHER),
    ("edward_lax", "edward", NONE, WHO, OTHER),  # which long axis?
    ("la_2ch", "", TWO, WHO, OTHER),
    ("LA_4CH", "", FOUR, WHO, OTHER),
    ("p_SAX_base", "p", SAX, WHO, OTHER),
    ("p_PSAX_mid_ES", "p", SAX, US, ES),
    ("p_SAX_apical_3", "p", SAX, WHO, OTHER),
    ("p_RVOT", "p", View.RVOT, WHO, OTHER),
    # words that are none
    ("LAD", "LAD", NONE, WHO, OTHER),
    ("SAM_1", "SAM", NONE, WHO, OTHER),
    ("USA", "USA", NONE, WHO, OTHER),
    ("LADA", "LADA", NONE, WHO, OTHER),
    ("US-012_4CH", "US_012", FOUR, WHO, OTHER),
    ("Mr_Smith_4CH", "Mr_Smith", FOUR, WHO, OTHER),
    # modalities
    ("p1_US_4CH", "p1", FOUR, US, OTHER),
    ("p1_echo_4CH", "p1", FOUR, US, OTHER),
    ("TTE_p1_2CH", "p1", TWO, US, OTHER),
    ("p1_CMR_4CH", "p1", FOUR, MR, OTHER),
    ("p1_MR_4CH", "p1", FOUR, MR, OTHER),
    ("bSSFP_4CH", "", FOUR, MR, OTHER),
    ("p1_SAX_cine", "p1", SAX, MR, OTHER),
    ("p1_A4C_cine", "p1", FOUR, US, OTHER),
    ("p1_A4C_MRI", "p1", FOUR, WHO, OTHER),
    ("", "", NONE, WHO, OTHER),
]


@pytest.mark.parametrize(("name", "patient", "view", "modality", "phase"), NAMES)
def test_what_a_name_tells(name, patient, view, modality, phase):
    read = read_name(name)
    assert (read.patient, read.view, read.modality, read.phase) == (patient, view, modality, phase)
    assert (view_in(name), phase_in(name), patient_in(name)) == (view, phase, patient or image_name(name))


def test_enough_spellings_are_tried():
    assert len(NAMES) >= 60


def test_a_contradiction_is_told():
    assert read_name("p_A4C_A2C").doubts == ("the name says 4CH and 2CH",)
    assert read_name("p_A4C_MRI").doubts == ("the name says US and MR",)
    assert read_name("edward_lax").doubts == ("lax does not say which long axis",)


def test_cine_alone_is_no_clear_word_for_mri():
    assert not read_name("p1_4CH_cine").is_modality_sure
    assert read_name("p1_4CH_MRI").is_modality_sure


@pytest.mark.parametrize(
    ("name", "index", "counting"),
    [
        ("frame08", 8, Counting.FRAME),
        ("p1_A4C_frame_12", 12, Counting.FRAME),
        ("p1_t03", 3, Counting.FRAME),
        ("p1_slice05", 5, Counting.SLICE),
        ("IMG_0012", 12, Counting.UNSAID),
        ("0001", 1, Counting.UNSAID),
        ("p1_A4C_3", 3, Counting.UNSAID),
        ("patient_0001", None, Counting.UNSAID),
        ("012_A4C", None, Counting.UNSAID),
    ],
)
def test_what_a_number_counts(name, index, counting):
    assert (read_name(name).index, read_name(name).counting) == (index, counting)


@pytest.mark.parametrize("mark", ["_labels", "_gt", "_seg", "_mask", "-GT", "_label", ".seg", "_segmentation"])
def test_label_files_speak_of_their_image(mark):
    assert image_name(f"patient0001_4CH_ED{mark}") == "patient0001_4CH_ED"
    assert read_name(f"patient0001_4CH_ED{mark}").is_labels
    assert image_name(mark) == mark
    assert not read_name("segment_4CH").is_labels


def test_a_word_for_a_view():
    assert plane_of("a4c") == (View.FOUR_CHAMBER, Modality.US)
    with pytest.raises(UsageError, match="'A6C' is no word for a view"):
        plane_of("A6C")
