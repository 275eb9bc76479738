"""Data sets of phantoms in the formats and folder trees of real ones, with the truth beside them."""

import json
import logging
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from cardiotrace.core.contract import PHANTOM_TRUTH, PHANTOMS
from cardiotrace.core.errors import ConfigError, InputError
from cardiotrace.core.progress import counted
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.tree import (
    AcdcTree,
    CamusTree,
    FundusTree,
    HmcQuTree,
    Mnms2Tree,
    Row,
    TedTree,
    Tree,
    as_csv,
)
from cardiotrace.io import write_json, write_text
from cardiotrace.io.atomic import as_work_error
from cardiotrace.io.folder import staged_folder
from cardiotrace.phantoms.choice import PhantomConfig, choice_digest, draw_patient
from cardiotrace.phantoms.patient import RenderedPatient, render_patient

Layout = Literal["camus", "ted", "hmc-qu", "acdc", "mnms2", "images"]
TREES: Mapping[Layout, Tree] = {
    "camus": CamusTree(), "ted": TedTree(), "hmc-qu": HmcQuTree(),
    "acdc": AcdcTree(), "mnms2": Mnms2Tree(), "images": FundusTree(),
}  # fmt: skip
LAYOUTS: Mapping[str, tuple[Layout, ...]] = {
    "echo": ("camus", "ted", "hmc-qu"),
    "cmr": ("acdc", "mnms2"),
    "fundus": ("images",),
}
"""Trees of each kind of phantom, the usual one first."""
SETTINGS = "phantom.json"
TRUTH = "truth"
LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class WriteConfig:
    """A data set of phantoms to be written."""

    out: Path
    """Folder of the data set; one that was begun with the same options is gone on with."""
    phantoms: PhantomConfig
    """Which phantoms."""
    layout: Layout | None = None
    """Whose folder tree and label numbers; default: the usual one of the kind. Where no views are asked for, all
    that the tree has a place for are written."""


@dataclass(frozen=True)
class Written:
    """What was written."""

    out: Path
    """The data set's folder."""
    table: Path
    """truth.csv."""
    rows: Mapping[str, Row]
    """Of the table, by patient."""
    made: int
    """Patients that were rendered now; the others were there already."""
    layout: Layout
    """Whose folder tree it is."""


def write_phantoms(config: WriteConfig, reporter: ProgressReporter = SILENT) -> Written:
    """Write patients one after another, each completely or not at all.

    A folder with the same settings is gone on with: finished patients are kept, and a larger count adds to them.

    Raises:
        ConfigError: more patients than the tree has names for, or a tree of another kind.
        InputError: the folder holds something else, or no phantom can be as the settings say.
        WorkError: the folder cannot be written to.
    """
    tree = _tree(config)
    config = replace(config, phantoms=replace(config.phantoms, views=config.phantoms.views or tree.views))
    # Refuses what no phantom can be before the folder is claimed: it would be refused to the mended settings.
    draw_patient(config.phantoms, 1)
    _claim(config)
    rows: dict[str, Row] = {}
    made = 0
    with reporter.stage(f"making {config.phantoms.kind} phantoms") as on_progress:
        for number in counted(range(1, config.phantoms.count + 1), on_progress):
            name = tree.name(number)
            record = config.out / TRUTH / f"{name}.json"
            if not record.exists():
                _make_patient(config, tree, number, record)
                made += 1
            rows[name] = _row(record)
    with as_work_error(config.out):
        tree.finish(config.out, rows)
    table = config.out / "truth.csv"
    write_text(table, as_csv([{"patient": name, **row} for name, row in rows.items()]))
    return Written(config.out, table, rows, made, _layout(config))


def _make_patient(config: WriteConfig, tree: Tree, number: int, record: Path) -> None:
    name = tree.name(number)
    patient = render_patient(draw_patient(config.phantoms, number), config.phantoms.planes)
    _write_patient(config.out, tree, name, patient)
    # Written last: its being there says that the patient is complete.
    truth = {"patient": name, **patient.truth, "curves": patient.curves}
    write_json(record, PHANTOM_TRUTH.stamp(truth))
    LOG.debug("%s is written", name)


def _layout(config: WriteConfig) -> Layout:
    return config.layout or LAYOUTS[config.phantoms.kind][0]


def _tree(config: WriteConfig) -> Tree:
    kind, count = config.phantoms.kind, config.phantoms.count
    if config.phantoms.beats:
        raise ConfigError(
            "beats: files are laid out as the tree has them", remedy="choose --layout ted for whole beats."
        )
    layout = _layout(config)
    if layout not in LAYOUTS[kind]:
        raise ConfigError(f"layout: {kind} has no {layout!r}", remedy=f"give one of {', '.join(LAYOUTS[kind])}.")
    tree = TREES[layout]
    if lacking := [name for name in config.phantoms.views if name not in tree.views]:
        remedy = f"give some of {', '.join(tree.views)}."
        raise ConfigError(f"views: the {layout} tree has no place for {lacking[0]}", remedy=remedy)
    if count > tree.most:
        raise ConfigError(f"count: the {layout} tree has names for {tree.most} patients", remedy="write several sets.")
    return tree


def _settings(config: WriteConfig) -> dict[str, Any]:
    chosen = {name: value for name, value in asdict(config.phantoms).items() if name not in ("count", "beats")}
    return {
        "layout": _layout(config),
        **json.loads(json.dumps(chosen)),
        "digest": choice_digest(config.phantoms),
    }


def _claim(config: WriteConfig) -> None:
    """Make the folder, or see that it holds a part of the same data set."""
    out, settings = config.out, _settings(config)
    path = out / SETTINGS
    if path.exists():
        _require_same(path, settings)
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("is not empty and holds no phantoms", where=out, remedy="use another --out.")
    with as_work_error(out):
        (out / TRUTH).mkdir(parents=True, exist_ok=True)
    write_json(path, PHANTOMS.stamp(settings))


def _require_same(path: Path, settings: Mapping[str, Any]) -> None:
    try:
        found = PHANTOMS.read(json.loads(path.read_text(encoding="utf-8")), where=path)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot be read: {error}", where=path, remedy="use another --out.") from None
    changed = [name for name in settings if found.get(name) != settings[name]]
    # The digest changes with every setting: by itself it says that the program draws the same patients otherwise.
    changed = [name for name in changed if name != "digest"] or changed
    if changed:
        what = "made by another version" if changed == ["digest"] else f"of other settings ({', '.join(changed)})"
        raise InputError(f"holds phantoms {what}", where=path.parent, remedy="use another --out.")


def _write_patient(out: Path, tree: Tree, name: str, patient: RenderedPatient) -> None:
    target = out / tree.folder(name)
    with as_work_error(target):
        target.parent.mkdir(parents=True, exist_ok=True)
    with staged_folder(target) as folder:
        tree.write(patient, name, folder)
    if tree.shared:
        _share_out(out, target, tree.shared)


def _share_out(out: Path, gathered: Path, shared: tuple[str, ...]) -> None:
    """Move the files of one patient from their own folder into the common ones."""
    with as_work_error(out):
        for place in shared:
            (out / place).mkdir(parents=True, exist_ok=True)
            for file in (gathered / place).iterdir():
                file.replace(out / place / file.name)
        shutil.rmtree(gathered)
        if not any(gathered.parent.iterdir()):
            gathered.parent.rmdir()


def _row(record: Path) -> Row:
    """A finished patient's line of the table."""
    try:
        values = PHANTOM_TRUTH.read(json.loads(record.read_text(encoding="utf-8")), where=record)
    except (OSError, ValueError) as error:
        raise InputError(
            f"cannot be read: {error}", where=record, remedy="delete it to make the patient again."
        ) from None
    return {name: value for name, value in values.items() if name not in ("patient", "curves")}
