import pytest

from cardiotrace.clinical.ejection import ejection_fraction, stroke_volume_ml


def test_known_values() -> None:
    assert ejection_fraction(94.0, 34.6) == pytest.approx(63.19, abs=0.01)
    assert ejection_fraction(50.0, 60.0) == pytest.approx(-20.0)
    assert stroke_volume_ml(94.0, 34.6) == pytest.approx(59.4)


@pytest.mark.parametrize("volume", [0.0, -1.0, float("nan")])
def test_a_ventricle_without_volume_is_refused(volume: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        ejection_fraction(volume, 10.0)
