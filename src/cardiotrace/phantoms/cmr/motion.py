"""What differs from heartbeat to heartbeat while k-space is filled: blur and ghosts."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Complex, Float

BEATS = 9
"""Heartbeats over which the lines of k-space are gathered."""

Spectrum = Complex[np.ndarray, "rows columns"]


@dataclass(frozen=True)
class Motion:
    """How heartbeats of one acquisition differ.

    Every heartbeat gives each frame some lines of its k-space, every ninth or so. A beat of another length shows the
    heart a little earlier or later, a breath that is not held moves the whole chest.

    Args:
        trigger_ms: spread of the instant that a frame shows.
        drift_mm: spread of where the chest lies, in both directions of the image.
        seed: of all randomness.
    """

    trigger_ms: float = 0.0
    drift_mm: float = 0.0
    seed: tuple[int, ...] = (0,)

    def mixed(
        self,
        spectra: Sequence[Spectrum],
        frame_ms: float,
        spacing_mm: float,
        cycles: tuple[Float[np.ndarray, "rows 1"], Float[np.ndarray, "1 columns"]],
    ) -> list[Spectrum]:
        """The k-space of every frame as it is gathered.

        Args:
            spectra: what would be measured of each frame if nothing moved.
            frame_ms: time from frame to frame.
            spacing_mm: size of a pixel.
            cycles: frequencies down and across, cycles per pixel.

        Example:
            >>> spectra = [np.eye(4) + 0j, np.ones((4, 4)) + 0j]
            >>> cycles = np.zeros((4, 1)), np.zeros((1, 4))
            >>> all((a == b).all() for a, b in zip(Motion().mixed(spectra, 30.0, 1.4, cycles), spectra, strict=True))
            True
        """
        if self.trigger_ms == 0 and self.drift_mm == 0:
            return list(spectra)
        rng = np.random.default_rng(self.seed)
        count, beats = len(spectra), np.arange(len(spectra[0])) % BEATS
        # Lines are shared out in turn, so that every heartbeat holds coarse and fine detail alike: what differs between
        # beats comes out as ghosts along the rows and not as blur alone.
        late = (rng.normal(0, self.trigger_ms / frame_ms, BEATS))[beats]
        down, across = rng.normal(0, self.drift_mm / spacing_mm, (2, BEATS))
        turns = cycles[0] * down[beats][:, None] + cycles[1] * across[beats][:, None]
        # Moving an object turns the phase of its k-space, the more the higher the frequency; magnitudes stay.
        moved = np.exp(-2j * np.pi * turns).astype(np.complex64)
        stack, rows = np.stack(spectra), np.arange(len(beats))
        gathered = []
        for index in range(count):
            instant = index + late
            # A line that is late shows a state between two frames; the beat is a ring, so the last frame's next is the
            # first.
            before = np.floor(instant).astype(int)
            share = (instant - before).astype(np.float32)[:, None]
            lines = (1 - share) * stack[before % count, rows] + share * stack[(before + 1) % count, rows]
            gathered.append(lines * moved)
        return gathered


STILL = Motion()
"""All heartbeats alike."""
