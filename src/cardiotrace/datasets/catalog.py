"""The data sets that can be chosen by name."""

from pathlib import Path

from cardiotrace.core.catalog import Catalog, Choice, Entry
from cardiotrace.datasets.acdc import Acdc, AcdcConfig
from cardiotrace.datasets.camus import Camus, CamusConfig
from cardiotrace.datasets.chase import Chase, ChaseConfig
from cardiotrace.datasets.dataset import Dataset
from cardiotrace.datasets.echonet import Echonet, EchonetConfig
from cardiotrace.datasets.folder import Folder, FolderConfig
from cardiotrace.datasets.joined import Joined, JoinedConfig
from cardiotrace.datasets.mnms import Mnms, Mnms2, Mnms2Config, MnmsConfig
from cardiotrace.datasets.phantom import Phantom
from cardiotrace.datasets.sunnybrook import Sunnybrook, SunnybrookConfig
from cardiotrace.phantoms.choice import PhantomConfig


def _joined(config: JoinedConfig) -> Joined:
    root = config.root.expanduser()
    parts = (
        DATASETS.make(_placed(part, root), path=f"data set joined: parts[{index}]")
        for index, part in enumerate(config.parts)
    )
    return Joined(config, tuple(parts))


def _placed(part: Choice, root: Path) -> Choice:
    """A part with the folder it lies in."""
    return Choice(part.name, {**part.options, "root": str(root / str(part.options.get("root", part.name)))})


DATASETS: Catalog[Dataset] = Catalog(
    "data set",
    [
        Entry(
            "camus",
            CamusConfig,
            Camus,
            "Apical echo, 500 patients: LV, myocardium and left atrium at ED and ES.",
            "Leclerc et al. 2019, IEEE Trans Med Imaging 38:2198",
        ),
        Entry(
            "echonet",
            EchonetConfig,
            Echonet,
            "EchoNet-Dynamic: apical four-chamber videos, 10 030 patients: LV at ED and ES.",
            "Ouyang et al. 2020, Nature 580:252",
        ),
        Entry(
            "acdc",
            AcdcConfig,
            Acdc,
            "Short-axis cine-MRI, 150 patients: LV, myocardium and RV at ED and ES.",
            "Bernard et al. 2018, IEEE Trans Med Imaging 37:2514",
        ),
        Entry(
            "mnms",
            MnmsConfig,
            Mnms,
            "M&Ms: short-axis cine-MRI of four vendors, 375 patients: LV, myocardium and RV at ED and ES.",
            "Campello et al. 2021, IEEE Trans Med Imaging 40:3543",
        ),
        Entry(
            "mnms2",
            Mnms2Config,
            Mnms2,
            "M&Ms-2: short- and long-axis cine-MRI of three vendors, 360 patients: LV, myocardium and RV.",
            "Martín-Isla et al. 2023, IEEE J Biomed Health Inform 27:3302",
        ),
        Entry(
            "sunnybrook",
            SunnybrookConfig,
            Sunnybrook,
            "Short-axis cine-MRI, 30 patients: myocardium.",
            "Radau et al. 2009, MIDAS Journal",
        ),
        Entry(
            "chase",
            ChaseConfig,
            Chase,
            "CHASE_DB1: retinal photographs, both eyes of 14 children: vessels, two observers.",
            "Fraz et al. 2012, IEEE Trans Biomed Eng 59:2538",
        ),
        Entry(
            "phantom",
            PhantomConfig,
            Phantom,
            "Phantom hearts in echo or cine-MRI, phantom eyes: rendered when asked for, every number known.",
        ),
        Entry("joined", JoinedConfig, _joined, "Several of these as one, such as real and phantom patients."),
        Entry("folder", FolderConfig, Folder, "Your own folder of images and masks of the same names."),
    ],
    group="cardiotrace.datasets",
)
