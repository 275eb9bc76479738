"""Ejection fraction and stroke volume: how much of its volume a ventricle ejects in a beat."""


def ejection_fraction(end_diastolic_ml: float, end_systolic_ml: float) -> float:
    """Share of the end-diastolic volume that one beat ejects: EF = 100 (EDV - ESV) / EDV.

    Args:
        end_diastolic_ml: cavity volume at end-diastole, ml, > 0.
        end_systolic_ml: cavity volume at end-systole, ml.

    Returns:
        Ejection fraction, percent; negative if the cavity grows.

    Raises:
        ValueError: the end-diastolic volume is not positive.

    Example:
        >>> ejection_fraction(120.0, 60.0)
        50.0

    Source:
        Lang et al. 2015, J Am Soc Echocardiogr 28:1, table 2.
    """
    if not end_diastolic_ml > 0:
        raise ValueError(f"the end-diastolic volume must be positive, got {end_diastolic_ml} ml")
    return 100 * (end_diastolic_ml - end_systolic_ml) / end_diastolic_ml


def stroke_volume_ml(end_diastolic_ml: float, end_systolic_ml: float) -> float:
    """Volume that one beat ejects: SV = EDV - ESV.

    Args:
        end_diastolic_ml: cavity volume at end-diastole, ml.
        end_systolic_ml: cavity volume at end-systole, ml.

    Returns:
        Stroke volume, ml.

    Example:
        >>> stroke_volume_ml(120.0, 50.0)
        70.0
    """
    return end_diastolic_ml - end_systolic_ml
