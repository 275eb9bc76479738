"""The ways to adapt that a recipe can name."""

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.learning.adaptation import plain
from cardiotrace.learning.training.objective import Objective

ADAPTATIONS: Catalog[Objective] = Catalog(
    "adaptation",
    [
        Entry(
            "none",
            plain.NoAdaptationConfig,
            plain.make,
            "Labels of the source alone, with which every adaptation is compared; of the targets too where asked for.",
        ),
    ],
)
"""`make(config, parts)` returns an `Objective`; what it needs besides its config says, see `MethodConfig`."""
