"""The field's words: structures, views and phases."""

from enum import StrEnum


class Structure(StrEnum):
    """An anatomical structure that a label map can hold."""

    LV = "LV"
    """Left-ventricular cavity, bounded by the endocardium."""
    MYO = "MYO"
    """Left-ventricular myocardium."""
    LA = "LA"
    """Left atrium."""
    RV = "RV"
    """Right-ventricular cavity."""
    RA = "RA"
    """Right atrium."""
    VESSEL = "VESSEL"
    """Retinal blood vessel."""

    @property
    def is_thin(self) -> bool:
        """Whether it is long and thin: a gap matters more than where its border runs."""
        return self is Structure.VESSEL


class View(StrEnum):
    """How the heart, or the eye, is looked at."""

    A2C = "A2C"
    A3C = "A3C"
    A4C = "A4C"
    PLAX = "PLAX"
    PSAX = "PSAX"
    SAX = "SAX"
    LAX = "LAX"
    FUNDUS = "FUNDUS"
    UNKNOWN = "unknown"

    @property
    def is_apical(self) -> bool:
        """Whether the apex is at the top of the picture and the atrium below."""
        return self in (View.A2C, View.A3C, View.A4C)


class Phase(StrEnum):
    """A named instant of the heart cycle."""

    ED = "ED"
    """End-diastole: the largest left ventricle."""
    ES = "ES"
    """End-systole: the smallest left ventricle."""
    OTHER = "other"
