"""How often a wrong token may be tried."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

_MOST_ADDRESSES = 1000


@dataclass
class WrongTokens:
    """Counts wrong tokens by address, and forgets them with time.

    Example:
        >>> clock = iter((0.0, 0.0, 1.0, 61.0)).__next__
        >>> wrong = WrongTokens(most=1, seconds=60.0, clock=clock)
        >>> wrong.count("::1")
        >>> wrong.seconds_to_wait("::1"), wrong.seconds_to_wait("::1"), wrong.seconds_to_wait("::1")
        (60.0, 59.0, 0.0)
    """

    most: int = 10
    """Within the time; with so many, the next waits until the first is forgotten."""
    seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _tries: dict[str, list[float]] = field(default_factory=dict)

    def count(self, address: str) -> None:
        """A wrong one came."""
        if len(self._tries) >= _MOST_ADDRESSES and address not in self._tries:
            self._tries.pop(next(iter(self._tries)))
        tries = self._tries.setdefault(address, [])
        tries.append(self.clock())
        del tries[: -self.most]

    def seconds_to_wait(self, address: str) -> float:
        """How long nothing more is tried from there."""
        tries = self._tries.get(address, [])
        if len(tries) < self.most:
            return 0.0
        return max(0.0, tries[0] + self.seconds - self.clock())
