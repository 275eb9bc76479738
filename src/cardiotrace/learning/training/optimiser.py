"""Optimisers, and schedules of their learning rate."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch

from cardiotrace.core.catalog import Catalog, Entry


@dataclass(frozen=True)
class Adam:
    """Kingma and Ba 2015; with `weight_decay` it is AdamW."""

    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    beta1: float = 0.9
    beta2: float = 0.999

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and self.weight_decay >= 0 and 0 <= self.beta1 < 1 and 0 <= self.beta2 < 1):
            raise ValueError("learning_rate must be positive, weight_decay not negative, beta1 and beta2 in [0, 1)")


@dataclass(frozen=True)
class StochasticGradientDescent:
    """Gradient descent with Nesterov momentum; the defaults are nnU-Net's."""

    learning_rate: float = 1e-2
    momentum: float = 0.99
    weight_decay: float = 3e-5
    nesterov: bool = True

    def __post_init__(self) -> None:
        if not (self.learning_rate > 0 and self.weight_decay >= 0 and 0 <= self.momentum < 1):
            raise ValueError("learning_rate must be positive, weight_decay not negative, momentum in [0, 1)")
        if self.nesterov and not self.momentum:
            raise ValueError("nesterov needs a momentum")


def _adam(config: Adam, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    # One class for both: with no decay AdamW is Adam. `foreach` updates many small tensors at once.
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(parameters, config.learning_rate, betas, weight_decay=config.weight_decay, foreach=True)


def _sgd(config: StochasticGradientDescent, parameters: Iterable[torch.nn.Parameter]) -> torch.optim.Optimizer:
    return torch.optim.SGD(
        parameters, config.learning_rate, config.momentum, weight_decay=config.weight_decay, nesterov=config.nesterov
    )


OPTIMISERS: Catalog[torch.optim.Optimizer] = Catalog(
    "optimiser",
    [
        Entry("adam", Adam, _adam, "Adam; AdamW with weight_decay.", "Kingma 2015, Loshchilov 2019"),
        Entry("sgd", StochasticGradientDescent, _sgd, "Stochastic gradient descent with momentum.", "Isensee 2021"),
    ],
    group="cardiotrace.optimisers",
)


@runtime_checkable  # for checks of types while tests run
class Schedule(Protocol):
    """Factor on the optimiser's rate."""

    def factor(self, progress: float) -> float:
        """Factor at `progress` in 0..1 of the whole training."""
        ...

    def observe(self, score: float) -> None:
        """Told the validation score after each epoch (higher is better)."""
        ...

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold."""
        ...

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a state."""
        ...


class _Stateless:
    def observe(self, score: float) -> None:
        """Nothing to learn from the score."""

    def state(self) -> dict[str, Any]:
        """Nothing to remember."""
        return {}

    def restore(self, state: dict[str, Any]) -> None:
        """Nothing to take up."""


@dataclass(frozen=True)
class Constant(_Stateless):
    """The same learning rate throughout."""

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        return 1.0


@dataclass(frozen=True)
class OneCycle(_Stateless):
    """Up along a half cosine, then down along another to almost nothing."""

    warm_up: float = 0.2
    start: float = 0.04
    end: float = 1e-3

    def __post_init__(self) -> None:
        _check_share(self.warm_up)

    def factor(self, progress: float) -> float:
        """See `Schedule`.

        Example:
            >>> [round(OneCycle(warm_up=0.5, start=0.0, end=0.0).factor(p), 3) for p in (0.0, 0.25, 0.5, 1.0)]
            [0.0, 0.5, 1.0, 0.0]
        """
        if progress < self.warm_up:
            return self.start + (1 - self.start) * _half_cosine(progress / self.warm_up)
        return 1 + (self.end - 1) * _half_cosine((progress - self.warm_up) / max(1e-9, 1 - self.warm_up))


@dataclass(frozen=True)
class Polynomial(_Stateless):
    """(1 - progress) ^ power."""

    power: float = 0.9

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        # Below 0, a power that is no whole number would be complex.
        return float(max(0.0, 1 - progress) ** self.power)


@dataclass(frozen=True)
class Cosine(_Stateless):
    """Down along a half cosine, after an optional linear warm-up."""

    warm_up: float = 0.0
    end: float = 0.0

    def __post_init__(self) -> None:
        _check_share(self.warm_up)

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        if progress < self.warm_up:
            return progress / self.warm_up
        return 1 + (self.end - 1) * _half_cosine((progress - self.warm_up) / max(1e-9, 1 - self.warm_up))


@dataclass(frozen=True)
class PlateauConfig:
    """Cut the rate when the validation score has not risen for some epochs."""

    patience: int = 5
    cut: float = 0.3
    lowest: float = 1e-3

    def __post_init__(self) -> None:
        if not (self.patience >= 0 and 0 < self.cut < 1 and 0 < self.lowest <= 1):
            raise ValueError("patience must not be negative, cut must lie in (0, 1), lowest in (0, 1]")


class Plateau:
    """State of a plateau schedule."""

    def __init__(self, config: PlateauConfig) -> None:
        self.config = config
        self.best, self.waited, self.current = -math.inf, 0, 1.0

    def factor(self, progress: float) -> float:
        """See `Schedule`."""
        return self.current

    def observe(self, score: float) -> None:
        """Cut once the best score is older than the patience."""
        if score > self.best:
            self.best, self.waited = score, 0
            return
        self.waited += 1
        if self.waited > self.config.patience:
            # The wait begins anew: the smaller rate must have its own epochs to help.
            self.current, self.waited = max(self.config.lowest, self.current * self.config.cut), 0

    def state(self) -> dict[str, Any]:
        """See `Schedule`."""
        return {"best": self.best, "waited": self.waited, "current": self.current}

    def restore(self, state: dict[str, Any]) -> None:
        """See `Schedule`."""
        self.best, self.waited, self.current = state["best"], state["waited"], state["current"]


def _check_share(warm_up: float) -> None:
    if not 0 <= warm_up < 1:
        raise ValueError(f"warm_up is a share of the training, in [0, 1), got {warm_up}")


def _half_cosine(share: float) -> float:
    return (1 - math.cos(math.pi * min(1.0, share))) / 2


def _given(config: Schedule) -> Schedule:
    return config


SCHEDULES: Catalog[Schedule] = Catalog(
    "schedule",
    [
        Entry("constant", Constant, _given, "The same rate throughout."),
        Entry("one-cycle", OneCycle, _given, "Up and down once, by half cosines.", "Smith 2018"),
        Entry("poly", Polynomial, _given, "(1 - progress) ^ power.", "Isensee 2021"),
        Entry("cosine", Cosine, _given, "Down along a half cosine.", "Loshchilov 2017"),
        Entry("plateau", PlateauConfig, Plateau, "Cut the rate when validation stalls."),
    ],
    group="cardiotrace.schedules",
)
