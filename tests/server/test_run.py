"""The program as it is started: one address, an end when asked, nothing lost when killed."""

import os
import signal
import subprocess
import sys
import time

import httpx
import pytest

from cardiotrace.cli.main import main
from tests.command import cardiotrace, environment
from tests.server.serving import API, person, started, wait_for


def test_it_prints_one_address_and_ends_when_asked_also_with_an_open_page(tmp_path):
    with started(tmp_path / "kept") as (process, url, token):
        with httpx.Client(base_url=url, timeout=60) as http:
            page = http.get(f"/?token={token}", follow_redirects=True)
            assert page.status_code == 200
            assert "CardioTrace" in page.text
            assert "token" not in str(page.url)
            with http.stream("GET", f"{API}/events") as events:
                assert next(events.iter_lines()) == ": here"
                began = time.monotonic()
                process.send_signal(signal.SIGINT)
                assert process.wait(60) == 0
                seconds = time.monotonic() - began
        assert process.stdout.read() == ""
        assert process.stderr.read() == ""
        assert seconds < 20, "3 s on a machine that has nothing else to do"
    text = (tmp_path / "kept" / "log.jsonl").read_text()
    assert token not in text


def test_the_token_is_kept_and_two_servers_do_not_share(tmp_path):
    with started(tmp_path / "kept") as (_, _, first):
        second = cardiotrace("serve", "--data", tmp_path / "kept", "--port", 0)
        assert second.returncode == 2
        assert "another server works on this folder" in second.stderr
    with started(tmp_path / "kept") as (_, _, token):
        assert token == first


@pytest.mark.slow
def test_nothing_is_lost_when_it_is_killed(tmp_path, tiny_model, camus):
    words = ("--model", tiny_model)
    with started(tmp_path / "kept", *words) as (process, url, token):
        with person(url, token) as sender:
            job = sender.send(camus)
            half = sender.send({"a.nii": b"half"}, finish=False)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with started(tmp_path / "kept", *words) as (_, url, token), person(url, token) as sender:
        found = sender.job(job)
        assert found["state"] == "done"
        (study,) = found["result"]["studies"]
        assert sender.study(study)["state"] == "done"
        assert sender.get(f"/uploads/{half}")["files"][0]["received"] == 4


@pytest.mark.slow
def test_workers_end_with_the_server(tmp_path, tiny_model):
    with started(tmp_path / "kept", "--model", tiny_model) as (process, url, token):
        with person(url, token) as asking:
            asking.http.get(f"{API}/system/about").raise_for_status()
        children = wait_for(lambda: _children(process.pid), bool)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_for(lambda: [pid for pid in children if _lives(pid)], lambda left: not left)


def test_backup_and_restore_are_verbs(tmp_path, capsys):
    with started(tmp_path / "kept"):
        done = cardiotrace("serve", "--data", tmp_path / "kept", "--backup", tmp_path / "b.tar")
        assert (done.returncode, done.stderr) == (0, "")
        assert "0 studies" in done.stdout
    done = cardiotrace("serve", "--data", tmp_path / "other", "--restore", tmp_path / "b.tar")
    assert (done.returncode, done.stderr) == (0, "")
    assert main(["serve", "--data", str(tmp_path / "none"), "--backup", str(tmp_path / "c.tar")]) == 2
    assert "nothing of this version to back up" in capsys.readouterr().err


def test_a_port_that_is_taken_is_one_line(tmp_path):
    with started(tmp_path / "kept") as (_, url, _):
        done = cardiotrace("serve", "--data", tmp_path / "other", "--port", url.rpartition(":")[2])
        assert done.returncode == 2
        assert len(done.stderr.strip().splitlines()) == 2


def test_without_the_extra_one_line_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    monkeypatch.delitem(sys.modules, "cardiotrace.server.run", raising=False)
    assert main(["serve", "--data", str(tmp_path)]) == 2
    assert "pip install 'cardiotrace[server]'" in capsys.readouterr().err


def test_nothing_heavy_is_loaded_to_serve():
    heavy = ("numpy", "scipy", "onnxruntime", "torch", "pydicom", "alembic")
    code = f"import sys, cardiotrace.server.run; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment(), check=True)
    assert done.stdout.strip() == "[]"


def _children(pid):
    done = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(line) for line in done.stdout.split()]


def _lives(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
