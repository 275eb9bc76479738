"""Licence and citation of data, and of the models that learned from them."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Terms:
    """The terms on which data, or a model that learned from them, may be used."""

    licence: str = ""
    """Several are separated by "; "."""
    citation: str = ""

    @classmethod
    def together(cls, several: Iterable["Terms"]) -> "Terms":
        """Several terms as one, each licence and each citation once.

        Example:
            >>> Terms.together([Terms("CC0; MIT", "A 2001."), Terms("MIT", "A 2001.")])
            Terms(licence='CC0; MIT', citation='A 2001.')
        """
        several = list(several)
        licences = dict.fromkeys(text for terms in several for text in terms.licence.split("; ") if text)
        citations = dict.fromkeys(terms.citation for terms in several if terms.citation)
        return cls("; ".join(licences), " ".join(citations))
