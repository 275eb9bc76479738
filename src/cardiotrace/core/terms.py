"""The field's words: structures, modalities, views and phases."""

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


class Modality(StrEnum):
    """How an image was made."""

    US = "US"
    """Ultrasound: echocardiography."""
    MR = "MR"
    """Magnetic resonance."""
    PHOTOGRAPH = "photograph"
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> "Modality | None":
        """Other words for the same: "us", "echo", "MRI"."""
        word = str(value).upper()
        others = {"ECHO": cls.US, "MRI": cls.MR, "CMR": cls.MR, "FUNDUS": cls.PHOTOGRAPH, "PHOTO": cls.PHOTOGRAPH}
        return next((member for member in cls if member.value.upper() == word), others.get(word))


class View(StrEnum):
    """The anatomical plane, whatever made the image: a parasternal short axis is SAX, as one of MRI is."""

    TWO_CHAMBER = "2CH"
    THREE_CHAMBER = "3CH"
    FOUR_CHAMBER = "4CH"
    FIVE_CHAMBER = "5CH"
    SAX = "SAX"
    """Short axis."""
    PLAX = "PLAX"
    """Parasternal long axis."""
    RVOT = "RVOT"
    """Outflow tract of the right ventricle."""
    FUNDUS = "FUNDUS"
    """The back of the eye."""
    UNKNOWN = "unknown"

    @classmethod
    def _missing_(cls, value: object) -> "View | None":
        """The words of one modality, which older recipes and models hold: "A4C" of echo, "LAX" of M&Ms-2."""
        return _PLANE_OF.get(str(value).upper())

    @property
    def is_long_axis(self) -> bool:
        """Whether it cuts the left ventricle from base to apex, so that one plane gives a length and a volume."""
        return self in (View.TWO_CHAMBER, View.THREE_CHAMBER, View.FOUR_CHAMBER, View.FIVE_CHAMBER)


_PLANE_OF = {
    "A2C": View.TWO_CHAMBER,
    "A3C": View.THREE_CHAMBER,
    "A4C": View.FOUR_CHAMBER,
    "A5C": View.FIVE_CHAMBER,
    "PSAX": View.SAX,
    "LAX": View.FOUR_CHAMBER,
    "UNKNOWN": View.UNKNOWN,
    **{view.value.upper(): view for view in View},
}
_MODALITY_OF = {
    **dict.fromkeys(("A2C", "A3C", "A4C", "A5C", "PSAX", "PLAX"), Modality.US),
    **dict.fromkeys(("SAX", "LAX"), Modality.MR),
    "FUNDUS": Modality.PHOTOGRAPH,
}
_ECHO_NAMES = {
    View.TWO_CHAMBER: "A2C",
    View.THREE_CHAMBER: "A3C",
    View.FOUR_CHAMBER: "A4C",
    View.FIVE_CHAMBER: "A5C",
    View.SAX: "PSAX",
}


def modality_meant(word: str) -> Modality:
    """The modality that the word for a view implies, UNKNOWN where it is used of several.

    Example:
        >>> modality_meant("A4C"), modality_meant("4CH")
        (<Modality.US: 'US'>, <Modality.UNKNOWN: 'unknown'>)
    """
    return _MODALITY_OF.get(word.upper(), Modality.UNKNOWN)


def view_name(view: View, modality: Modality) -> str:
    """What a cardiologist calls a view of a modality.

    Example:
        >>> view_name(View.FOUR_CHAMBER, Modality.US), view_name(View.FOUR_CHAMBER, Modality.MR)
        ('A4C', '4CH')
    """
    return _ECHO_NAMES.get(view, view.value) if modality is Modality.US else view.value


class Phase(StrEnum):
    """A named instant of the heart cycle."""

    ED = "ED"
    """End-diastole: the largest left ventricle."""
    ES = "ES"
    """End-systole: the smallest left ventricle."""
    OTHER = "other"
