"""Test-time augmentation: show the network slightly different versions of an image and average its answers."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from cardiotrace.geometry.sector import Apex, Sector, SectorChange, change_planes, find_sector, places_before


@dataclass(frozen=True)
class SectorTransforms:
    """How the sector of an ultrasound image may be changed to ask a model again; written into its file."""

    changes: tuple[SectorChange, ...]
    """About the apex; the one that changes nothing is the image itself."""
    apex: Apex = "found"
    """How the apex is found, as in training."""


@dataclass(frozen=True)
class TtaTransform:
    """One reversible change of the network's input: first mirrored, then shifted, then brightened; or of its sectors.

    Volumes are changed slice by slice alike: height and width are the last two axes.

    Example:
        >>> image = np.arange(4, dtype=np.float32).reshape(1, 1, 1, 4)
        >>> TtaTransform(shift=(0, 1)).apply(image).tolist()
        [[[[0.0, 0.0, 1.0, 2.0]]]]
    """

    mirror: tuple[str, ...] = ()
    shift: tuple[int, int] = (0, 0)
    """Pixels down and to the right; the border is repeated into the space that opens."""
    gamma: float = 1.0
    """Exponent on each sample's values between its own extremes; below 1 brightens."""
    sector: SectorChange | None = None
    """Change about each image's apex, instead of the others."""

    def apply(
        self, batch: Float[np.ndarray, "batch channels *axes"], sectors: Sequence[Sector] = ()
    ) -> Float[np.ndarray, "batch channels *axes"]:
        """The changed input; `sectors`, one for each image, are needed where those are changed."""
        if self.sector is not None:
            # What lies beyond the image is as dark as what lies beyond the sector.
            changed = [
                change_planes(planes, sector, self.sector, outside=float(planes.min()))
                for planes, sector in zip(batch, sectors, strict=True)
            ]
            return np.stack(changed).astype(np.float32)
        shifted = _shift(_mirror(batch, self.mirror), self.shift)
        return np.ascontiguousarray(_brighten(shifted, self.gamma), np.float32)

    def invert(
        self, probabilities: Float[np.ndarray, "batch classes *axes"], sectors: Sequence[Sector] = ()
    ) -> Float[np.ndarray, "batch classes *axes"]:
        """What the network said of the changed input, laid back onto the unchanged one."""
        if self.sector is not None:
            back = self.sector.inverse
            found = zip(probabilities, sectors, strict=True)
            return np.stack([change_planes(planes, sector, back) for planes, sector in found])
        # Backwards: what was done last is undone first. Brightening moves nothing.
        rows, columns = self.shift
        return _mirror(_shift(probabilities, (-rows, -columns)), self.mirror)

    def visible(
        self, shape: tuple[int, ...], sectors: Sequence[Sector] = ()
    ) -> Float[np.ndarray, "batch 1 height width"] | float:
        """1 where the changed input shows the pixel of the unchanged one, 0 where it was moved out of the image."""
        if self.sector is None:
            return 1.0
        height, width = shape
        last = np.array(shape).reshape(2, 1, 1) - 0.5
        places = np.stack([places_before((height, width), sector, self.sector.inverse) for sector in sectors])
        # Half a pixel beyond the outermost centres is still the image.
        inside = np.logical_and(places >= -0.5, places <= last)
        mask: Float[np.ndarray, "batch 1 height width"] = inside.min(axis=1, keepdims=True).astype(np.float32)
        return mask


IDENTITY = TtaTransform()


def sectors_of(batch: Float[np.ndarray, "batch channels *axes"], known: SectorTransforms) -> tuple[Sector, ...]:
    """Where the sector of each image lies."""
    return tuple(find_sector(planes.max(axis=0), apex=known.apex) for planes in batch)


def tta_transforms(mirror_axes: Sequence[str], sector: SectorTransforms | None = None) -> tuple[TtaTransform, ...]:
    """The versions of an image to average over.

    The image itself and those with a changed sector, where a model knows of any. Else all mirror images where
    mirroring is allowed. Elsewhere (the heart is not symmetric) the image itself, a brighter,
    a darker and two shifted versions.

    Example:
        >>> len(tta_transforms(["height", "width"])), len(tta_transforms([]))
        (4, 4)
    """
    if sector is not None:
        changed = (change for change in sector.changes if change != SectorChange())
        return (IDENTITY, *(TtaTransform(sector=change) for change in changed))
    if mirror_axes:
        subsets = (itertools.combinations(mirror_axes, count) for count in range(len(mirror_axes) + 1))
        return tuple(TtaTransform(mirror=chosen) for chosen in itertools.chain.from_iterable(subsets))
    return (
        IDENTITY,
        TtaTransform(gamma=0.8),
        TtaTransform(shift=(3, -3)),
        TtaTransform(shift=(-3, 3), gamma=1.25),
    )


def _mirror(
    planes: Float[np.ndarray, "batch channels *axes"], axes: Sequence[str]
) -> Float[np.ndarray, "batch channels *axes"]:
    rows = slice(None, None, -1) if "height" in axes else slice(None)
    columns = slice(None, None, -1) if "width" in axes else slice(None)
    return planes[..., rows, columns]


def _shift(
    planes: Float[np.ndarray, "batch channels *axes"], shift: tuple[int, int]
) -> Float[np.ndarray, "batch channels *axes"]:
    if shift == (0, 0):
        return planes
    height, width = planes.shape[-2:]
    # Indices beyond an edge are clipped to it, which repeats the border into the space that opens.
    rows = np.clip(np.arange(height) - shift[0], 0, height - 1)
    columns = np.clip(np.arange(width) - shift[1], 0, width - 1)
    return planes[..., rows[:, None], columns]


def _brighten(
    planes: Float[np.ndarray, "batch channels *axes"], gamma: float
) -> Float[np.ndarray, "batch channels *axes"]:
    if gamma == 1.0:
        return planes
    axes = tuple(range(2, planes.ndim))
    low = planes.min(axis=axes, keepdims=True)
    extent = np.maximum(planes.max(axis=axes, keepdims=True) - low, 1e-12)
    brighter: Float[np.ndarray, "batch channels *axes"] = low + extent * ((planes - low) / extent) ** gamma
    return brighter
