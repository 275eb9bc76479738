"""Who edits what: one person at a time, as long as their page says that they are there."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

SECONDS = 60.0


@dataclass(frozen=True)
class Held:
    """A lease."""

    token: str
    holder: str
    expires: float
    """Seconds since 1970."""


class Leases:
    """Leases by what they are of. They are not kept over a restart: versions guard against overwriting even so.

    Args:
        now: the clock, seconds since 1970.

    Example:
        >>> clock = iter([0.0, 1.0, 61.5, 61.5])
        >>> leases = Leases(lambda: next(clock))
        >>> first = leases.take("exam", "Roy")
        >>> leases.take("exam", "Lee") is None, leases.take("exam", "Lee").holder
        (True, 'Lee')
    """

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._held: dict[str, Held] = {}
        self._lock = threading.Lock()

    def take(self, document: str, holder: str) -> Held | None:
        """A lease of a document; None where somebody else holds one."""
        with self._lock:
            if self._of(document) is not None:
                return None
            return self._renewed(document, secrets.token_urlsafe(18), holder)

    def renew(self, document: str, token: str) -> Held | None:
        """The lease for as long again; None where it is not, or no longer, held with that token."""
        with self._lock:
            found = self._of(document)
            if found is None or not secrets.compare_digest(found.token, token):
                return None
            return self._renewed(document, token, found.holder)

    def give_back(self, document: str, token: str) -> bool:
        """Let go of a lease; whether it was held with that token."""
        with self._lock:
            found = self._of(document)
            if found is None or not secrets.compare_digest(found.token, token):
                return False
            del self._held[document]
            return True

    def of(self, document: str) -> Held | None:
        """The lease of a document; None where there is none that holds."""
        with self._lock:
            return self._of(document)

    def _of(self, document: str) -> Held | None:
        found = self._held.get(document)
        if found is not None and found.expires <= self._now():
            del self._held[document]
            return None
        return found

    def _renewed(self, document: str, token: str, holder: str) -> Held:
        found = self._held[document] = Held(token, holder, self._now() + SECONDS)
        return found
