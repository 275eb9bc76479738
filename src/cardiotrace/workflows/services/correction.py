"""Labels that can be no heart's, corrected where somebody asks for it; what they were before is never lost."""

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock

import numpy as np
from jaxtyping import Float

from cardiotrace.clinical.correction import ImageCorrection, PlaneCorrection
from cardiotrace.core.errors import InputError
from cardiotrace.core.flag import Flag, Grade
from cardiotrace.core.terms import Modality, Structure, View, view_name
from cardiotrace.inference.corrector import Corrector
from cardiotrace.inference.model_file import read_checksum, read_model
from cardiotrace.inference.spec import fits_modality
from cardiotrace.inference.zoo import find_model, list_models
from cardiotrace.workflows.services.tracing import Tracing, TracingModel

LOG = logging.getLogger(__name__)

AUTO = "auto"
"""In place of a corrector's name: the one that knows the shapes of an image's view."""
_NAMED = 4
"""Frames that one flag names."""


class Correctors:
    """Correctors by model file, each loaded once; may be used by several threads at a time.

    Args:
        named: name or path of the corrector for every image; `AUTO` takes the one of each image's view.
    """

    def __init__(self, named: str = AUTO) -> None:
        self.named = named
        self._loaded: dict[Path, Corrector] = {}
        self._lock = Lock()

    def of(self, view: View, modality: Modality) -> Corrector | None:
        """The corrector for a view of a modality; None where there is none.

        Raises:
            InputError: there is no model of the name.
            ModelFileError: it is no corrector, or damaged.
        """
        path = _path_for(view, modality) if self.named == AUTO else find_model(self.named)
        if path is None:
            return None
        with self._lock:
            if path not in self._loaded:
                self._loaded[path] = Corrector.of(read_model(path))
            return self._loaded[path]

    def ready(self) -> "Correctors":
        """Load the named corrector now, so that a wrong name ends the work before it begins.

        Raises:
            InputError: there is no model of the name, or none that corrects.
            ModelFileError: it is no corrector, or damaged.
        """
        if self.named != AUTO:
            self.of(View.UNKNOWN, Modality.UNKNOWN)
        elif not _all():
            raise InputError("there is no model that corrects labels", remedy="name one: --correct PATH.")
        return self

    def fingerprint(self) -> dict[str, str]:
        """What changes when another corrector might be taken: checksums by name."""
        paths = _all() if self.named == AUTO else [find_model(self.named)]
        return {path.name: read_checksum(path) for path in paths}


def corrected(tracing: Tracing, correctors: Correctors) -> Tracing:
    """A tracing whose frames that can be no heart's are corrected; which ones, and what they were, is told with it.

    Args:
        tracing: as the models made it.
        correctors: that may be asked.

    Raises:
        InputError: there is no model of the name.
        ModelFileError: a corrector is damaged or fails.
    """
    done: dict[str, ImageCorrection] = {}
    used: dict[str, TracingModel] = {}
    segmentations = dict(tracing.segmentations)
    for image in tracing.exam.images:
        if image.name not in segmentations:
            continue
        found = segmentations[image.name]
        corrector = correctors.of(image.image.view, image.image.modality)
        if corrector is None:
            name = view_name(image.image.view, image.image.modality)
            done[image.name] = ImageCorrection("", found.labels, (), f"there is no corrector for view {name}")
            continue
        labels, done[image.name] = corrector.correct(image.image, found.labels, is_upright=image.image.is_apical)
        LOG.debug("%s: %d frames corrected by %s", image.name, len(done[image.name].corrected), corrector.spec.name)
        if done[image.name].corrected:
            expected = _without_frames(found.expected_dice, done[image.name].corrected)
            segmentations[image.name] = replace(found, labels=labels, expected_dice=expected)
            used[corrector.sha256] = TracingModel(corrector.spec, corrector.sha256)
    models = (*tracing.models, *used.values())
    return replace(tracing, segmentations=segmentations, models=models, corrections=done)


def _without_frames(
    expected: Mapping[Structure, Float[np.ndarray, "time"]], planes: Sequence[PlaneCorrection]
) -> dict[Structure, Float[np.ndarray, "time"]]:
    """Expected Dice of the frames that are still the model's: of a corrector's labels nobody knows it."""
    changed = [plane.frame for plane in planes]
    left = {structure: dice.copy() for structure, dice in expected.items()}
    for dice in left.values():
        dice[changed] = np.nan
    return left


def correction_flags(corrections: Mapping[str, ImageCorrection]) -> Iterator[Flag]:
    """What was corrected, what could not be, and what nobody looked at, for each image.

    Args:
        corrections: by name of the image.
    """
    for name, done in corrections.items():
        if done.why_not:
            text = f"{name}: labels were not looked at by a corrector: {done.why_not}"
            yield Flag(Grade.NOTE, text, "not-corrected", name)
        if done.corrected:
            text = f"{name}: labels were corrected by {done.corrector}: {_told(done.corrected)}"
            yield Flag(Grade.LOOK_TWICE, text, "corrected", name)
        if done.left:
            text = f"{name}: labels can be no heart's and no valid shape is near: {_told(done.left)}"
            yield Flag(Grade.LOOK_TWICE, text, "not-corrected", name)


def _told(planes: tuple[PlaneCorrection, ...]) -> str:
    """Which frames, with what is wrong in each and how far it was moved."""
    shown = [_of_plane(plane) for plane in planes[:_NAMED]]
    return "; ".join(shown) + (f"; and {len(planes) - _NAMED} more" if len(planes) > _NAMED else "")


def _of_plane(plane: PlaneCorrection) -> str:
    where = f"frame {plane.frame}" + (f" slice {plane.depth}" if plane.depth else "")
    near = "" if plane.dice is None else f", Dice {plane.dice:.2f}"
    return f"{where} ({' and '.join(plane.failed)}{near})"


def _all() -> list[Path]:
    return [listed.path for listed in list_models() if listed.spec is not None and listed.spec.corrects is not None]


def _path_for(view: View, modality: Modality) -> Path | None:
    """The first corrector by name that knows the shapes of a view."""
    for listed in list_models():
        spec = listed.spec
        bank = None if spec is None else spec.corrects
        if spec is not None and bank is not None and view in bank.views and fits_modality(spec, modality):
            return listed.path
    return None
