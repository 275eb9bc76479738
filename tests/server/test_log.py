"""The log: lines of JSON, without tokens, names of files, or what errors say of them."""

import json
import logging

from cardiotrace.server.log import logged


def test_lines_hold_no_secrets_and_no_names(tmp_path):
    log = logging.getLogger("cardiotrace.server.test")
    with logged(tmp_path / "log.jsonl"):
        log.info("GET /?token=abc-DEF_1 and Bearer abc.def")
        try:
            raise ValueError("Doe^John.dcm is damaged")
        except ValueError:
            log.exception("a job failed")
        log.debug("not told")
    text = (tmp_path / "log.jsonl").read_text()
    first, second = map(json.loads, text.splitlines())
    assert first["text"] == "GET /?token=... and Bearer ..."
    assert second["error"] == "ValueError"
    assert "test_log.py" in second["at"]
    assert "Doe" not in text
    assert (tmp_path / "log.jsonl").stat().st_mode & 0o777 == 0o600


def test_nothing_is_logged_behind_it(tmp_path):
    with logged(tmp_path / "log.jsonl"):
        pass
    logging.getLogger("cardiotrace.server.test").info("late")
    assert (tmp_path / "log.jsonl").read_text() == ""
