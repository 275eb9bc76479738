"""Coded words: DICOM names things by a code, the scheme that it stands in, and what it means in English."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cardiotrace.core.terms import Structure

if TYPE_CHECKING:
    from pydicom import Dataset

PRIVATE_SCHEME = "99CARDIOTRACE"
"""Scheme of what no public scheme has a word for; DICOM wants such names to begin with 99."""


@dataclass(frozen=True)
class Code:
    """One coded word.

    Example:
        >>> Code("87878005", "SCT", "Left ventricle").is_public
        True
    """

    value: str
    """At most 16 characters, as a DICOM code value is."""
    scheme: str
    """"SCT" (SNOMED CT), "LN" (LOINC), "DCM" (DICOM's own), "UCUM" (units), or `PRIVATE_SCHEME`."""
    meaning: str

    @property
    def is_public(self) -> bool:
        """Whether others than this program know the scheme."""
        return self.scheme != PRIVATE_SCHEME

    def item(self) -> "Dataset":
        """As an item of a code sequence."""
        from pydicom import Dataset

        item = Dataset()
        item.CodeValue = self.value
        item.CodingSchemeDesignator = self.scheme
        item.CodeMeaning = self.meaning
        return item

    @classmethod
    def of(cls, item: "Dataset") -> "Code":
        """The code of an item of a code sequence; parts that it lacks are empty."""
        words = (item.get(name) for name in ("CodeValue", "CodingSchemeDesignator", "CodeMeaning"))
        return cls(*(str(word or "") for word in words))

    def is_same(self, other: "Code") -> bool:
        """Whether both say the same, in whichever words."""
        return (self.value, self.scheme) == (other.value, other.scheme)


ANATOMY = Code("123037004", "SCT", "Anatomical Structure")
ALGORITHM_FAMILY = Code("123110", "DCM", "Artificial Intelligence")
STRUCTURES: Mapping[Structure, Code] = {
    Structure.LV: Code("87878005", "SCT", "Left ventricle"),
    Structure.MYO: Code("49848007", "SCT", "Left Ventricle Myocardium"),
    Structure.LA: Code("82471001", "SCT", "Left atrium"),
    Structure.RV: Code("53085002", "SCT", "Right ventricle"),
    Structure.RA: Code("73829009", "SCT", "Right atrium"),
    Structure.VESSEL: Code("59820001", "SCT", "Blood Vessel"),
}
"""What DICOM calls the structures: context groups 12305 (sites of echocardiography) and 7192 (segmented properties)."""

_OTHER_CODES = {"74281007": Structure.MYO}
"""Other words in which foreign segmentations name a structure: SNOMED's myocardium of the whole heart."""


def structure_of(code: Code) -> Structure | None:
    """The structure that a code names; None where it names none that is known here.

    Example:
        >>> structure_of(Code("87878005", "SCT", "Left ventricular structure"))
        <Structure.LV: 'LV'>
    """
    if code.scheme == "SCT" and code.value in _OTHER_CODES:
        return _OTHER_CODES[code.value]
    return next((structure for structure, known in STRUCTURES.items() if known.is_same(code)), None)
