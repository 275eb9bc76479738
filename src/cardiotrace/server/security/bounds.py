"""Headers that every answer bears, bounds of what is sent, and a line in the log that names nobody."""

import logging
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cardiotrace.server.security.access import Answer

_ACCESS = logging.getLogger("cardiotrace.server.access")
LARGEST_BODY = 32 * 2**20
"""Bytes of what is no file of an upload: label planes of an edit, options."""
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; font-src 'self'; "
    "connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-src 'self'; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'self'"
)
_HEADERS = (
    (b"content-security-policy", CONTENT_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
    (b"cache-control", b"no-store"),
)
_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")


_TOO_LARGE = Answer(413, "more was sent than is taken", "send less at a time.")


class TooLargeError(Exception):
    """More was sent than is taken."""


class Bounds:
    """Puts headers on answers, counts what is sent, and writes a line for each request.

    Args:
        app: what is asked.
        is_encrypted: whether browsers are told to come by TLS from now on.
        largest_of: bytes that a request may send, by its scope.
    """

    def __init__(self, app: ASGIApp, *, is_encrypted: bool, largest_of: Callable[[Scope], int]) -> None:
        self._app = app
        self._headers = (*_HEADERS, _TRANSPORT) if is_encrypted else _HEADERS
        self._largest_of = largest_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the application within the bounds."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(receive, send, self._headers, self._largest_of(scope))
        try:
            if exchange.is_announced(scope):
                await _TOO_LARGE.send(exchange.send)
            else:
                await self._app(scope, exchange.receive, exchange.send)
        except TooLargeError:
            if not exchange.status:
                await _TOO_LARGE.send(exchange.send)
        finally:
            exchange.log(scope)


class _Exchange:
    """One request and its answer."""

    def __init__(self, receive: Receive, send: Send, headers: tuple[tuple[bytes, bytes], ...], largest: int) -> None:
        self._receive, self._send = receive, send
        self._headers, self._left = headers, largest
        self._began = time.monotonic()
        self._is_told = False
        self.status = 0

    def is_announced(self, scope: Scope) -> bool:
        """Whether the request itself says that it is too large; what says less is counted all the same."""
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        return any(value.isdigit() and int(value) > self._left for value in lengths)

    async def receive(self) -> Message:
        """The next piece of the request; what it says of its own length is not believed."""
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                raise TooLargeError
        return message

    async def send(self, message: Message) -> None:
        """The next piece of the answer, with the headers that it lacks."""
        if self._left < 0 and not self._is_told:
            # Whatever the application made of it: it was asked for more than it may be.
            if message["type"] == "http.response.start" and not self.status:
                self._is_told = True
                await _TOO_LARGE.send(self.send)
                self._is_told = False
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            present = {name.lower() for name, _ in message["headers"]}
            added = [(name, value) for name, value in self._headers if name not in present]
            message = {**message, "headers": [*message["headers"], *added]}
        await self._send(message)

    def log(self, scope: Scope) -> None:
        """A line without names, tokens or addresses: the route, not the path."""
        route = getattr(scope.get("route"), "path", "-")
        milliseconds = 1000 * (time.monotonic() - self._began)
        _ACCESS.info("%s %s %d %.1f ms", scope["method"], route, self.status, milliseconds)
