"""cardiotrace phantom echo | cmr | fundus."""

import json
from dataclasses import dataclass, field
from typing import Literal

from cardiotrace.cli.output import say
from cardiotrace.cli.terminal import Terminal
from cardiotrace.phantoms.choice import PhantomConfig
from cardiotrace.workflows.phantom import WriteConfig, write_phantoms

COUNT = 10
_ECHO = PhantomConfig(kind="echo", count=COUNT, frame_count=20)
_CMR = PhantomConfig(kind="cmr", count=COUNT, frame_count=25)
_FUNDUS = PhantomConfig(kind="fundus", count=COUNT)


@dataclass(frozen=True, kw_only=True)
class EchoOptions(WriteConfig):
    """Phantom hearts as CAMUS, TED or HMC-QU stores them: stills and half sequences, or whole beats; and truth.csv."""

    phantoms: PhantomConfig = field(default=_ECHO)
    """Which phantoms."""
    layout: Literal["camus", "ted", "hmc-qu"] = "camus"
    """Whose folder tree and label numbers."""
    json: bool = False
    """Print the truth as JSON."""


@dataclass(frozen=True, kw_only=True)
class CmrOptions(WriteConfig):
    """Phantom hearts as ACDC or M&Ms-2 stores them: short-axis stacks (and a long axis) with labels, and truth.csv."""

    phantoms: PhantomConfig = field(default=_CMR)
    """Which phantoms."""
    layout: Literal["acdc", "mnms2"] = "acdc"
    """Whose folder tree and label numbers."""
    json: bool = False
    """Print the truth as JSON."""


@dataclass(frozen=True, kw_only=True)
class FundusOptions(WriteConfig):
    """Phantom eyes: folders of photographs, of vessels and of what else is known of each pixel, and truth.csv."""

    phantoms: PhantomConfig = field(default=_FUNDUS)
    """Which phantoms."""
    json: bool = False
    """Print the truth as JSON."""


def run_echo(options: EchoOptions) -> None:
    """Write the data set."""
    _write(options, as_json=options.json)


def run_cmr(options: CmrOptions) -> None:
    """Write the data set."""
    _write(options, as_json=options.json)


def run_fundus(options: FundusOptions) -> None:
    """Write the data set."""
    _write(options, as_json=options.json)


def _write(config: WriteConfig, *, as_json: bool) -> None:
    with Terminal() as terminal:
        written = write_phantoms(config, terminal)
    if as_json:
        say(json.dumps(dict(written.rows), indent=2))
        return
    kept = len(written.rows) - written.made
    say(f"{written.out}: {written.made} made" + (f", {kept} kept" if kept else "") + f"; truth in {written.table}")
    say(f"Look through it: cardiotrace data lint {_READERS[written.layout].format(written.out)}")


_READERS = {
    "camus": "camus {}",
    "ted": "ted {}",
    "hmc-qu": "hmc-qu {}",
    "acdc": "acdc {}",
    "mnms2": "mnms2 {}",
    "images": "folder {} --option scheme=vessel255 channels=3 view=FUNDUS",
}
"""The data set, with its options, that reads a folder tree."""
