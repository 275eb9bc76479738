"""What another package needs to add losses, networks, data sets and steps to CardioTrace; all else is private.

It makes `Entry` objects and states them as entry points of the group of their kind; see "Add your own" in the
documentation. Names are loaded when first used.
"""

from typing import TYPE_CHECKING

from cardiotrace.core.lazy import lazy_names

if TYPE_CHECKING:
    from cardiotrace.core.catalog import Choice as Choice
    from cardiotrace.core.catalog import Entry as Entry
    from cardiotrace.core.errors import ConfigError as ConfigError
    from cardiotrace.core.errors import InputError as InputError
    from cardiotrace.core.exam import Case as Case
    from cardiotrace.datasets.dataset import Dataset as Dataset
    from cardiotrace.datasets.split import Split as Split
    from cardiotrace.learning.losses.overlap import Loss as Loss
    from cardiotrace.learning.models.network import Network as Network
    from cardiotrace.learning.models.network import NetworkSpec as NetworkSpec
    from cardiotrace.learning.models.network import TrainingOutputs as TrainingOutputs
    from cardiotrace.learning.training.optimiser import Schedule as Schedule
    from cardiotrace.preprocessing.intensity import IntensityStep as IntensityStep
    from cardiotrace.preprocessing.step import GeometricStep as GeometricStep
    from cardiotrace.preprocessing.step import PixelStep as PixelStep

_PLACES = {
    "Case": "core.exam",
    "Choice": "core.catalog",
    "ConfigError": "core.errors",
    "Dataset": "datasets.dataset",
    "Entry": "core.catalog",
    "GeometricStep": "preprocessing.step",
    "InputError": "core.errors",
    "IntensityStep": "preprocessing.intensity",
    "Loss": "learning.losses.overlap",
    "Network": "learning.models.network",
    "NetworkSpec": "learning.models.network",
    "PixelStep": "preprocessing.step",
    "Schedule": "learning.training.optimiser",
    "Split": "datasets.split",
    "TrainingOutputs": "learning.models.network",
}
__all__ = sorted(_PLACES)
__getattr__, __dir__ = lazy_names(__name__, _PLACES)
