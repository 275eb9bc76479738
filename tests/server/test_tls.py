"""The server behind TLS, with a certificate that was made a moment ago."""

import ssl

import httpx
import pytest

from tests.command import cardiotrace
from tests.server.serving import API, Person, started


def test_it_speaks_tls_and_nothing_else(tmp_path, certificate):
    cert, key = certificate
    with started(tmp_path / "kept", "--tls-cert", cert, "--tls-key", key) as (_, url, token):
        assert url.startswith("https://")
        trusting = ssl.create_default_context(cafile=cert)
        with httpx.Client(base_url=url, verify=trusting, timeout=60) as http:
            answer = http.get(f"/?token={token}")
            assert "Secure" in answer.headers["set-cookie"]
            assert http.get(f"{API}/studies").json()["studies"] == [], "the cookie opens"
            assert "max-age" in http.get(f"{API}/system/health").headers["strict-transport-security"]
            bearer = httpx.Headers({"Authorization": f"Bearer {token}"})
            content = bytes(range(256)) * 8192
            with httpx.Client(base_url=url, headers=bearer, verify=trusting, timeout=60) as sending:
                upload = Person(sending).send({"a.nii": content}, finish=False)
                assert Person(sending).get(f"/uploads/{upload}")["files"][0]["received"] == len(content)
        with pytest.raises(httpx.TransportError):
            httpx.get(url.replace("https", "http"), timeout=60)
        with pytest.raises(httpx.ConnectError, match=r"(?i)certificate"):
            httpx.get(url, timeout=60)


def test_a_certificate_that_is_none_is_one_line(tmp_path, certificate):
    cert, _ = certificate
    (tmp_path / "bad.pem").write_text("no certificate")
    for words in ((tmp_path / "none.pem", tmp_path / "none.pem"), (tmp_path / "bad.pem",) * 2, (cert, cert)):
        tls = ("--tls-cert", words[0], "--tls-key", words[1])
        done = cardiotrace("serve", "--data", tmp_path / "kept", "--port", 0, *tls)
        assert done.returncode == 2, done.stderr
        assert len(done.stderr.strip().splitlines()) <= 2, done.stderr
        assert "--tls-key" in done.stderr
