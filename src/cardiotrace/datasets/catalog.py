"""The data sets that can be chosen by name."""

from cardiotrace.core.catalog import Catalog, Entry
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.datasets.dataset import Dataset

DATASETS: Catalog[Dataset] = Catalog(
    "data set",
    [
        Entry(
            "camus",
            CamusConfig,
            Camus,
            "CAMUS: apical echo, 500 patients, LV, myocardium and left atrium at ED and ES.",
            "Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198",
        ),
    ],
)
