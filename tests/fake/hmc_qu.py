"""A tiny HMC-QU, with workbooks as spreadsheet programs save them."""

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
from scipy.io import savemat

from cardiotrace.io.video import write_video
from tests.fake.heart import apical, heart_image
from tests.fake.ted import beat_sizes

SHAPE, MASK = (60, 90), (32, 32)
FRAMES, FIRST, LAST = 12, 3, 10
"""Of a film; a beat's frames count from one."""
SEGMENTS = ("SEG1", "SEG2", "SEG3", "SEG5", "SEG6", "SEG7")
A4C = {"ES0001 _4CH_1": ("MI", "non-MI"), "ES0002_4CH_1": ("non-MI",), "ES0003_4CH_1": ("MI",)}
A2C = {"ES0001_2CH_1": ("MI",)}
"""Films, and what is said of their segments; the last word holds for all that follow. The third has no mask."""
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def write_hmc_qu(root: Path, *, seed: int = 0) -> None:
    """Write films of both views, masks of two of four chambers and the workbooks."""
    rng = np.random.default_rng(seed)
    tick = ["LV Wall Ground-truth Segmentation Masks"]
    for word, films, heading in (("A4C", A4C, tick), ("A2C", A2C, [])):
        (root / "HMC-QU" / word).mkdir(parents=True)
        rows: list[list[str | int | None]] = [["ECHO", *SEGMENTS, "One cardiac-cycle frames", None, *heading]]
        rows.append([*[None] * 7, "Reference Frame", "End of Cycle"])
        for name, words in films.items():
            wall = _walls()
            write_video(heart_image(wall, rng), root / "HMC-QU" / word / f"{name}.avi", rate_hz=25)
            has_mask = word == "A4C" and "3" not in name
            if has_mask:
                _write_mask(root / "LV Ground-truth Segmentation Masks" / f"Mask_{name}.mat")
            segments = [*words, *[words[-1]] * (6 - len(words))]
            rows.append([name, *segments, FIRST, LAST, *["ü"] * has_mask])
        rows.append(["The films were taken at 25 frames per second."])
        save_workbook(root / f"{word}.xlsx", rows)


def _walls(shape=SHAPE) -> np.ndarray:
    sizes = beat_sizes(LAST - FIRST + 1)
    beat = np.stack([apical(shape, size=size) for size in sizes])
    return np.concatenate([beat[:1]] * (FIRST - 1) + [beat] + [beat[:1]] * (FRAMES - LAST))


def _write_mask(path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    savemat(path, {"predicted": (_walls(MASK)[FIRST - 1 : LAST] == 2).astype(np.float64)}, do_compression=True)


def save_workbook(path: Path, rows: Sequence[Sequence[str | int | None]]) -> None:
    """A workbook with the parts that are read: texts are shared, cells say their place, empty ones are left out."""
    texts = sorted({cell for row in rows for cell in row if isinstance(cell, str)})
    lines = []
    for number, row in enumerate(rows, start=1):
        cells = []
        for letter, cell in zip("ABCDEFGHIJKLM", row, strict=False):
            if isinstance(cell, str):
                cells.append(f'<c r="{letter}{number}" s="1" t="s"><v>{texts.index(cell)}</v></c>')
            elif cell is not None:
                cells.append(f'<c r="{letter}{number}"><v>{cell}</v></c>')
        lines.append(f'<row r="{number}" spans="1:10">{"".join(cells)}</row>')
    shared = "".join(f"<si><r><t>{escape(text[:2])}</t></r><r><t>{escape(text[2:])}</t></r></si>" for text in texts)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{_MAIN}">{shared}</sst>')
        sheet = f'<worksheet xmlns="{_MAIN}"><sheetData>{"".join(lines)}</sheetData></worksheet>'
        archive.writestr("xl/worksheets/sheet1.xml", sheet)
