"""One short-axis image with the pixels of its structures counted in every slice of every frame: once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from jaxtyping import Bool, Float, Int

from cardiotrace.clinical.annulus import borders
from cardiotrace.clinical.axis import outline_of
from cardiotrace.clinical.base import base_contradicts, base_of
from cardiotrace.clinical.beats.gating import is_one_beat
from cardiotrace.clinical.beats.search import frame_interval_ms
from cardiotrace.clinical.beats.smoothing import stands_out
from cardiotrace.clinical.scale import Scale
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.findings import ImageFindings
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Structure

_COUNTED = (Structure.LV, Structure.MYO, Structure.RV)


@dataclass(frozen=True, eq=False)
class TracedStack:
    """A short-axis image and its labels; key frames, curves, volumes and flags all read `counts`."""

    image: ExamImage
    labels: LabelMap
    """The depth spacing is the distance between slice centres, gap included."""
    blank: Bool[np.ndarray, "time depth"]
    """Slices without an image."""
    kept: ImageFindings | None = field(default=None, repr=False)
    """What is known already of its planes."""

    @property
    def name(self) -> str:
        """Name of the image."""
        return self.image.name

    @property
    def is_slice(self) -> bool:
        """Whether it has but one slice, as a parasternal short axis has: areas, no volumes."""
        return len(self.blank[0]) == 1

    @property
    def is_blank(self) -> Bool[np.ndarray, "time"]:
        """Frames of which no slice shows an image."""
        return np.asarray(self.blank.all(axis=1))

    @cached_property
    def counts(self) -> Mapping[Structure, Int[np.ndarray, "time depth"]]:
        """Pixels of both ventricles and of the myocardium, as far as the scheme holds them."""
        held = [structure for structure in _COUNTED if structure in self.labels.scheme.values]
        return {structure: self._counts(structure) for structure in held}

    def _counts(self, structure: Structure) -> Int[np.ndarray, "time depth"]:
        counts = np.zeros(self.blank.shape, np.int64)
        for place in np.ndindex(counts.shape):
            count = partial(self._count, structure, *place)
            counts[place] = self.findings.plane(*place).get(("count", structure), count)
        return counts

    def _count(self, structure: Structure, frame: int, depth: int) -> int:
        return int(np.count_nonzero(self.mask(structure, frame, depth)))

    @cached_property
    def findings(self) -> ImageFindings:
        """What was found in it so far: what is asked of one slice alone is asked through these, once."""
        return ImageFindings.none(self.labels) if self.kept is None else self.kept

    def mask(self, structure: Structure, frame: int, depth: int) -> Bool[np.ndarray, "height width"]:
        """Where a structure of the scheme is in one slice."""
        return np.asarray(self.labels.array[frame, depth] == self.labels.scheme.value(structure))

    @cached_property
    def is_base_first(self) -> bool:
        """Whether the first slice is the one at the base, decided once for all frames; see `base_is_first`."""
        return base_of([self.labels])

    @cached_property
    def base_contradicts(self) -> bool:
        """Whether its place in the patient puts the base elsewhere than its right ventricle does."""
        return base_contradicts(self.labels)

    @property
    def sizes(self) -> Float[np.ndarray, "time"]:
        """Voxels of the left ventricle in each frame; 0 where no slice shows an image."""
        # What a label map holds where there is no image was not seen by anybody.
        return np.where(self.is_blank, 0.0, self.counts[Structure.LV].sum(axis=1))

    @cached_property
    def odd(self) -> Bool[np.ndarray, "time"]:
        """Frames whose volume stands out of their neighbours: badly traced, or moved by a breath."""
        image = self.image.image
        return stands_out(self.sizes, interval_ms=frame_interval_ms(image.times_ms), is_round=is_one_beat(image))

    def bordered_share(self, frame: int, depth: int) -> float | None:
        """Share of the left ventricle's outline in one slice that has myocardium beside it.

        Returns:
            From 0 to 1; None where the labels hold no myocardium or the slice no ventricle.
        """
        # A frame without any myocardium was not labelled for it: an outline that borders on nothing is no open base
        # there.
        if Structure.MYO not in self.counts or not self.counts[Structure.MYO][frame].any():
            return None
        cavity, wall = (self.mask(structure, frame, depth) for structure in (Structure.LV, Structure.MYO))
        ring = outline_of(cavity, self.scale.pixel)
        return float(borders(ring, wall, self.scale.pixel).mean()) if len(ring) else None

    @property
    def scale(self) -> Scale:
        """The unit of lengths in its planes."""
        return Scale.of(self.labels.geometry)

    @property
    def voxel_ml(self) -> float | None:
        """Volume of a voxel, ml; None where its size or the distance of the slices is not known."""
        spacing_mm = self.labels.spacing_mm
        if spacing_mm is None or not np.isfinite(spacing_mm).all():
            return None
        return float(np.prod(spacing_mm)) / 1000
