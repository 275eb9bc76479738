"""What `measures.json` holds: the measures, and what is to be known of them."""

from collections.abc import Mapping
from typing import Any

from cardiotrace.clinical.adaptation import Adaptation
from cardiotrace.clinical.comparison import Comparison
from cardiotrace.clinical.correction import Correction
from cardiotrace.clinical.groups.reading import GroupReading
from cardiotrace.clinical.quantity import Measures
from cardiotrace.core.identity import Identity
from cardiotrace.core.trust import ImageTrust


def record_of(
    measures: Measures,
    *,
    provenance: Mapping[str, Any],
    trust: Mapping[str, ImageTrust],
    identity: Identity | None = None,
    comparison: Comparison | None = None,
    groups: GroupReading | None = None,
    correction: Correction | None = None,
    adaptation: Adaptation | None = None,
) -> dict[str, Any]:
    """All of one exam as JSON holds it; what nothing is known of has no key.

    Args:
        measures: of the exam.
        provenance: where images and labels came from, as plain data.
        trust: what the models expect of their labels, by name of the image.
        identity: whose the exam is.
        comparison: with an earlier exam.
        groups: which groups of patients it is like.
        correction: what a corrector did to its labels.
        adaptation: what adapting the models to its images did to their labels.
    """
    expected = {"trust": {name: each.to_plain() for name, each in trust.items()}} if trust else {}
    whose = {} if identity is None else {"identity": identity.to_plain()}
    compared = {} if comparison is None else {"comparison": comparison.to_plain()}
    like = {} if groups is None else {"groups": groups.to_plain()}
    mended = {} if correction is None else {"correction": correction.to_plain()}
    moved = {} if adaptation is None else {"adaptation": adaptation.to_plain()}
    told = {**measures.to_plain(), **expected, **whose, "provenance": dict(provenance)}
    return {**told, **compared, **like, **mended, **moved}
