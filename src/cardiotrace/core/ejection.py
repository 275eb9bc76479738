"""Classes of ejection fraction, by which patients are grouped and splits are matched."""

EJECTION_CLASSES = ("<=45", "45-55", ">=55")
"""The classes of `ejection_fraction_class`, the lowest first."""


def ejection_fraction_class(ejection_fraction_percent: float) -> str:
    """The class by which the folds of CAMUS are matched: "<=45", "45-55" or ">=55" percent.

    Example:
        >>> ejection_fraction_class(54.0)
        '45-55'

    Source:
        Leclerc et al. 2019, table I.
    """
    if ejection_fraction_percent <= 45:
        return "<=45"
    return ">=55" if ejection_fraction_percent >= 55 else "45-55"
