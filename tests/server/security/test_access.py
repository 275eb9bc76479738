"""Who comes in: with the token or its cookie, by a known name, and never by way of another page."""

import asyncio

import httpx
import pytest

from cardiotrace.server.security.access import COOKIE, Access
from cardiotrace.server.security.bounds import CONTENT_POLICY, Bounds
from cardiotrace.server.security.rate import WrongTokens

TOKEN = "a-secret-of-the-tests"


async def application(scope, receive, send):
    size = 0
    while (message := await receive())["type"] == "http.request":
        size += len(message.get("body", b""))
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def guarded(**options):
    access = Access(application, token=TOKEN, hosts={"localhost", "heart.local", "::1"}, is_encrypted=False, **options)
    return Bounds(access, is_encrypted=False, largest_of=lambda scope: 1000)


def ask(method, path, *, app=None, base="http://localhost:8765", **options):
    async def asked():
        transport = httpx.ASGITransport(app=app or guarded())
        async with httpx.AsyncClient(transport=transport, base_url=base) as client:
            return await client.request(method, path, **options)

    return asyncio.run(asked())


BEARER = {"Authorization": f"Bearer {TOKEN}"}


def cookie():
    answer = ask("GET", f"/?token={TOKEN}")
    assert answer.status_code == 303
    return answer.headers["set-cookie"]


def with_cookie(**more):
    return {"Cookie": cookie().partition(";")[0], **more}


def test_the_token_becomes_a_cookie_and_leaves_the_address():
    answer = ask("GET", f"/?token={TOKEN}")
    assert answer.headers["location"] == "/"
    told = answer.headers["set-cookie"]
    assert told.startswith(f"{COOKIE}=")
    assert TOKEN not in told
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= {part.strip() for part in told.split(";")}
    assert ask("GET", "/api/v1/studies", headers=with_cookie()).status_code == 200


def test_nobody_comes_in_without_the_token():
    assert ask("GET", "/api/v1/studies").status_code == 401
    assert ask("GET", "/").status_code == 401
    assert ask("GET", "/?token=wrong").status_code == 401
    assert ask("GET", "/api/v1/studies", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert ask("GET", "/api/v1/studies", headers={"Cookie": f"{COOKIE}=wrong"}).status_code == 401
    assert ask("GET", "/api/v1/studies", headers={"Cookie": f"{COOKIE}={TOKEN}"}).status_code == 401
    assert ask("GET", "/api/v1/studies", headers=BEARER).status_code == 200
    assert ask("GET", "/api/v1/system/health").status_code == 200


@pytest.mark.parametrize("base", ["http://evil.example", "http://localhost.evil.example:8765", "http://127.0.0.1:8765"])
def test_a_name_that_is_not_the_servers_is_refused(base):
    assert ask("GET", "/api/v1/studies", base=base, headers=BEARER).status_code == 403
    assert ask("GET", "/api/v1/system/health", base=base).status_code == 403


@pytest.mark.parametrize("base", ["http://localhost", "http://HEART.local:99", "http://[::1]:8765"])
def test_a_name_of_the_servers_is_not(base):
    assert ask("GET", "/api/v1/studies", base=base, headers=BEARER).status_code == 200


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:1", "https://localhost:8765", ""])
def test_another_page_writes_nothing(origin):
    assert ask("POST", "/api/v1/uploads", headers=with_cookie(Origin=origin)).status_code == 403
    assert ask("DELETE", "/api/v1/studies/1", headers=with_cookie(Origin=origin)).status_code == 403


def test_the_own_page_writes_and_a_script_needs_no_origin():
    assert ask("POST", "/api/v1/uploads", headers=with_cookie(Origin="http://localhost:8765")).status_code == 200
    assert ask("POST", "/api/v1/uploads", headers=with_cookie()).status_code == 403
    assert ask("POST", "/api/v1/uploads", headers=BEARER).status_code == 200


def test_tokens_cannot_be_tried_out():
    now = [0.0]
    app = guarded(wrong=WrongTokens(most=3, seconds=60, clock=lambda: now[0]))
    wrong = {"Authorization": "Bearer wrong"}
    told = [ask("GET", "/api/v1/studies", app=app, headers=wrong).status_code for _ in range(4)]
    assert told == [401, 401, 401, 429]
    refused = ask("GET", "/api/v1/studies", app=app, headers=BEARER)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= 61
    assert ask("GET", "/api/v1/studies", app=app, headers=with_cookie()).status_code == 200
    stale = {"Cookie": f"{COOKIE}=of-an-earlier-token"}
    assert {ask("GET", "/api/v1/studies", headers=stale, app=app).status_code for _ in range(12)} == {401}
    now[0] = 61.0
    assert ask("GET", "/api/v1/studies", app=app, headers=BEARER).status_code == 200


def test_every_answer_bears_the_headers():
    for path in ("/", "/api/v1/studies", "/api/v1/system/health"):
        headers = ask("GET", path).headers
        assert headers["content-security-policy"] == CONTENT_POLICY
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"
    assert "unsafe" not in CONTENT_POLICY
    assert "http" not in CONTENT_POLICY


def test_what_is_sent_is_counted_whatever_it_says_of_itself():
    async def pieces():
        for _ in range(11):
            yield b"x" * 100

    assert ask("POST", "/api/v1/x", headers=BEARER, content=b"x" * 1000).text == "1000"
    assert ask("POST", "/api/v1/x", headers=BEARER, content=pieces()).status_code == 413
    assert ask("POST", "/api/v1/x", headers=BEARER, content=b"x" * 1001).status_code == 413


def test_nothing_but_http_is_spoken():
    told = []

    async def send(message):
        told.append(message["type"])

    asyncio.run(guarded()({"type": "websocket", "path": "/", "headers": []}, None, send))
    assert told == ["websocket.close"]
