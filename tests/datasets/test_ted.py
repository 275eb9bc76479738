import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Patient
from cardiotrace.core.terms import Phase, Structure, View
from tests.fake.acdc import write_acdc
from tests.fake.ted import ED, ES, FRAMES, SPACING_MM, write_ted


def test_a_case_is_a_whole_beat(tmp_path, make):
    write_ted(tmp_path)
    cases = make("ted", tmp_path).cases()
    assert [case.name for case in cases] == [f"patient00{number}_4CH_sequence" for number in (1, 2, 3)]
    case = cases[1]
    assert (case.view, case.phase) == (View.FOUR_CHAMBER, Phase.OTHER)
    assert case.groups == {"patient": "patient002", "quality": "Good", "sex": "M", "ef_class": "<=45"}
    assert case.facts == {"left_ventricular_ejection_fraction_percent": 40.0}
    image, labels = case.read_image(), case.read_labels()
    assert image.grid_shape == labels.array.shape == (FRAMES, 1, 80, 40)
    np.testing.assert_allclose(image.spacing_mm[1:], SPACING_MM[1:])
    areas = labels.mask(Structure.LV).sum(axis=(1, 2, 3))
    assert (areas.argmax(), areas.argmin()) == (ED - 1, ES - 1)


def test_exam_names_the_instants(tmp_path, make):
    write_ted(tmp_path)
    exam = make("ted", tmp_path).exam("patient001")
    (film,) = exam.images
    assert film.phases == {Phase.ED: ED - 1, Phase.ES: ES - 1}
    assert exam.patient == Patient(sex="F", age_years=50.0)
    assert exam.facts == {"quality": "Good", "reference_ejection_fraction_percent": "54"}
    assert film.image.times_ms is None  # no frame rate is stated


def test_an_instant_beyond_the_film_is_told(tmp_path, make):
    write_ted(tmp_path, patients=1)
    settings = tmp_path / "database/patient001/patient001_4CH_info.cfg"
    settings.write_text(settings.read_text().replace(f"ES: {ES}", "ES: 40"))
    (film,) = make("ted", tmp_path).exam("patient001").images
    assert film.phases == {Phase.ED: ED - 1}
    assert "frame 40 is named as ES, and there are 8" in film.image.notes


@pytest.mark.parametrize("below", ["database", "database/patient002"])
def test_root_may_be_any_level(tmp_path, make, below):
    write_ted(tmp_path)
    ted = make("ted", tmp_path / below)
    assert ted.exams() == (["patient002"] if below.endswith("2") else ["patient001", "patient002", "patient003"])
    assert all((ted.root / file).exists() for case in ted.cases() for file in case.files)


def test_an_atrium_is_refused_as_no_label_of_this_data_set(tmp_path, make):
    write_ted(tmp_path, patients=1)
    pixels = tmp_path / "database/patient001/patient001_4CH_sequence_gt.raw"
    pixels.write_bytes(b"\3" + pixels.read_bytes()[1:])
    with pytest.raises(InputError, match=r"label values \[3\] are not in scheme left-ventricle"):
        make("ted", tmp_path).cases()[0].read_labels()


def test_patients_of_acdc_are_not_taken_for_its_own(tmp_path, make):
    write_acdc(tmp_path)
    for root in (tmp_path, tmp_path / "database" / "training"):
        with pytest.raises(InputError, match="holds no TED patients"):
            make("ted", root if root.exists() else tmp_path)
