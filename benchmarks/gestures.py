"""What a gesture costs at the desk: seconds of the processor from the order to the answer.

python -m benchmarks.gestures [--frames 60] [--model apical-echo-small] [--profile]

A phantom exam of two apical views is taken in, traced and opened by the tasks that workers run, in this process. Then
the outline of the cavity is pulled in one frame after another. "first" has the exam opened and measured as well.
"""

import argparse
import cProfile
import pstats
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from cardiotrace.core.reporter import SilentReporter
from cardiotrace.datasets.converted import write_exam
from cardiotrace.phantoms import EchoPhantom, biplane_exam
from cardiotrace.server.desk.opened import draw_image, edit_exam
from cardiotrace.server.store.folder import DataFolder
from cardiotrace.server.store.written import automatic_exam, read_json_file
from cardiotrace.server.work.analysis import analyse_study
from cardiotrace.server.work.intake import taken_from

QUIET = SilentReporter()
DOCUMENT, ANALYSIS = "f" * 16, "a" * 16


@dataclass
class Editor:
    """An exam at the desk, edited as the server orders it."""

    data: DataFolder
    study: dict[str, Any]
    at: str = ""
    version: int = 1

    def ask(self, **more: Any) -> dict[str, Any]:
        exam = {**self.study, "data": str(self.data.root), "document": DOCUMENT, "analysis": ANALYSIS}
        return {**exam, "is_blank": False, "folder": "study", **more}

    def drawn(self, image: str) -> list[Any]:
        target = self.data.study(self.study["study"]).drawn(ANALYSIS) / f"{image}.json"
        draw_image(self.ask(image=image, target=str(target)), QUIET)
        return list(read_json_file(target)["planes"])

    def do(self, gesture: dict[str, Any]) -> dict[str, Any]:
        self.version += 1
        becomes = f"{self.version:016x}"
        order = self.ask(at=self.at, becomes=becomes, version=self.version, held=[], gesture=gesture, by="", time="")
        self.at = becomes
        return edit_exam(order, QUIET)


def opened(root: Path, frames: int, model: str) -> Editor:
    """A phantom exam, analysed, at the desk."""
    data = DataFolder(root / "kept").make()
    tree = data.uploads / "sent"
    place = tree / "exam"
    place.mkdir(parents=True)
    write_exam(biplane_exam(EchoPhantom(frame_count=frames, spacing_mm=0.35, seed=1)).exam, place)
    (taken,) = taken_from(data, tree, "exam", QUIET)["exams"]
    study = {"study": taken["id"], "name": "exam", "within": "", "part": "", "options": {"model": model}}
    analyse_study({**study, "data": str(data.root)}, QUIET)
    return Editor(data, study)


def pulled(image: str, frame: int, planes: list[Any]) -> dict[str, Any]:
    """The cavity of a frame, a fifth smaller."""
    points = np.array(planes[frame][0]["contours"]["lv"])
    middle = points.mean(axis=0)
    place = {"kind": "contour", "image": image, "frame": frame, "slice": 0, "contour": "lv"}
    return {**place, "points": (middle + (points - middle) * 0.8).tolist()}


def main() -> None:
    """Print what gestures cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=60)
    parser.add_argument("--model", default="apical-echo-small")
    parser.add_argument("--gestures", type=int, default=12)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        editor = opened(Path(folder), options.frames, options.model)
        images = (automatic_exam(editor.data.study(editor.study["study"]).automatic) or {})["images"]
        image = images[0]
        begun = time.process_time()
        planes = editor.drawn(image["name"])
        print(f"{len(images)} views of {image['height']} x {image['width']}, {image['frames']} frames")
        print(f"drawing one view, with the exam opened for it: {time.process_time() - begun:.2f} s")
        profile, seconds = cProfile.Profile(), []
        for number in range(options.gestures):
            if options.profile and number == 1:
                profile.enable()
            gesture = pulled(image["name"], number * 3 % options.frames, planes)
            begun = time.process_time()
            editor.do(gesture)
            seconds.append(time.process_time() - begun)
        profile.disable()
    later = seconds[1:]
    print(
        f"first gesture: {1000 * seconds[0]:.0f} ms; later: median {1000 * statistics.median(later):.0f} ms, ", end=""
    )
    print(f"{1000 * min(later):.0f} to {1000 * max(later):.0f} ms")
    if options.profile:
        pstats.Stats(profile).sort_stats("cumtime").print_stats(60)


if __name__ == "__main__":
    main()
