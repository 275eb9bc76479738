"""The ways to adapt that a recipe can name."""

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.learning.training.adaptation import adabn, coral, dann, fda, mean_teacher, plain, style
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
            "dann",
            dann.DannConfig,
            dann.DannObjective,
            "Gradient reversal: features from which no head can tell the domain.",
            "Ganin et al. 2016, JMLR 17:59, arXiv:1505.07818; Scannell et al. 2020, arXiv:2008.11776",
        ),
        Entry(
            "coral",
            coral.CoralConfig,
            coral.CoralObjective,
            "Deepest features of both domains with the same means and covariances.",
            "Sun and Saenko 2016, arXiv:1607.01719",
        ),
        Entry(
            "adabn",
            adabn.AdaBnConfig,
            adabn.AdaBnObjective,
            "A trained network whose batch norms count the targets; no weight is learned.",
            "Li et al. 2016, arXiv:1603.04779",
        ),
        Entry(
            "mean-teacher",
            mean_teacher.MeanTeacherConfig,
            mean_teacher.MeanTeacherObjective,
            "The network's own average teaches it on the targets where it is sure, with a guard against collapse.",
            "Tarvainen and Valpola 2017, arXiv:1703.01780; Sohn et al. 2020, arXiv:2001.07685",
        ),
        Entry(
            "fda",
            fda.FdaConfig,
            fda.FdaObjective,
            "Labelled images with the low frequencies of the targets'.",
            "Yang and Soatto 2020, arXiv:2004.05498",
        ),
        Entry(
            "style",
            style.StyleConfig,
            style.StyleObjective,
            "Labelled features with means and deviations between their own and the targets'.",
            "Zhou et al. 2021, arXiv:2104.02008",
        ),
    ],
)
"""`make(config, parts)` returns an `Objective`; what it needs besides its config says, see `MethodConfig`."""
