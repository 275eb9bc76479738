"""cardiotrace phantom echo | cmr | fundus."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal
from cardiotrace.phantoms.choice import Kind, PhantomConfig, ViewName
from cardiotrace.workflows.phantom import Layout, WriteConfig, write_phantoms

Quality = Literal["good", "medium", "poor"]


@dataclass(frozen=True)
class CommonOptions:
    """What all phantoms have in common."""

    out: Path
    """Folder of the data set; one that was begun with the same options is gone on with."""
    count: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 10
    """Number of patients."""
    seed: int = 0
    """Another seed, other patients; the same seed, the same bytes."""
    pathology: tuple[str, ...] = ()
    """Diseases; default: all of them in turn for hearts, most eyes healthy."""
    vendor: tuple[str, ...] = ()
    """Styles of scanners or cameras; default: as the real data set has them."""
    json: bool = False
    """Print the truth as JSON."""


@dataclass(frozen=True)
class EchoOptions(CommonOptions):
    """Phantom hearts as CAMUS stores them: ED, ES and half sequence of each view with labels, and truth.csv."""

    quality: tuple[Quality, ...] = ()
    """Of the images; default: mixed as in CAMUS."""
    views: tuple[ViewName, ...] = ("4CH", "2CH")
    """Apical views."""
    frames: int = 20
    """Frames over a whole beat."""


@dataclass(frozen=True)
class CmrOptions(CommonOptions):
    """Phantom hearts as ACDC or M&Ms-2 stores them: short-axis stacks (and a long axis) with labels, and truth.csv."""

    quality: tuple[Quality, ...] = ()
    """Of the images: noise, slices shifted by breath, ghosts, dark bands; default: good."""
    layout: Literal["acdc", "mnms2"] = "acdc"
    """Whose folder tree and label numbers."""
    frames: int = 25
    """Frames over a whole beat."""


@dataclass(frozen=True)
class FundusOptions(CommonOptions):
    """Phantom eyes: folders of photographs, of vessels and of what else is known of each pixel, and truth.csv."""

    quality: tuple[Quality, ...] = ()
    """Of the photographs; default: mixed."""


def run_echo(options: EchoOptions) -> None:
    """Write the data set."""
    _write(options, "echo", "camus", qualities=options.quality, views=options.views, frames=options.frames)


def run_cmr(options: CmrOptions) -> None:
    """Write the data set."""
    _write(options, "cmr", options.layout, qualities=options.quality, frames=options.frames)


def run_fundus(options: FundusOptions) -> None:
    """Write the data set."""
    _write(options, "fundus", "images", qualities=options.quality)


def _write(
    options: CommonOptions,
    kind: Kind,
    layout: Layout,
    *,
    qualities: tuple[Quality, ...] = (),
    views: tuple[ViewName, ...] = ("4CH",),
    frames: int | None = None,
) -> None:
    phantoms = PhantomConfig(
        kind=kind,
        count=options.count,
        seed=options.seed,
        pathologies=options.pathology,
        vendors=options.vendor,
        qualities=qualities,
        views=views,
        frame_count=frames,
    )
    with Terminal() as terminal:
        written = write_phantoms(WriteConfig(options.out, phantoms, layout), terminal)
    if options.json:
        say(json.dumps(dict(written.rows), indent=2))
        return
    kept = len(written.rows) - written.made
    say(f"{written.out}: {written.made} made" + (f", {kept} kept" if kept else "") + f"; truth in {written.table}")
    say(f"Look through it: cardiotrace data lint {_READERS[layout]} {written.out}{_READER_OPTIONS.get(layout, '')}")


_READERS = {"camus": "camus", "acdc": "acdc", "mnms2": "mnms2", "images": "folder"}
_READER_OPTIONS = {"images": " --option scheme=vessel255 channels=3 view=FUNDUS"}
