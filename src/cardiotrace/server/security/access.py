"""Who may come in: the token, the cookie that it is exchanged for, the names that this machine is called by."""

import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlsplit

from starlette.types import ASGIApp, Receive, Scope, Send

from cardiotrace.server.security.rate import WrongTokens

COOKIE = "cardiotrace"
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_OPEN_PATHS = ("/api/v1/system/health",)
"""What is told to anybody who can reach the server."""
_WEEK = 7 * 86400
_ASK = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>CardioTrace</title>"
    "<p>This page opens with the address that <code>cardiotrace serve</code> printed when it was started. "
    "If you came with it from another page, <a href=/>go on</a>."
)


@dataclass(frozen=True)
class Answer:
    """An answer that is given here, before the application is asked."""

    status: int
    text: str
    remedy: str | None = None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    is_page: bool = False

    async def send(self, send: Send) -> None:
        """Send it."""
        error = {"error": {"text": self.text, "remedy": self.remedy}}
        body = _ASK.encode() if self.is_page else json.dumps(error).encode()
        kind = b"text/html; charset=utf-8" if self.is_page else b"application/json"
        if self.status == 303:
            body = b""
        headers = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *self.headers]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


class Access:
    """Lets in who has the token, and nobody by a name or from a page that is not its own.

    Args:
        app: what is asked then.
        token: the secret.
        hosts: names that this machine may be called by.
        is_encrypted: whether the cookie may demand TLS.
        wrong: counts tokens that were wrong.
    """

    def __init__(
        self, app: ASGIApp, *, token: str, hosts: Iterable[str], is_encrypted: bool, wrong: WrongTokens | None = None
    ) -> None:
        self._app = app
        self._token = token.encode()
        self._cookie = hmac.new(self._token, b"cookie of CardioTrace", hashlib.sha256).hexdigest().encode()
        self._hosts = frozenset(hosts)
        self._is_encrypted = is_encrypted
        self._wrong = wrong or WrongTokens()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Ask the application, or answer why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # nothing here speaks otherwise, and nobody would be asked who they are
            await send({"type": "websocket.close", "code": 1008})
            return
        answer = self._refusal(scope, _headers(scope))
        if answer is not None:
            await answer.send(send)
            return
        await self._app(scope, receive, send)

    def _refusal(self, scope: Scope, headers: Mapping[bytes, bytes]) -> Answer | None:
        """Why the application is not asked; None where it is."""
        if _host_of(headers.get(b"host", b"").decode("latin-1")) not in self._hosts:
            remedy = "call it by the address that it printed, or start it with --names."
            return Answer(403, "this server does not go by that name", remedy)
        if scope["path"] in _OPEN_PATHS:
            return None
        client = (scope.get("client") or ("", 0))[0]
        if scope["path"] == "/" and scope["method"] == "GET" and b"token=" in scope["query_string"]:
            return self._exchange(client, parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0])
        bearer = _bearer(headers)
        if bearer is not None:
            return self._checked(client, bearer, self._token)
        cookie = _cookie(headers)
        if cookie is not None and hmac.compare_digest(cookie, self._cookie):
            return None if scope["method"] in _SAFE_METHODS else _foreign(scope, headers)
        if scope["path"] == "/" and scope["method"] == "GET":
            return Answer(401, "", is_page=True)
        # A page that was open when the token changed asks again and again: that is no attempt to guess it.
        return Answer(401, "the token is missing", "open the address that the server printed, or send it as Bearer.")

    def _checked(self, client: str, given: bytes, expected: bytes) -> Answer | None:
        """Whether a secret is right; one address may be wrong only now and then."""
        if (seconds := self._wrong.seconds_to_wait(client)) > 0:
            wait = str(int(seconds) + 1)
            return Answer(429, "too many wrong tokens", f"wait {wait} s.", ((b"retry-after", wait.encode()),))
        if hmac.compare_digest(given, expected):
            return None
        self._wrong.count(client)
        return Answer(401, "the token is wrong", "open the address that the server printed when it was started.")

    def _exchange(self, client: str, given: str) -> Answer:
        """The token for a cookie, and the page without it in its address."""
        refusal = self._checked(client, given.encode("utf-8", "replace"), self._token)
        if refusal is not None:
            return refusal
        secure = "; Secure" if self._is_encrypted else ""
        cookie = f"{COOKIE}={self._cookie.decode()}; Path=/; HttpOnly; SameSite=Strict; Max-Age={_WEEK}{secure}"
        return Answer(303, "", headers=((b"location", b"/"), (b"set-cookie", cookie.encode())))


def _foreign(scope: Scope, headers: Mapping[bytes, bytes]) -> Answer | None:
    """Why something is not written: a page of another origin asks for it, or nothing says that none does."""
    origin = headers.get(b"origin", b"").decode("latin-1")
    found = urlsplit(origin)
    host = headers.get(b"host", b"").decode("latin-1").lower()
    if found.scheme == scope.get("scheme", "http") and found.netloc.lower() == host:
        return None
    return Answer(403, "this came from another page", "open the application by its own address.")


def _headers(scope: Scope) -> dict[bytes, bytes]:
    """Headers by name; where one comes twice the first counts, and a second Host makes none fit."""
    found: dict[bytes, bytes] = {}
    for name, value in scope["headers"]:
        if name == b"host" and name in found:
            value, found = b"", {key: each for key, each in found.items() if key != name}
        found.setdefault(name, value)
    return found


def _host_of(header: str) -> str:
    """The name in a Host header, without the port."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def _bearer(headers: Mapping[bytes, bytes]) -> bytes | None:
    kind, _, secret = headers.get(b"authorization", b"").partition(b" ")
    return secret.strip() if kind.lower() == b"bearer" else None


def _cookie(headers: Mapping[bytes, bytes]) -> bytes | None:
    try:
        found = SimpleCookie(headers.get(b"cookie", b"").decode("latin-1")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value.encode("latin-1", "replace")
