"""What a machine without the data needs for the trainings of a queue: packed into a folder here, opened there."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from cardiotrace.core.config import known_only
from cardiotrace.core.contract import PARCEL
from cardiotrace.core.errors import InputError
from cardiotrace.core.licence import Terms
from cardiotrace.core.plain import read_json
from cardiotrace.core.reporter import SILENT, ProgressReporter
from cardiotrace.datasets.compressed import SUFFIX, read_compressed, write_compressed
from cardiotrace.datasets.packed import PackedDataset
from cardiotrace.inference.model_file import read_model
from cardiotrace.io import write_bytes, write_json
from cardiotrace.io.atomic import as_work_error
from cardiotrace.learning.training.run import InitialWeights
from cardiotrace.workflows.queue.packages import write_packages
from cardiotrace.workflows.queue.queued import QueuedRun

LIST = "queue.json"
"""Names the runs of a parcel."""
PACKAGES = "site.zip"
"""Libraries for a machine that holds PyTorch and numpy alone."""


@dataclass(frozen=True)
class Parcel:
    """A folder that `write_parcel` made."""

    folder: Path
    runs: tuple[QueuedRun, ...]
    """Those that come first in front."""

    def packed(self, run: QueuedRun) -> PackedDataset:
        """The packed cache of a run, unpacked where it was not yet.

        Raises:
            InputError: it is damaged.
            WorkError: it cannot be written.
        """
        place = self.folder / "caches" / run.cache
        return read_compressed(place.with_name(f"{run.cache}{SUFFIX}"), place)

    def lay_out_begun(self, out: Path) -> None:
        """Put the runs that were begun elsewhere into the folder of the runs, where they are not yet.

        Raises:
            WorkError: they cannot be written.
        """
        for run in self.runs:
            begun, place = self.folder / "begun" / run.name, run.folder(out).path
            if begun.is_dir() and not run.folder(out).is_begun:
                with as_work_error(place):
                    shutil.copytree(begun, place, dirs_exist_ok=True)


def write_parcel(
    runs: Sequence[QueuedRun],
    caches: Mapping[str, PackedDataset],
    folder: Path,
    out: Path,
    reporter: ProgressReporter = SILENT,
) -> Parcel:
    """Pack what some runs need, compressed: caches, first weights, localisers, runs that were begun, and libraries.

    Args:
        runs: those that come first in front.
        caches: of each run, by its name.
        folder: the parcel's; what it has already of a cache is kept.
        out: folder of the runs, where some may have been begun.
        reporter: told of sizes.

    Raises:
        WorkError: it cannot be written.
    """
    carried = tuple(replace(run, cache=caches[run.name].folder.name) for run in runs)
    places = {cache.folder.name: cache for cache in caches.values()}
    with reporter.stage("compressing") as on_progress:
        for done, (name, cache) in enumerate(places.items()):
            on_progress(done, len(places))
            _write_cache(cache, folder / "caches" / f"{name}{SUFFIX}", reporter)
    for run in carried:
        _copy_weights(run, folder)
        _copy_localiser(run, folder)
        _copy_begun(run, folder, out)
    for text in write_packages(folder / PACKAGES):
        reporter.say(text)
    write_json(folder / LIST, PARCEL.stamp({"runs": [_told(run) for run in carried]}))
    size = sum(path.stat().st_size for path in travelling(folder))
    reporter.say(f"parcel: {folder} ({size / 2**20:.1f} MiB, {len(carried)} trainings)")
    return Parcel(folder, carried)


def travelling(folder: Path) -> list[Path]:
    """The files of a parcel that are needed elsewhere: all but what was unpacked from them."""
    everything = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in everything if path.suffix != ".npy" and path.parent.parent.name != "caches"]


def read_parcel(folder: Path) -> Parcel:
    """Open what `write_parcel` made.

    Raises:
        InputError: it is no parcel, or of a newer version.
    """
    where = folder / LIST
    values = PARCEL.read(read_json(where), where=where)
    try:
        return Parcel(folder, tuple(_run_of(plain, folder) for plain in values["runs"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"is no parcel of trainings: {error!r}", where=where, remedy="pack it again.") from None


def _write_cache(cache: PackedDataset, path: Path, reporter: ProgressReporter) -> None:
    if not path.exists():  # the name tells the content
        _make(path.parent)
        write_compressed(cache, path)
    kind = "x".join(map(str, cache.images.shape))
    reporter.say(f"{path.name}: {kind} {cache.images.dtype}, {path.stat().st_size / 2**20:.1f} MiB")


def _copy_weights(run: QueuedRun, folder: Path) -> None:
    if run.start is not None:
        place = _weights_place(folder, run.start.sha256)
        _make(place.parent)
        with as_work_error(place):
            shutil.copyfile(run.start.weights, place)


def _copy_localiser(run: QueuedRun, folder: Path) -> None:
    """What found the heart in the images that travel: the run folder keeps it, and its terms are the run's too."""
    if run.localiser is not None:
        place = _localiser_place(folder, run.localiser.sha256)
        _make(place.parent)
        write_bytes(place, run.localiser.content)


def _copy_begun(run: QueuedRun, folder: Path, out: Path) -> None:
    begun, place = run.folder(out), folder / "begun" / run.name
    with as_work_error(place):
        shutil.rmtree(place, ignore_errors=True)
        if begun.checkpoint.exists() and not run.is_trained(out):
            shutil.copytree(begun.path, place)


def _make(folder: Path) -> None:
    with as_work_error(folder):
        folder.mkdir(parents=True, exist_ok=True)


def _weights_place(folder: Path, digest: str) -> Path:
    return folder / "weights" / f"{digest[:16]}.safetensors"


def _localiser_place(folder: Path, digest: str) -> Path:
    return folder / "localisers" / f"{digest[:16]}.onnx"


def _told(run: QueuedRun) -> dict[str, Any]:
    plain, start = run.to_plain(), run.start
    if start is not None:
        plain["start"] = {"name": start.name, "sha256": start.sha256, "terms": asdict(start.terms)}
    return plain | ({} if run.localiser is None else {"localiser": run.localiser.sha256})


def _run_of(plain: dict[str, Any], folder: Path) -> QueuedRun:
    run, start = QueuedRun.of_plain(plain), plain.get("start")
    if run.recipe.localiser is not None:
        run = replace(run, localiser=read_model(_localiser_place(folder, str(plain["localiser"]))))
    if start is None:
        return run
    terms = Terms(**known_only(Terms, start["terms"]))
    digest = str(start["sha256"])
    return replace(run, start=InitialWeights(_weights_place(folder, digest), start["name"], digest, terms))
