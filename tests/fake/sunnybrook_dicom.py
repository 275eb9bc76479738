"""A tiny Sunnybrook release in DICOM: two patients of three slices, outlines of circles."""

from functools import cache
from io import BytesIO
from pathlib import Path

import numpy as np

from tests.io.dicom.made_mr import MadeSeries

PATIENTS = {"SCD0000101": "SC-HF-I-1", "SCD0000301": "SC-N-5"}
ED, ES, COUNT, SLICES = 18, 7, 20, 3
CENTRE = (20.5, 22.0)
"""Of all outlines, (x, y) from the corner of the image."""
INNER = {ED: (9.0, 8.0, 7.0), ES: (6.0, 5.0, 4.0)}
"""Radii of the endocardium by slice, in the order of the files."""
WALL = 3.0


def write_sunnybrook_dicom(root: Path) -> Path:
    """Write `link.csv`, `contours` and the folders of files; returns the root."""
    root.mkdir(parents=True, exist_ok=True)
    lines = [f"{folder},{outlines}" for folder, outlines in PATIENTS.items()]
    (root / "link.csv").write_text("\n".join(["folder,contours", *lines, "SCD0000401,SC-HYP-1"]) + "\n")
    for folder, outlines in PATIENTS.items():
        (root / folder).mkdir()
        for number, content in enumerate(_files(), start=1):
            (root / folder / f"{number}.dcm").write_bytes(content)
        for instant, radii in INNER.items():
            for depth, radius in enumerate(radii):
                number = depth * COUNT + instant + 1
                write_circle(root, outlines, number, "i", radius)
                if instant == ED:
                    write_circle(root, outlines, number, "o", radius + WALL)
    return root


@cache
def _files() -> tuple[bytes, ...]:
    """The files of a patient, slice after slice from the base, each in a frame of reference of its own."""
    series = MadeSeries(places_mm=[-10.0 * depth for depth in range(SLICES)], count=COUNT, shape=(44, 40))
    contents = []
    for number, each in enumerate(series.objects()):
        each.FrameOfReferenceUID = f"1.2.9.{number + 1}"  # as the anonymiser left them
        stream = BytesIO()
        each.save_as(stream, enforce_file_format=True)
        contents.append(stream.getvalue())
    return tuple(contents)


def write_circle(root: Path, outlines: str, number: int, kind: str, radius: float) -> Path:
    """Write one outline."""
    angles = np.linspace(0, 2 * np.pi, 180, endpoint=False)
    points = np.stack([CENTRE[0] + radius * np.cos(angles), CENTRE[1] + radius * np.sin(angles)], axis=1)
    path = root / "contours" / outlines / f"{kind}-contours" / f"IM-0001-{number:04d}-{kind}contour-manual.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savetxt(path, points, fmt="%.2f")
    return path
