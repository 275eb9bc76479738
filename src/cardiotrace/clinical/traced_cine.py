"""One long-axis image with its left ventricle traced in every frame: once, and by one rule for the base."""

from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from jaxtyping import Bool, Float

from cardiotrace.clinical.annulus import IMAGE_DOWN, Direction
from cardiotrace.clinical.axis import outline_of
from cardiotrace.clinical.beats.gating import is_one_beat
from cardiotrace.clinical.beats.search import frame_interval_ms
from cardiotrace.clinical.beats.smoothing import stands_out
from cardiotrace.clinical.long_axis_trace import EMPTY, LongAxisTrace, plane_mask, trace_long_axis
from cardiotrace.clinical.scale import Scale
from cardiotrace.core.exam import ExamImage
from cardiotrace.core.findings import ImageFindings
from cardiotrace.core.label import LabelMap
from cardiotrace.core.terms import Modality, Structure
from cardiotrace.geometry.sector import lit_area


@dataclass(frozen=True, eq=False)
class TracedCine:
    """A long-axis image and its labels; key frames, curves, quantities, flags and drawings all read `traces`."""

    image: ExamImage
    labels: LabelMap
    blank: Bool[np.ndarray, "frames"]
    """Frames without an image: nothing is measured there, whatever the labels say."""
    kept: ImageFindings | None = field(default=None, repr=False)
    """What is known already of its planes."""

    @property
    def name(self) -> str:
        """Name of the image."""
        return self.image.name

    @cached_property
    def findings(self) -> ImageFindings:
        """What was found in it so far: what is asked of one frame alone is asked through these, once."""
        return ImageFindings.none(self.labels) if self.kept is None else self.kept

    @cached_property
    def scale(self) -> Scale:
        """The unit of lengths on it."""
        return Scale.of(self.labels.geometry)

    @cached_property
    def towards_base(self) -> Direction | None:
        """Where the base is sought in every frame, see `base_direction`."""
        return base_direction(self.image, self.labels, self.findings)

    @cached_property
    def traces(self) -> tuple[LongAxisTrace, ...]:
        """Outline, areas, long axis and disks of each frame."""
        return tuple(EMPTY if blank else self._trace(frame) for frame, blank in enumerate(self.blank))

    def _trace(self, frame: int) -> LongAxisTrace:
        towards = self.towards_base
        return self.findings.plane(frame).get(
            "trace", lambda: trace_long_axis(self.labels, frame, towards_base=towards), given=towards
        )

    @property
    def sizes(self) -> Float[np.ndarray, "frames"]:
        """Area of the cavity in each frame, in squares of the unit; 0 where none is measured."""
        return np.array([found.area for found in self.traces])

    @cached_property
    def odd(self) -> Bool[np.ndarray, "frames"]:
        """Frames whose area or length stands out of their neighbours, or whose base could not be told."""
        image = self.image.image
        interval_ms, is_round = frame_interval_ms(image.times_ms), is_one_beat(image)
        lengths = np.array([0.0 if found.axis is None else found.axis.length for found in self.traces])
        baseless = (lengths == 0) & lengths.any()
        odd = [stands_out(each, interval_ms=interval_ms, is_round=is_round) for each in (self.sizes, lengths)]
        return np.asarray(baseless | odd[0] | odd[1])

    def outline(self, structure: Structure, frame: int) -> Float[np.ndarray, "n 2"]:
        """Outline of the largest piece of any structure in one frame, found when it is first asked for.

        Args:
            structure: such as the myocardium or the left atrium.
            frame: from 0.

        Returns:
            An open ring of (row, column) in the unit of `scale`; empty where the structure is not there.
        """
        if structure is Structure.LV:
            return self.traces[frame].ring
        return self.findings.plane(frame).get(("outline", structure), lambda: self._outline(structure, frame))

    def _outline(self, structure: Structure, frame: int) -> Float[np.ndarray, "n 2"]:
        mask = plane_mask(self.labels, structure, frame)
        return EMPTY.ring if mask is None else outline_of(mask, self.scale.pixel)

    @property
    def is_lit(self) -> Bool[np.ndarray, "height width"]:
        """Where the film shows something in any frame: a dark cavity at the sector's edge is black in some."""
        return self.findings.image.get("lit", lambda: lit_area(self.image.image.frames[:, 0]))


def base_direction(image: ExamImage, labels: LabelMap, findings: ImageFindings | None = None) -> Direction | None:
    """Where the base of the left ventricle lies in the image, the same for all frames.

    An apical view by ultrasound has the apex at the top, unless its left atrium lies above the ventricle. Other images
    (long axes by MRI, unknown views) may be turned any way: the base lies towards the left atrium where one is
    labelled, else away from the middle of the myocardium, which is closed at the apex and open at the base.

    Args:
        image: tells view and modality.
        labels: its labels.
        findings: what is known of them.

    Returns:
        (row, column) of a unit vector in the unit of lengths. Where nothing tells, that of an apical view; None in MRI:
        then the base is sought all around.

    Example:
        >>> from cardiotrace.core.geometry import NO_GEOMETRY
        >>> from cardiotrace.core.image import Image
        >>> from cardiotrace.core.label import CAMUS
        >>> array = np.zeros((1, 1, 9, 9), np.uint8)
        >>> array[..., 4, 2:5], array[..., 4, 6:9] = 1, 3  # the atrium lies to the right
        >>> image = ExamImage("a", Image(array, NO_GEOMETRY))
        >>> base_direction(image, LabelMap(array, CAMUS, NO_GEOMETRY))
        (0.0, 1.0)
    """
    findings = ImageFindings.none(labels) if findings is None else findings
    cavity, atrium = _centre(labels, Structure.LV, findings), _centre(labels, Structure.LA, findings)
    to_atrium = None if cavity is None or atrium is None else _unit(atrium - cavity)
    if image.image.is_apical:
        # Shown with the apex up by convention; only an atrium above the ventricle shows that it was turned over.
        return IMAGE_DOWN if to_atrium is None or to_atrium[0] > 0 else to_atrium
    if to_atrium is not None:
        return to_atrium
    wall = _centre(labels, Structure.MYO, findings)
    if cavity is not None and wall is not None:
        return _unit(cavity - wall)
    return None if image.image.modality is Modality.MR else IMAGE_DOWN


def _centre(labels: LabelMap, structure: Structure, findings: ImageFindings) -> Float[np.ndarray, "2"] | None:
    """Mean place of a structure over all frames; None where there is none."""
    if structure not in labels.scheme.values:
        return None
    # Over all frames at once: one frame of odd labels must not turn the heart round in the middle of the beat.
    sums = [
        findings.plane(frame).get(("sums", structure), partial(_sums, labels, structure, frame))
        for frame in range(len(labels.array))
    ]
    total, *places = np.sum(sums, axis=0)
    return np.asarray(np.asarray(places) / total * np.asarray(labels.geometry.pixel_mm)) if total else None


def _sums(labels: LabelMap, structure: Structure, frame: int) -> tuple[int, int, int]:
    """How many pixels a structure has in one frame, and the sums of their rows and of their columns."""
    mask = labels.array[frame, 0] == labels.scheme.value(structure)
    # Whole numbers, from those of each row and column: a list of all places would be as long as the picture.
    rows, columns = np.count_nonzero(mask, axis=1), np.count_nonzero(mask, axis=0)
    return int(rows.sum()), int(np.arange(len(rows)) @ rows), int(np.arange(len(columns)) @ columns)


def _unit(vector: Float[np.ndarray, "2"]) -> Direction | None:
    length = float(np.linalg.norm(vector))
    return None if length == 0 else (float(vector[0]) / length, float(vector[1]) / length)
