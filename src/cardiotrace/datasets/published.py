"""The data sets of publications, each listed once: for recipes and commands, and to recognise what was downloaded."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from cardiotrace.core.catalog import Entry
from cardiotrace.datasets.acdc import Acdc
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.datasets.chase import Chase, ChaseConfig
from cardiotrace.datasets.dataset import Dataset, DatasetFacts, NoOptions, PublishedDataset, Recognised
from cardiotrace.datasets.drive import Drive
from cardiotrace.datasets.echonet import Echonet
from cardiotrace.datasets.hmc_qu import HmcQu
from cardiotrace.datasets.mnms import Mnms, Mnms2, Mnms2Config
from cardiotrace.datasets.sunnybrook import Sunnybrook
from cardiotrace.datasets.sunnybrook_dicom import SunnybrookDicom
from cardiotrace.datasets.ted import Ted


@dataclass(frozen=True)
class DatasetEntry(Entry[Dataset]):
    """A data set that can be chosen by name; it is made from its options and the folder it lies in."""

    facts: DatasetFacts | None = None
    """None where they follow from the options."""
    recognise: Callable[[Path], Recognised | None] = lambda path: None
    """Whether a file or folder is of the data set, as it was downloaded."""
    needs_folder: bool = True


def _published(kind: type[PublishedDataset], options: type = NoOptions) -> DatasetEntry:
    facts = kind.facts
    opened = partial(_opened, kind)
    return DatasetEntry(facts.name, options, opened, facts.summary, facts.source, facts=facts, recognise=kind.recognise)


def _opened(kind: Callable[[Path, Any], Any], options: Any, root: Path) -> Dataset:
    dataset: Dataset = kind(root, options)
    return dataset


PUBLISHED = (
    _published(Camus, CamusConfig),
    _published(Echonet),
    _published(Ted),
    _published(HmcQu),
    _published(Acdc),
    _published(Mnms),
    _published(Mnms2, Mnms2Config),
    _published(Sunnybrook),
    _published(SunnybrookDicom),
    _published(Chase, ChaseConfig),
    _published(Drive),
)
