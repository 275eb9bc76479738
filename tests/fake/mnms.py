"""A tiny M&Ms and a tiny M&Ms-2."""

from pathlib import Path

import numpy as np

from tests.fake.heart import heart_image, short_axis, write_nifti

SPACING_MM = (9.6, 1.2, 1.3)
VALUES = (1, 2, 3)  # LV, MYO, RV
PATIENTS = {"A0S9V9": ("Labeled", "A", 1), "A1D9Z7": ("Labeled", "B", 2), "A3H5R1": ("Unlabeled", "C", 4)}
FRAMES, ED, ES = 6, 4, 1


def write_mnms(root: Path, *, seed: int = 0) -> None:
    """Write `Training/{Labeled,Unlabeled}`, `Testing` and the table; videos traced at ED (frame 4) and ES (frame 1)."""
    rng = np.random.default_rng(seed)
    places = {code: root / "Training" / part / code for code, (part, _, _) in PATIENTS.items()}
    facts = {code: (vendor, centre) for code, (_, vendor, centre) in PATIENTS.items()}
    places["B0H7V0"], facts["B0H7V0"] = root / "Testing" / "B0H7V0", ("D", 5)
    rows = [",External code,VendorName,Vendor,Centre,ED,ES,Age,Pathology,Sex,Height,Weight"]
    for index, (code, folder) in enumerate(places.items()):
        labels = np.zeros((FRAMES, 4, 40, 48), np.uint8)
        labels[ED], labels[ES] = short_axis(values=VALUES), short_axis(size=0.7, values=VALUES)
        write_nifti(folder / f"{code}_sa.nii.gz", heart_image(labels, rng, np.int16), (1.0, *SPACING_MM))
        if folder.parent.name != "Unlabeled":
            write_nifti(folder / f"{code}_sa_gt.nii.gz", labels, (1.0, *SPACING_MM))
        vendor, centre = facts[code]
        rows.append(f"{index},{code},Maker,{vendor},{centre},{ED},{ES},47.0,HCM,M,181.0,93.0")
    root.joinpath("211230_M&Ms_Dataset_information_diagnosis_opendataset.csv").write_text("\n".join(rows) + "\n")


def write_mnms_stills(root: Path, *, seed: int = 0) -> None:
    """Write a copy with ED and ES as files of their own, unlabelled, and `info.csv`."""
    rng = np.random.default_rng(seed)
    for phase, size in (("ED", 1.0), ("ES", 0.7)):
        image = heart_image(short_axis(size=size, values=VALUES), rng, np.int16)
        write_nifti(root / "unlabelled" / "A0S9V9" / f"A0S9V9_sa_{phase}.nii.gz", image, SPACING_MM)
    (root / "unlabelled" / "info.csv").write_text("External code,Vendor,Centre,ED,ES\nA0S9V9,A,1,0,9\n")


def write_mnms2(root: Path, *, patients=(1, 2, 161, 201), seed: int = 0) -> None:
    """Write `dataset/NNN` with short- and long-axis stills and videos, and `dataset_information.csv`."""
    rng = np.random.default_rng(seed)
    rows = ["SUBJECT_CODE,DISEASE,VENDOR,SCANNER,FIELD"]
    for number in patients:
        name = f"{number:03d}"
        folder = root / "dataset" / name
        for axis, depth in (("SA", 4), ("LA", 1)):
            for phase, size in (("ED", 1.0), ("ES", 0.7)):
                labels = short_axis(depth, size=size, values=VALUES)
                stem = f"{name}_{axis}_{phase}"
                write_nifti(folder / f"{stem}.nii.gz", heart_image(labels, rng).astype(np.float64), SPACING_MM)
                write_nifti(folder / f"{stem}_gt.nii.gz", labels.astype(np.float64), SPACING_MM)
            video = np.stack([heart_image(short_axis(depth, values=VALUES), rng, np.int16) for _ in range(3)])
            write_nifti(folder / f"{name}_{axis}_CINE.nii.gz", video, (1.0, *SPACING_MM))
        rows.append(f"{number},NOR,SIEMENS,Avanto,1.5")
    root.joinpath("dataset_information.csv").write_text("\n".join(rows) + "\n")
