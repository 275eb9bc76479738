"""What changes, told to every open page: server-sent events that can be taken up again where they broke off."""

import asyncio
import json
import secrets
from collections import deque
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

_KEPT = 2000
_SLOWEST = 1000
"""Events that a page may lag behind before its connection is ended: it comes back and resumes."""
_SECONDS_BETWEEN_SIGNS = 15.0
"""Between signs of life, without which proxies and sleeping laptops end a connection."""


@dataclass(frozen=True)
class Event:
    """One change."""

    number: int
    kind: str
    """"study", "job", "deleted" (a study), or "resync": what was missed is not kept, ask for everything again."""
    data: str
    """JSON."""

    def encoded(self, run: str) -> bytes:
        """As it is sent."""
        return f"event: {self.kind}\nid: {run}-{self.number}\ndata: {self.data}\n\n".encode()


class EventHub:
    """Takes changes from any thread, and hands them to whoever listens in the loop."""

    def __init__(self) -> None:
        self._run = secrets.token_hex(4)
        self._number = 0
        self._kept: deque[Event] = deque(maxlen=_KEPT)
        self._queues: set[asyncio.Queue[Event | None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """From now on events are handed out in this loop."""
        self._loop = loop

    @property
    def listeners(self) -> int:
        """How many pages listen."""
        return len(self._queues)

    def publish(self, kind: str, data: Mapping[str, Any]) -> None:
        """Tell of a change; from any thread."""
        if self._loop is None or self._loop.is_closed():
            return
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        self._loop.call_soon_threadsafe(self._hand_out, kind, text)

    def close(self) -> None:
        """End all connections: the server ends."""
        for queue in self._queues:
            _put(queue, None)

    async def listen(self, last: str | None = None) -> AsyncIterator[bytes]:
        """What one page is sent.

        Args:
            last: identifier of the last event that it has seen.
        """
        queue: asyncio.Queue[Event | None] = asyncio.Queue(_SLOWEST)
        missed = self._missed(last)
        self._queues.add(queue)
        try:
            yield b": here\n\n"
            for event in missed:
                yield event.encoded(self._run)
            while True:
                try:
                    new = await asyncio.wait_for(queue.get(), _SECONDS_BETWEEN_SIGNS)
                except TimeoutError:
                    yield b": here\n\n"
                    continue
                if new is None:
                    return
                yield new.encoded(self._run)
        finally:
            self._queues.discard(queue)

    def _hand_out(self, kind: str, text: str) -> None:
        self._number += 1
        event = Event(self._number, kind, text)
        self._kept.append(event)
        for queue in self._queues:
            _put(queue, event)

    def _missed(self, last: str | None) -> list[Event]:
        if not last:
            return []
        run, _, number = last.rpartition("-")
        first = self._kept[0].number if self._kept else self._number + 1
        if run != self._run or not number.isdecimal() or int(number) + 1 < first:
            return [Event(self._number, "resync", "{}")]
        return [event for event in self._kept if event.number > int(number)]


def _put(queue: "asyncio.Queue[Event | None]", event: Event | None) -> None:
    if queue.full():  # a page that does not read: it is ended, and resumes if it lives
        queue.get_nowait()
        event = None
    queue.put_nowait(event)
