"""Who a patient is: kept apart from all else that is known, and asked for only where somebody wants it kept."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Identity:
    """What files state of whose they are; what is not stated is empty.

    No image, exam or label map holds one: it is read from the files of an exam when results are to say whose they are.
    """

    patient_name: str = ""
    """As DICOM writes it: family name, given name and so on with "^" between, other scripts behind "="."""
    patient_id: str = ""
    birth_date: str = ""
    """YYYY-MM-DD."""
    study_date: str = ""
    """YYYY-MM-DD."""
    accession_number: str = ""
    institution: str = ""
    disputed: tuple[str, ...] = ()
    """Names of the facts that files contradict each other about, which are left empty."""

    def to_plain(self) -> dict[str, str | list[str]]:
        """What is stated, by name, as JSON holds it.

        Example:
            >>> Identity(patient_id="4711").to_plain()
            {'patient_id': '4711'}
        """
        stated = {name: value for name, value in vars(self).items() if value}
        return {name: value if isinstance(value, str) else list(value) for name, value in stated.items()}
