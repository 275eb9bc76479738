"""What is decided or mended on the way is told to the log, which is quiet unless it is asked for."""

import json
import logging
import re
from pathlib import Path

from cardiotrace.cli.main import main
from cardiotrace.cli.output import shown_log
from cardiotrace.io import leftover, write_text
from cardiotrace.io.results import MANIFEST, read_manifest

SOURCE = Path(__file__).parents[2] / "src" / "cardiotrace"


def test_a_manifest_that_is_none_is_told(tmp_path, caplog):
    (tmp_path / MANIFEST).write_text(json.dumps({"format": "cardiotrace results 1", "files": 5}))
    with caplog.at_level(logging.WARNING, "cardiotrace"):
        read_manifest(tmp_path)
    assert f"{MANIFEST} cannot be understood" in caplog.text
    assert caplog.records[0].name == "cardiotrace.io.results"


def test_what_a_killed_run_left_is_told(tmp_path, caplog):
    left = tmp_path / f".writing-{leftover._machine()}-{2**30}-{'0' * 12}.txt"
    left.write_text("half")
    with caplog.at_level(logging.INFO, "cardiotrace"):
        write_text(tmp_path / "a.txt", "whole")
    assert not left.exists()
    assert f"{left} was left by a killed run" in caplog.text


def test_debug_shows_the_log_harmlessly_and_only_while_it_lasts(capsys):
    log = logging.getLogger("cardiotrace")
    before = (log.level, list(log.handlers))
    main(["--debug", "--version"])
    with shown_log():
        logging.getLogger("cardiotrace.io").info("%s was skipped", "\x1b[2J")
    logging.getLogger("cardiotrace.io").info("not heard")
    assert capsys.readouterr().err == "INFO cardiotrace.io: \\u001b[2J was skipped\n"
    assert (log.level, log.handlers) == before


def test_loggers_are_named_after_their_modules_and_never_print_by_themselves():
    for path in SOURCE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        own = re.findall(r"^_?LOG = (.*)$", text, re.MULTILINE)
        assert set(own) <= {"logging.getLogger(__name__)"}, path
        assert not re.search(r"\blogging\.(?:basicConfig|debug|info|warning|error)\(", text), path
        assert not re.search(r"_LOG\.\w+\(f\"", text), path
