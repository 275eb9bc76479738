"""What is public: it keeps its name and meaning, or goes by the rule in CONTRIBUTING. All else is private.

Private modules may change in any version, whatever their names look like.
"""

from collections.abc import Mapping

PACKAGES: Mapping[str, str] = {
    "cardiotrace": "Exams in, results out, and the types that all speaks.",
    "cardiotrace.clinical": "Label maps to quantities with units.",
    "cardiotrace.metrics": "Masks and pixel sizes to numbers.",
    "cardiotrace.phantoms": "A beating heart of known volumes, and images of it.",
    "cardiotrace.workflows": "The verbs of the command line: a configuration in, a result out.",
    "cardiotrace.extend": "What another package needs to add losses, networks, data sets and steps.",
}
"""Packages whose `__all__` is public, each with what it is for."""

FUNCTIONS = (
    "cardiotrace.workflows.analyse.analyse",
    "cardiotrace.workflows.anonymise.anonymise",
    "cardiotrace.workflows.convert.convert",
    "cardiotrace.workflows.crossval.crossval",
    "cardiotrace.workflows.demo.demo",
    "cardiotrace.workflows.evaluate.evaluate",
    "cardiotrace.workflows.segment.segment",
    "cardiotrace.workflows.show.show",
)
"""Public functions that cannot stand in their package, as they are called like the module that holds them."""

ENTRY_POINTS = (
    "cardiotrace.architectures",
    "cardiotrace.datasets",
    "cardiotrace.losses",
    "cardiotrace.optimisers",
    "cardiotrace.postprocessing",
    "cardiotrace.preprocessing",
    "cardiotrace.schedules",
)
"""Groups of entry points through which other packages add to the catalogs."""
