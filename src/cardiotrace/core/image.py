"""Images over time, and the file they came from."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardiotrace.core.errors import InputError
from cardiotrace.core.geometry import Geometry, Known, Spacing
from cardiotrace.core.terms import Modality, View, view_name


@dataclass(frozen=True)
class FileSource:
    """The file that an image came from: all that is needed to write a label map onto the same grid."""

    path: Path
    format: str
    """Name of the format that read it: "nifti", "metaimage", "image", "folder", "video"."""
    suffix: str
    """File name suffix as it stood on disk, such as ".nii.gz"."""
    axes: str = ""
    """What the file's axes mean, the fastest first, such as "xyt"."""
    shape: tuple[int, ...] = ()
    """Lengths of these axes in the file."""
    pixel_file: Path | None = None
    """The file beside it that holds its pixels, or the file itself; None where the format has none apart."""
    frame_interval_ms: float | None = None
    """As the file states it, also where it states the instant of each frame."""
    is_labels: bool = False
    """Whether the file holds labels, which others may take the place of."""
    header: object = None
    """What its format needs to write onto the grid, of a type of the format's own; only `cardiotrace.io` looks in."""

    @property
    def stem(self) -> str:
        """File name without its suffix."""
        return self.path.name.removesuffix(self.suffix)


@dataclass(frozen=True)
class Grid:
    """Where the voxels of an image lie and how many there are: all that labels must agree with."""

    geometry: Geometry
    shape: tuple[int, int, int, int]
    """(time, depth, height, width)."""
    source: FileSource | None = None
    """The file, for writing onto its grid and for messages."""


@dataclass(frozen=True)
class Acquisition:
    """How an image was taken, as far as the file or the data set says; everything optional."""

    heart_rate_bpm: float | None = None
    r_waves_ms: tuple[float, ...] = ()
    """Instants of the R waves on the clock of the image's times, ms."""
    frame_rate_hz: float | None = None
    vendor: str | None = None
    scanner: str | None = None
    field_strength_t: float | None = None
    region: tuple[int, int, int, int] | None = None
    """(top, left, bottom, right), pixels: the part of the picture that shows tissue, and whose pixels have the size that
    is stated; None for all of it."""


NO_ACQUISITION = Acquisition()
"""Nothing is known."""


@dataclass(frozen=True)
class Image:
    """A still or moving image: `frames` (time, depth, height, width), and where its voxels lie.

    Rows run down the image: the apex of an apical view is at the top. Colour images have a
    trailing channel axis of three. Stills have one frame, planar images a depth of one.

    Args:
        frames: uint8, uint16, int16 or float32 grey values, finite.
        geometry: size, place and direction of the voxels, and how they are known; `NO_GEOMETRY` for photographs.
        times_ms: one instant per frame, ms from the first; None where unknown.
        view: the anatomical plane.
        source: the file, for writing results back onto its grid.
        modality: how the image was made.
        times: how the instants are known.
        acquisition: what else is known of the recording.
        notes: in words, what was assumed or changed in reading it.
        doubts: in words, what speaks against using it as it is, such as colour where grey values are expected.

    Raises:
        InputError: wrong number of axes, an empty axis, or as many times as frames fail to match.
    """

    frames: NDArray[Any]
    geometry: Geometry
    times_ms: NDArray[np.float64] | None = None
    view: View = View.UNKNOWN
    source: FileSource | None = None
    modality: Modality = Modality.UNKNOWN
    times: Known = Known.UNKNOWN
    acquisition: Acquisition = NO_ACQUISITION
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = None if self.source is None else self.source.path
        if self.frames.ndim not in (4, 5) or (self.frames.ndim == 5 and self.frames.shape[4] != 3):
            raise InputError(
                f"an image needs axes (time, depth, height, width[, 3]), got shape {self.frames.shape}",
                where=where,
            )
        if 0 in self.frames.shape:
            raise InputError(f"the image is empty: shape {self.frames.shape}", where=where)
        if self.times_ms is not None and len(self.times_ms) != len(self.frames):
            raise InputError(f"{len(self.times_ms)} times for {len(self.frames)} frames", where=where)

    @property
    def spacing_mm(self) -> Spacing | None:
        """(depth, height, width), mm; None where the pixel size is unknown, NaN in depth where the distance is."""
        return self.geometry.spacing_mm

    @property
    def grid_shape(self) -> tuple[int, int, int, int]:
        """(time, depth, height, width), without the channel axis."""
        time, depth, height, width = self.frames.shape[:4]
        return time, depth, height, width

    @property
    def grid(self) -> Grid:
        """Where its voxels lie, without the voxels."""
        return Grid(self.geometry, self.grid_shape, self.source)

    @property
    def is_colour(self) -> bool:
        """Whether there is a trailing channel axis."""
        return self.frames.ndim == 5

    @property
    def is_apical(self) -> bool:
        """Whether the apex is at the top of the image and the atrium below, as in apical echo."""
        return self.view.is_long_axis and self.modality is not Modality.MR

    @property
    def view_name(self) -> str:
        """What a cardiologist calls the view: "A4C" in echo, "4CH" in MRI."""
        return view_name(self.view, self.modality)
