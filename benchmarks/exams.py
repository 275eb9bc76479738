"""Whole exams from cold: seconds of each stage, cold and warm, and peak memory.

    python -m benchmarks exams
    python -m benchmarks.exams [NAME ...] [--folder FOLDER] [--cold]

Each exam is read, traced, measured and reported as `cardiotrace analyse` does, in a process of its own, twice (with
--cold once): the first pass pays for imports and models. Made exams are kept in FOLDER (default: below the temporary
files), and so is the bytecode of all modules, as where the program is installed. What a stage costs is told twice: in
seconds of the clock, and of the processor (user and system, all threads), which a busy machine changes less. "start" is
the interpreter and the command line's modules, before any file is opened.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

STAGES = ("start", "read", "load", "trace", "measure", "report")
DATA = Path(os.environ.get("CARDIOTRACE_DATA", "../shared/data"))
SMALL, LARGE = "apical-echo-small", "apical-echo-unet1"


@dataclass(frozen=True)
class Benchmark:
    """An exam, by what it is, and what is wanted of it."""

    make: Callable[[Path], Path | None]
    """Writes it into a folder, unless it is there; None where its data are not at hand."""
    model: str | None
    """None: the default of each view."""
    limit_s: float
    """From cold, by the clock, on two processors."""


def echo(folder: Path) -> Path:
    """Two views of 60 frames at 549 x 778, as CAMUS has them, in compressed NIfTI."""
    from cardiotrace.core.terms import View
    from cardiotrace.phantoms.echo.exam import echo_exam
    from cardiotrace.phantoms.echo.phantom import EchoPhantom

    def write(place: Path) -> None:
        made = echo_exam(
            EchoPhantom(frame_count=60, spacing_mm=0.3, shape=(549, 778)), views=(View.FOUR_CHAMBER, View.TWO_CHAMBER)
        )
        _write_images(made.exam.images, place)

    return _once(folder / "echo-60", write)


def short_film(folder: Path) -> Path:
    """One view of 200 frames of 112 x 112."""
    from cardiotrace.phantoms.echo.exam import echo_exam
    from cardiotrace.phantoms.echo.phantom import EchoPhantom

    def write(place: Path) -> None:
        made = echo_exam(EchoPhantom(frame_count=200, spacing_mm=1.7, shape=(92, 112)))
        # The heart is shown as wide as in CAMUS; below the sector there is nothing.
        _write_images([replace(each, image=_padded(each.image, 112)) for each in made.exam.images], place)

    return _once(folder / "film-200", write)


def stack(slices: int, phases: int) -> Callable[[Path], Path]:
    """A short-axis stack of 256 x 256 at 1.4 mm; of two phases, end-diastole and end-systole."""

    def make(folder: Path) -> Path:
        from cardiotrace.phantoms.cmr.exam import cmr_exam
        from cardiotrace.phantoms.cmr.phantom import CmrPhantom

        def write(place: Path) -> None:
            config = CmrPhantom(frame_count=max(phases, 12), shape=(256, 256), spacing_mm=1.4, thickness_mm=8.0)
            made = cmr_exam(config)
            images = [replace(each, image=_cut(each.image, slices, phases)) for each in made.exam.images]
            _write_images(images, place)

        return _once(folder / f"stack-{slices}x{phases}", write)

    return make


def acdc(_: Path) -> Path | None:
    """One patient of ACDC: end-diastole and end-systole."""
    return next((path for path in sorted((DATA / "acdc").rglob("patient*")) if path.is_dir()), None)


def camus(_: Path) -> Path | None:
    """One patient of CAMUS: end-diastole and end-systole in two views."""
    patient = DATA / "camus/database_nifti/patient0100"
    return patient if patient.exists() else None


EXAMS = {
    "echo, 2 views x 60 frames, U-Net 1": Benchmark(echo, LARGE, 8.0),
    "echo, 2 views x 60 frames, small model": Benchmark(echo, SMALL, 5.0),
    "echo, 200 frames of 112 x 112": Benchmark(short_film, None, 15.0),
    "MRI, 10 slices x 25 phases": Benchmark(stack(10, 25), None, 12.0),
    "MRI, 12 slices x 20 phases": Benchmark(stack(12, 20), None, 12.0),
    "MRI, 10 slices, ED and ES": Benchmark(stack(10, 2), None, 3.0),
    "MRI, one patient of ACDC": Benchmark(acdc, None, 3.0),
    "echo, one patient of CAMUS": Benchmark(camus, None, 1.5),
}


def _padded(image: Any, rows: int) -> Any:
    import numpy as np

    missing = rows - image.frames.shape[2]
    return replace(image, frames=np.pad(image.frames, ((0, 0), (0, 0), (0, missing), (0, 0))))


def _cut(image: Any, slices: int, phases: int) -> Any:
    """So many slices of an image from the base on, and phases evenly over the beat."""
    import numpy as np

    chosen = np.linspace(0, len(image.frames) * (1 - 1 / phases), phases).round().astype(int)
    if phases == 2:
        chosen = np.array([0, round(0.35 * len(image.frames))])
    depths = [min(depth, image.frames.shape[1] - 1) for depth in range(slices)]
    times_ms = None if image.times_ms is None else image.times_ms[chosen]
    return replace(image, frames=np.ascontiguousarray(image.frames[chosen][:, depths]), times_ms=times_ms)


def _write_images(images: Sequence[Any], place: Path) -> None:
    from cardiotrace.io.write import write_image

    place.mkdir(parents=True)
    for each in images:
        write_image(each.image, place / f"{each.name}.nii.gz")


def _once(place: Path, write: Callable[[Path], None]) -> Path:
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        staging = place.with_name(f"{place.name}.part")
        write(staging)
        staging.rename(place)
    return place


@dataclass
class Clock:
    """Seconds of the stages of one pass."""

    wall: dict[str, float]
    processor: dict[str, float]

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count what happens inside in."""
        begun = time.perf_counter(), time.process_time()
        yield
        self.wall[name] = time.perf_counter() - begun[0]
        self.processor[name] = time.process_time() - begun[1]


def one_exam(place: str, model: str, out: str, count: str) -> None:
    """What the process of one exam does: some passes, whose seconds it prints as JSON."""
    passes = [Clock({}, {}) for _ in range(int(count))]
    passes[0].processor["start"] = time.process_time()
    with passes[0].stage("imports"):
        import cardiotrace.cli.main  # noqa: F401
        from cardiotrace.workflows.analyse import AnalyseConfig
        from cardiotrace.workflows.services.label_maps import write_labels_of
    for number, clock in enumerate(passes):
        config = AnalyseConfig(exams=(Path(place),), model=model or None, out=Path(out))
        with clock.stage("read"):
            (found,) = config.find()
            exam = found.read()
        if number == 0:
            with clock.stage("load"):
                analyser = config.analyser("analyse")
                for image in exam.images:
                    analyser.models.predictor(image.image.view, image.image.modality)
        with clock.stage("trace"):
            tracing = analyser.trace(exam)
        with clock.stage("measure"):
            analysis = analyser.measured(tracing)
        with clock.stage("report"):
            folder = Path(out) / str(number)
            analysis.write(folder)
            write_labels_of(analysis.exam.images, analysis.labels, folder, scheme=None)
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    first = passes[0]
    first.processor["start"] += first.processor.pop("imports")
    first.wall["start"] = first.wall.pop("imports")
    peak_kb = _peak_kb()
    print(json.dumps([*(vars(clock) for clock in passes), {"peak_mb": peak_kb / 1024, "written_mb": size / 1e6}]))


def _peak_kb() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def measured(name: str, folder: Path, *, passes: int = 2) -> list[dict[str, Any]] | None:
    """Passes of an exam with their seconds by stage, and last what else is told; None without its data."""
    exam = EXAMS[name]
    place = exam.make(folder)
    if place is None:
        return None
    with tempfile.TemporaryDirectory() as out:
        told = _python(folder, "-m", "benchmarks.exams", "--one", str(place), exam.model or "", out, str(passes))
    found: list[dict[str, Any]] = json.loads(told.splitlines()[-1])
    return found


_IMPORTED = """
import cardiotrace.cli.main, cardiotrace.workflows.analyse, cardiotrace.report.write, onnxruntime, scipy.interpolate
import scipy.ndimage, PIL.GifImagePlugin, PIL.PngImagePlugin, PIL.JpegImagePlugin, PIL.ImageFont, PIL.ImageDraw
from cardiotrace.report.template import _environment
_environment().get_template("page.html.jinja")
"""


def _python(folder: Path, *words: str) -> str:
    """What a Python process prints; bytecode is kept below a folder, and made before where it is not there."""
    bytecode = folder / "bytecode"
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(bytecode)
    commands = [[sys.executable, "-c", _IMPORTED]] if not bytecode.exists() else []
    for command in (*commands, [sys.executable, *words]):
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    return told.stdout


def as_table(name: str, found: list[dict[str, Any]]) -> str:
    """Seconds of one exam as Markdown."""
    lines = [
        f"| {name} | {' | '.join(STAGES)} | all |",
        f"| --- | {'---: | ' * (len(STAGES) + 1)}".rstrip(),
    ]
    for row, clock in zip(("cold", "warm"), found[:-1], strict=False):
        for kind in ("processor", "wall"):
            seconds = [clock[kind].get(stage, 0.0) for stage in STAGES]
            values = [f"{value:.2f}" for value in [*seconds, sum(seconds)]]
            lines.append(
                f"| {row}, s of the {'processor' if kind == 'processor' else 'clock'} | {' | '.join(values)} |"
            )
    lines.append("")
    lines.append(f"peak memory {found[-1]['peak_mb']:.0f} MB, written {found[-1]['written_mb']:.1f} MB")
    return "\n".join(lines)


def run() -> list[dict[str, Any]]:
    """Seconds from cold of every exam, against those that are allowed."""
    rows = []
    for name, exam in EXAMS.items():
        found = measured(name, default_folder(), passes=1)
        if found is None:
            continue
        wall = sum(found[0]["wall"].values())
        rows.append(_row(name, wall, "s", exam.limit_s))
        rows.append(_row(f"{name}, of the processor", sum(found[0]["processor"].values()), "s", None))
        rows.append(_row(f"{name}, peak memory", found[-1]["peak_mb"], "MB", 700.0))
    return rows


def _row(name: str, value: float, unit: str, limit: float | None) -> dict[str, Any]:
    told = "" if limit is None else f"{limit:g} {unit} allowed"
    return {"name": name, "value": value, "unit": unit, "ratio": limit and limit / value, "versus": told}


def default_folder() -> Path:
    """Where made exams are kept."""
    return Path(tempfile.gettempdir()) / "cardiotrace-benchmark-exams"


def main(words: list[str]) -> None:
    """Print the seconds of the exams whose names hold one of the words, all without any."""
    folder, passes = default_folder(), 1 if "--cold" in words else 2
    words = [word for word in words if word != "--cold"]
    if "--folder" in words:
        at = words.index("--folder")
        folder = Path(words[at + 1])
        words = words[:at] + words[at + 2 :]
    for name in EXAMS:
        if not words or any(word in name for word in words):
            found = measured(name, folder, passes=passes)
            print(f"{name}: its data are not at hand" if found is None else as_table(name, found), flush=True)
            print()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one_exam(*sys.argv[2:])
    else:
        main(sys.argv[1:])
