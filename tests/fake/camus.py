"""A tiny CAMUS in either of its layouts."""

from pathlib import Path

import numpy as np

from tests.fake.heart import apical, heart_image, write_metaimage, write_nifti

EJECTION_FRACTIONS = (54, 40, 62, 45, 55, 30, 50, 58, 35, 60)
QUALITIES = ("Good", "Medium", "Poor")
SPACING_MM = (0.308, 0.308)
LEGACY_SPACING_MM = (1.54, 0.154, 0.308)


def write_camus(
    root: Path, *, patients: int = 4, views=("2CH", "4CH"), frames: int = 0, seed: int = 0, lists: bool = True
) -> list[str]:
    """Write the release of 2022: NIfTI files, the table and, with `lists`, the official lists.

    Args:
        root: the folder that will hold database_nifti, database_split and patients_info.csv.
        patients: how many.
        views: which.
        frames: frames of the half sequences, 0 for none; every second patient's runs from ES to ED.
        seed: of the speckle.
        lists: whether to write database_split; every list names one patient, patient0999, who is not on disk.

    Returns:
        Names of the patients.
    """
    rng = np.random.default_rng(seed)
    names = [f"patient{number:04d}" for number in range(1, patients + 1)]
    count = frames or 18
    rows = []
    for index, name in enumerate(names):
        backwards = index % 2 == 1
        first, last = (1, count) if not backwards else (count, 1)
        ejection_fraction = EJECTION_FRACTIONS[index % len(EJECTION_FRACTIONS)]
        sex, quality = "FM"[index % 2], QUALITIES[index % 3]
        rows.append(f"{name},{first},{last},{count},{sex},{50 + index},{quality},{ejection_fraction},50.0")
        for view in views:
            _write_view(root / "database_nifti" / name, f"{name}_{view}", rng, frames, backwards=backwards)
    header = "Patient,ED,ES,NbFrame,Sex,Age,ImageQuality,EF,FrameRate"
    root.joinpath("patients_info.csv").write_text("\r\n".join([header, *rows]) + "\r\n")
    if lists:
        _write_lists(root / "database_split", names)
    return names


def write_legacy_camus(root: Path, *, patients: int = 2, views=("2CH", "4CH"), seed: int = 0) -> list[str]:
    """Write the release of 2019: MetaImage files with anisotropic pixels, settings files, sequences without pixels."""
    rng = np.random.default_rng(seed)
    names = [f"patient{number:04d}" for number in range(1, patients + 1)]
    for name in names:
        folder = root / name
        for view in views:
            for phase, size in (("ED", 1.0), ("ES", 0.75)):
                labels = apical((80, 40), size=size)[np.newaxis]
                write_metaimage(folder / f"{name}_{view}_{phase}.mhd", heart_image(labels, rng), LEGACY_SPACING_MM)
                write_metaimage(folder / f"{name}_{view}_{phase}_gt.mhd", labels, LEGACY_SPACING_MM)
            header = (folder / f"{name}_{view}_ED.mhd").read_text().replace("_ED.raw", "_sequence.raw")
            (folder / f"{name}_{view}_sequence.mhd").write_text(header.replace("40 80 1", "40 80 20"))
            settings = {"ED": 1, "ES": 20 if view == "4CH" else 18, "NbFrame": 20, "Sex": "F", "Age": 56}
            settings |= {"ImageQuality": "Good", "LVedv": 94.0, "LVesv": 34.6, "LVef": 63.2}
            text = "".join(f"{key}: {value}\n" for key, value in settings.items())
            (folder / f"Info_{view}.cfg").write_text(text)
    return names


def _write_view(folder: Path, stem: str, rng: np.random.Generator, frames: int, *, backwards: bool) -> None:
    for phase, size in (("ED", 1.0), ("ES", 0.75)):
        labels = apical(size=size)
        write_nifti(folder / f"{stem}_{phase}.nii.gz", heart_image(labels, rng), SPACING_MM)
        write_nifti(folder / f"{stem}_{phase}_gt.nii.gz", labels, SPACING_MM)
    if frames:
        sizes = np.linspace(1.0, 0.75, frames)[:: -1 if backwards else 1]
        labels = np.stack([apical(size=size) for size in sizes])
        write_nifti(folder / f"{stem}_half_sequence.nii.gz", heart_image(labels, rng), (1.0, *SPACING_MM))
        write_nifti(folder / f"{stem}_half_sequence_gt.nii.gz", labels, (1.0, *SPACING_MM))


def _write_lists(folder: Path, names: list[str]) -> None:
    (folder / "subgroups").mkdir(parents=True)
    for fold in range(11):
        stem = folder / "subgroup" if fold == 0 else folder / "subgroups" / f"subGroup{fold}"
        tested, validated = names[fold % len(names)], names[(fold + 1) % len(names)]
        parts = {"testing": [tested], "validation": [validated]}
        parts["training"] = [name for name in names if name not in (tested, validated)] + ["patient0999"]
        for part, patients in parts.items():
            stem.with_name(f"{stem.name}_{part}.txt").write_text("\n".join(patients) + "\n")
