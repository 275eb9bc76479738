"""Bodies of several parts (RFC 2046), read piece by piece: studies are larger than memory should be."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cardiotrace.core.errors import InputError, WorkError

_BOUNDARY = re.compile(r'boundary="?([^";,\s]{1,70})"?', re.IGNORECASE)
_LONGEST_HEAD = 2**14


@dataclass(frozen=True)
class Parts:
    r"""Contents of the parts of a body, in order.

    Args:
        pieces: the body, cut anywhere.
        boundary: between the parts, without its dashes.
        most_bytes: of one part.

    Example:
        >>> body = b"--b\r\nContent-Type: text/plain\r\n\r\none\r\n--b\r\n\r\ntw--bo\r\n--b--\r\n"
        >>> list(Parts([body[:20], body[20:37], body[37:]], "b", most_bytes=100))
        [b'one', b'tw--bo']
    """

    pieces: Iterable[bytes]
    boundary: str
    most_bytes: int

    @staticmethod
    def boundary_of(content_type: str) -> str:
        """The boundary that a header states.

        Raises:
            InputError: it states none.
        """
        found = _BOUNDARY.search(content_type)
        if not content_type.lower().startswith("multipart/") or found is None:
            raise InputError(f"answered with {content_type[:80]!r}, and not with several parts")
        return found[1]

    def __iter__(self) -> Iterator[bytes]:
        """One part after another.

        Raises:
            WorkError: a part is larger than allowed, has no head, or the body ends within it.
        """
        mark = f"\r\n--{self.boundary}".encode()
        pieces = iter(self.pieces)
        # With the line break that stands before all boundaries but the first.
        held = bytearray(b"\r\n")
        del held[: self._find(held, mark, pieces, _LONGEST_HEAD) + len(mark)]
        while not self._is_last(held, pieces):
            end = self._find(held, mark, pieces, self.most_bytes + _LONGEST_HEAD)
            head, blank, _ = bytes(held[: min(end, _LONGEST_HEAD)]).partition(b"\r\n\r\n")
            if not blank:
                raise WorkError("a part of the answer has no head")
            yield bytes(held[len(head) + len(blank) : end])
            del held[: end + len(mark)]

    def _find(self, held: bytearray, mark: bytes, pieces: Iterator[bytes], most: int) -> int:
        """Read on to the next boundary; gives where it stands."""
        searched = 0
        while (found := held.find(mark, searched)) < 0:
            searched = max(0, len(held) - len(mark))
            if len(held) > most:
                raise WorkError(f"a part of the answer is larger than {self.most_bytes} bytes, or it holds none")
            self._more(held, pieces)
        return found

    def _is_last(self, held: bytearray, pieces: Iterator[bytes]) -> bool:
        """Whether the boundary that was found is the one behind the last part."""
        while len(held) < 2:
            self._more(held, pieces)
        return held.startswith(b"--")

    @staticmethod
    def _more(held: bytearray, pieces: Iterator[bytes]) -> None:
        piece = next(pieces, b"")
        if not piece:
            raise WorkError("the answer ended early")
        held += piece
