"""The losses that a recipe can name."""

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.learning.losses import overlap, skeleton
from cardiotrace.learning.losses.overlap import Loss

LOSSES: Catalog[Loss] = Catalog(
    "loss",
    [
        Entry(
            "dice",
            overlap.DiceConfig,
            overlap.dice,
            "Multi-class soft Dice over the batch, as for U-Net 1 in the CAMUS paper.",
            "Milletari et al. 2016, arXiv:1606.04797; Leclerc et al. 2019, IEEE TMI 38:2198",
        ),
        Entry(
            "cross-entropy",
            overlap.CrossEntropyConfig,
            overlap.cross_entropy,
            "Mean negative log-probability of the right class.",
            "Ronneberger et al. 2015, arXiv:1505.04597 (here without weights)",
        ),
        Entry(
            "dice+cross-entropy",
            overlap.DiceCrossEntropyConfig,
            overlap.dice_cross_entropy,
            "Weighted sum of both, as in nnU-Net.",
            "Isensee et al. 2021, Nature Methods 18:203",
        ),
        Entry(
            "dice+cross-entropy+cldice",
            skeleton.ClDiceConfig,
            skeleton.dice_cross_entropy_cldice,
            "With soft centre-line Dice, for vessels: broken lines cost as much as thick ones.",
            "Shit et al. 2021, CVPR, arXiv:2003.07311",
        ),
    ],
    group="cardiotrace.losses",
)
"""`make(config)` returns a `Loss`."""
