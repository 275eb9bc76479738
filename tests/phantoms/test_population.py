import numpy as np
import pytest

from cardiotrace.core.errors import InputError
from cardiotrace.phantoms import Pathology, heart_truth, sample_heart, sample_patient
from cardiotrace.phantoms.heart.population import PUBLISHED


@pytest.mark.parametrize("pathology", list(Pathology))
def test_every_number_lies_in_its_published_range(pathology):
    for seed in range(6):
        patient = sample_patient(pathology, seed)
        numbers = patient.numbers()
        for name, (low, high) in vars(PUBLISHED[pathology][patient.sex]).items():
            assert low <= numbers[name] <= high, (name, numbers[name])


def test_groups_differ_as_their_definitions_say():
    groups = {name: [sample_patient(name, seed).numbers() for seed in range(5)] for name in Pathology}

    def mean(group, name):
        return np.mean([numbers[name] for numbers in groups[group]])

    assert mean("dilated", "volume_index") > 100 > mean("normal", "volume_index")
    assert mean("dilated", "ejection_percent") < 40 < 53 < mean("normal", "ejection_percent")
    assert mean("hypertrophic", "mass_index") > 110 > mean("normal", "mass_index")
    assert mean("hypertrophic", "thickness_mm") > 15 > mean("normal", "thickness_mm")
    assert mean("rv-dilated", "right_index") > 110 > mean("normal", "right_index")


def test_infarct_moves_unevenly_and_the_others_do_not():
    def spread(name):
        heart = sample_heart(name, 2)
        truth = heart_truth(heart, np.array([0.0, heart.cycle.end_systole_ms]))
        return np.ptp([view.strain_percent.min() for view in truth.views.values()])

    assert spread("infarct") > 1.0
    assert spread("dilated") < 0.5


def test_same_seed_is_the_same_patient_and_patients_differ():
    assert sample_patient("infarct", 4) == sample_patient(Pathology.INFARCT, 4)
    volumes = {sample_heart("normal", seed).end_diastolic_ml for seed in range(5)}
    assert len(volumes) == 5


def test_body_surface_is_mosteller():
    patient = sample_patient("normal", 0)
    assert patient.body_surface_m2**2 * 3600 == pytest.approx(patient.height_cm * patient.weight_kg)


def test_unknown_pathology_is_refused():
    with pytest.raises(InputError, match="rv-dilated") as caught:
        sample_heart("broken", 0)
    assert "broken" in str(caught.value)
