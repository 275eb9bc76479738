"""What an earlier run wrote of an exam, read back."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardiotrace.clinical.frame_ref import FrameRef
from cardiotrace.clinical.interval import Interval
from cardiotrace.clinical.method import Method
from cardiotrace.clinical.quantity import FORMER_NAMES, Measures, Quantity
from cardiotrace.core import contract
from cardiotrace.core.config import from_plain
from cardiotrace.core.errors import InputError
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.plain import read_json
from cardiotrace.io.results import MEASURES


@dataclass(frozen=True)
class Record:
    """The measures of an exam as they lie on disk."""

    measures: Measures
    """Without key frames and curves."""
    plain: Mapping[str, Any]
    """All that the file holds."""

    @property
    def provenance(self) -> Mapping[str, Any]:
        """As `Provenance.to_plain` wrote it; empty in files of version 1."""
        found = self.plain.get("provenance")
        return found if isinstance(found, dict) else {}


def read_record(place: Path) -> Record:
    """Read a `measures.json` of any version.

    Args:
        place: the file, or the folder of results that holds it.

    Raises:
        InputError: there is none, or it cannot be understood.
    """
    path = place / MEASURES if place.is_dir() else place
    try:
        plain = read_json(path)
        version = str(contract.MEASURES.version_of(plain))
        quantities = tuple(_quantity(item) for item in plain["quantities"])
        flags = tuple(_flag(item) for item in plain["flags"])
        return Record(Measures(str(plain["exam"]), quantities, flags, version=version), plain)
    except InputError as error:
        raise InputError(f"is no record of measures: {error.what}", where=path, remedy=error.remedy) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"is no record of measures that is known ({error})", where=path) from None


def _quantity(plain: Mapping[str, Any]) -> Quantity:
    interval = plain.get("interval")
    return Quantity(
        FORMER_NAMES.get(str(plain["name"]), str(plain["name"])),
        float(plain["value"]),
        str(plain["unit"]),
        Method(str(plain["method"])),
        str(plain["view"]),
        tuple(FrameRef.of(str(frame)) for frame in plain["frames"]),
        None if interval is None else (float(interval[0]), float(interval[1])),
        tuple(_flag(item) for item in plain["flags"]),
        intervals=tuple(from_plain(Interval, item) for item in plain.get("intervals", ())),
    )


def _flag(plain: str | Mapping[str, str]) -> Flag:
    """A flag; in version 1 it was a sentence without a grade, which asked for a second look."""
    if isinstance(plain, str):
        return Flag(Grade.LOOK_TWICE, plain)
    return Flag(Grade(plain["grade"]), plain["text"], plain.get("rule", ""), plain.get("about", ""))
