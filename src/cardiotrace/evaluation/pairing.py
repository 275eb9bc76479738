"""Label files of two folders that speak of the same image."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from cardiotrace.core.errors import InputError
from cardiotrace.core.exam import Case
from cardiotrace.core.label import LabelScheme
from cardiotrace.datasets.naming import image_name, patient_in, phase_in, view_in
from cardiotrace.datasets.walk import files_below
from cardiotrace.io import label_suffixes, read_image, read_labels
from cardiotrace.io.frames import GivenSpacing
from cardiotrace.io.results import FIGURES, MANIFEST, UNCORRECTED
from cardiotrace.io.stored import ThirdAxis


def label_files(folder: Path) -> dict[str, Path]:
    """Label files below a folder by the name of the image they belong to; links are followed.

    Beside a file of the image's own name, one that is marked as labels (`_labels`, `_gt`, `_seg`, `_mask`) is taken.
    The figures among the results of an analysis are none.

    Raises:
        InputError: there is no such folder or no such file in it, or two files are labels of one image.
    """
    found = labels_below(folder)
    if not found:
        raise InputError(
            "the folder holds no label files", where=folder, remedy=f"known: {', '.join(label_suffixes())}."
        )
    return found


def labels_below(folder: Path) -> dict[str, Path]:
    """As `label_files`, but a folder may hold none.

    Raises:
        InputError: there is no such folder, or two files are labels of one image.
    """
    if not folder.is_dir():
        raise InputError("there is no such folder", where=folder)
    found: dict[str, Path] = {}
    for path in files_below(folder):
        stem = _stem(path)
        if stem == path.name or _is_beside_results(path):
            continue
        name = image_name(stem)
        is_marked = name != stem
        rival = found.get(name)
        if rival is not None and is_marked == (image_name(_stem(rival)) != _stem(rival)):
            raise InputError(
                f"{rival.relative_to(folder)} and {path.relative_to(folder)} are both labels of {name}",
                where=folder,
                remedy="keep one of them, or give the folder of one of them.",
            )
        if is_marked or rival is None:
            found[name] = path
    return found


def folder_cases(
    files: Mapping[str, Path],
    scheme: LabelScheme,
    *,
    spacing_mm: GivenSpacing | None = None,
    third_axis: ThirdAxis = "auto",
) -> list[Case]:
    """Cases of a folder of reference labels, with view, phase and patient as far as the names tell them.

    Args:
        files: see `label_files`.
        scheme: what the values mean.
        spacing_mm: (depth, height, width), mm, in place of what the files say.
        third_axis: what the third of three axes is where files do not tell.
    """
    known = {"spacing_mm": spacing_mm, "third_axis": third_axis}
    return [_folder_case(name, path, scheme, known) for name, path in files.items()]


def _folder_case(name: str, path: Path, scheme: LabelScheme, known: Mapping[str, Any]) -> Case:
    return Case(
        name=name,
        view=view_in(name),
        phase=phase_in(name),
        groups={"patient": patient_in(name)},
        read_image=partial(read_image, path, **known),
        read_labels=partial(read_labels, path, scheme, **known),
        files=(path.name,),
    )


def _is_beside_results(path: Path) -> bool:
    """Whether a file in a folder of results holds no results.

    Pictures are named after images, but their colours are no labels; and labels before a correction are none any more.
    """
    return path.parent.name in (FIGURES, UNCORRECTED) and (path.parent.parent / MANIFEST).is_file()


def _stem(path: Path) -> str:
    """The name without its suffix; the whole name where it cannot hold labels."""
    suffix = next((suffix for suffix in label_suffixes() if path.name.lower().endswith(suffix)), "")
    return path.name[: len(path.name) - len(suffix)]
