"""How long, how fast and how exactly to train."""

from dataclasses import dataclass
from typing import Literal

from cardiotrace.learning.models.network import Group
from cardiotrace.learning.training.grouping import PAIR

MOST_EPOCHS = 1_000_000
"""More than any training runs: a mistyped number."""


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of the loop, as they stand under `[training]` in a recipe."""

    epochs: int = 24
    """Passes over the training samples."""
    batch_size: int = 10
    """Samples per step, over all processes together."""
    steps_per_epoch: int | None = None
    """Steps of an epoch, over as many passes as that takes; by default an epoch is one pass over the samples."""
    crop: tuple[int, ...] | None = None
    """Height and width, after the depth where samples are volumes, of a random window of each prepared sample that is
    learned from, with its true surroundings where augmentation looks beyond it; validation sees whole samples. By
    default the whole sample."""
    foreground: float | None = None
    """Share of each batch, its last samples, whose window is laid around a random pixel of a random structure; 0.33 in
    nnU-Net. By default every window may lie anywhere."""
    sliding: Literal["window"] | None = None
    """"window" lets a window of the size of `crop` slide over larger planes in use. By default a network of planes sees
    them whole; one of volumes always sees what is as large as what it learned from."""
    group: Group | None = None
    """"phases" puts two phases of the same slice side by side (ED before ES), moved alike by augmentation, for
    networks that learn from both; a sample without a partner stands twice. By default each sample is alone."""
    initial_weights: Literal["fitting"] | None = None
    """"fitting" takes from the run of `--start-from` the weights that have a place in this network and says what is
    left out, so that another architecture or number of classes can begin with them. By default all must fit."""
    keep: Literal["best", "last"] = "best"
    """Which weights become the model: those of the epoch with the best validation score, or those of the last epoch (of
    their average with `ema_decay`), by which nothing is chosen on the validation part."""
    patience: int = 0
    """Stop after so many epochs without a better validation score; 0 never stops early."""
    ema_decay: float = 0.0
    """Decay per step of a running average of the weights, which is then what is validated and kept; 0 is off."""
    gradient_clip: float = 0.0
    """Largest norm of the gradient; 0 is off."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """"auto" takes bfloat16 only where the processor computes it in hardware."""
    channels_last: bool = True
    """Memory layout that convolutions on CPUs and tensor cores prefer."""
    compile: Literal["auto", "on", "off"] = "auto"
    """"auto" compiles on CUDA only; on CPUs it was measured to lose."""
    deterministic: bool = True
    """Same seed, same machine, same numbers."""

    def __post_init__(self) -> None:
        self._check_counts()
        self._check_windows()
        if self.group is not None and self.batch_size % PAIR:
            raise ValueError(f"batch_size must be even where group is {self.group!r}, got {self.batch_size}")
        if not 0.0 <= self.ema_decay < 1.0:
            raise ValueError("ema_decay must lie in [0, 1)")
        if self.patience < 0 or self.gradient_clip < 0:
            raise ValueError("patience and gradient_clip must not be negative")
        if self.patience and self.keep == "last":
            raise ValueError('patience waits for a better epoch, and keep = "last" keeps none: leave one of them out')

    def _check_windows(self) -> None:
        if self.crop is None:
            if self.foreground is not None or self.sliding is not None:
                raise ValueError("foreground and sliding are about windows: set crop as well")
            return
        if len(self.crop) not in (2, 3) or min(self.crop) < 1:
            raise ValueError("crop must have two sides or three, each at least 1")
        if self.foreground is not None and not 0 < self.foreground <= 1:
            raise ValueError(f"foreground is a share of the batch, above 0 and at most 1, got {self.foreground}")

    def _check_counts(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError("epochs and batch_size must be at least 1")
        if self.epochs > MOST_EPOCHS:
            raise ValueError(f"epochs must be at most {MOST_EPOCHS}, got {self.epochs:.3g}")
        if self.steps_per_epoch is not None and self.steps_per_epoch < 1:
            raise ValueError("steps_per_epoch must be at least 1")
