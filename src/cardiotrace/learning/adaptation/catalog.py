"""The ways to adapt that a recipe can name."""

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.learning.adaptation import plain, rl4seg
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
        Entry(
            "rl4seg",
            rl4seg.RL4Seg,
            plain.make,  # of the first of its trainings; the others follow in `workflows.rl4seg`
            "Reinforcement learning on the targets by a reward that is learned from valid and spoilt answers.",
            "Judge et al. 2024, MICCAI, arXiv:2406.17902",
        ),
    ],
)
"""`make(config, parts)` returns an `Objective`; what it needs besides its config says, see `MethodConfig`."""
